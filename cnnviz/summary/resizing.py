"""What a map that is resized by interpolation reads of the map before it."""

from __future__ import annotations

from math import gcd, isclose
from typing import TYPE_CHECKING

from cnnviz.shapes.readers import Slide, Spread
from cnnviz.summary.trace import axes_of, length, marked

if TYPE_CHECKING:
    from cnnviz.summary.rules import Call
    from cnnviz.summary.trace import Trace

# Neighbours on each side whose weight is not 0, where an output falls between two positions.
REACH = {"linear": 1, "cubic": 2}


def resized(call: Call) -> Trace:
    """What is known after one of torch's ``upsample_…``, which also make smaller."""
    trace = call.trace
    for dim in range(2, len(call.shape)):
        size, new = length(trace.dims[dim]), call.shape[dim]
        scale = _scale(call, dim - 2)
        is_ratio = scale is None or isclose(size * scale, new)
        if is_ratio and size == new:
            continue
        readers = _readers(call, size, new) if is_ratio else None
        if readers is None:
            axes = axes_of(trace.dims[dim])
            trace = trace.unknown(axes).with_dim(dim, marked(axes, new))
        else:
            spread, slide = readers
            trace = trace.through(dim, spread, size * spread.stride).through(dim, slide, new)
    return trace


def _scale(call: Call, axis: int) -> float | None:
    """The factor that the caller chose, where torch uses it in place of the ratio of sizes."""
    names = ["scales"] if "1d" in call.name else ["scales_d", "scales_h", "scales_w"]
    names = names[-(len(call.shape) - 2) :]
    chosen: float | None = None if call.given.get("align_corners") else call.given.get(names[axis])
    return chosen


def _readers(call: Call, size: int, new: int) -> tuple[Spread, Slide] | None:
    """The map on a grid so fine that every output falls on a point of it, and who reads it where.

    Source of the positions: the notes of ``torch.nn.functional.interpolate``. None where a
    neighbour's weight is 0 at some outputs alone.
    """
    kind = "cubic" if "cubic" in call.name else "linear" if "linear" in call.name else "nearest"
    if call.given.get("align_corners"):
        return _between_corners(size, new) if kind == "linear" else None
    p, q = new // gcd(size, new), size // gcd(size, new)
    if kind == "cubic" and p * q % 2:  # some outputs lie on a position and read no other
        return None
    if kind == "nearest" and "exact" not in call.name:
        return Spread(p, p), Slide(stride=q)  # position floor(o*q/p)
    # Output o lies at x = (o + 1/2)*q/p - 1/2. With v = (2*o + 1)*q it reads the positions i with
    # |x - i| < reach, that is |v - p - 2*p*i| < 2*p*reach; the nearest one is i = v // (2*p).
    halves = Slide(stride=2 * q, padding=-q)
    if kind == "nearest":
        return Spread(2 * p, 2 * p), halves
    reach = 2 * p * REACH[kind]
    return Spread(2 * reach - 1, 2 * p, reach - 1 - p), halves


def _between_corners(size: int, new: int) -> tuple[Spread, Slide] | None:
    """Output o lies at x = o*q/p and reads the i with |x - i| < 1, that is |o*q - p*i| < p."""
    if min(size, new) == 1:
        return None
    p, q = (new - 1) // gcd(size - 1, new - 1), (size - 1) // gcd(size - 1, new - 1)
    return Spread(2 * p - 1, p, p - 1), Slide(stride=q)
