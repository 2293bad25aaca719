"""What a map that is resized by interpolation reads of the map before it."""

from __future__ import annotations

from math import gcd, isclose
from typing import TYPE_CHECKING

from cnnviz.shapes.readers import Interpolated, Slide, Spread
from cnnviz.summary.trace import axes_of, length, marked

if TYPE_CHECKING:
    from cnnviz.shapes.readers import Reader
    from cnnviz.summary.rules import Call
    from cnnviz.summary.trace import Trace


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
            for reader, positions in readers:
                trace = trace.through(dim, reader, positions)
    return trace


def _scale(call: Call, axis: int) -> float | None:
    """The factor that the caller chose, where torch uses it in place of the ratio of sizes."""
    names = ["scales"] if "1d" in call.name else ["scales_d", "scales_h", "scales_w"]
    names = names[-(len(call.shape) - 2) :]
    chosen: float | None = None if call.given.get("align_corners") else call.given.get(names[axis])
    return chosen


def _readers(call: Call, size: int, new: int) -> list[tuple[Reader, int]] | None:
    """Who reads the map, one after the other, and how long each leaves it.

    Source of the positions: the notes of ``torch.nn.functional.interpolate``. None where one
    position is laid upon corners, or read for two of them.
    """
    taps = 4 if "cubic" in call.name else 2 if "linear" in call.name else 1
    if call.given.get("align_corners"):
        corners = Interpolated(size - 1, new - 1, taps, corners=True)
        return [(corners, new)] if min(size, new) > 1 else None
    if taps > 1:
        return [(Interpolated(size, new, taps), new)]
    # The nearest of output o is at floor(o*q/p), or exactly at floor((2*o + 1)*q / (2*p)): on a
    # grid of p or 2*p points for each position, every output falls on a point.
    p, q = new // gcd(size, new), size // gcd(size, new)
    if "exact" in call.name:
        return [(Spread(2 * p, 2 * p), 2 * p * size), (Slide(stride=2 * q, padding=-q), new)]
    return [(Spread(p, p), p * size), (Slide(stride=q), new)]
