"""Signed filter results to pixels that can be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.engines import Image
    from cnnviz.kernels import Kernel

ROWS_AT_A_TIME = 256


def resolve_display(display: str, kernel: Kernel) -> str:
    """``display``, with ``auto`` made definite: ``abs`` for kernels that sum to 0, else ``clip``.

    The result of a kernel that sums to 0 has two signs and no brightness of its own.
    """
    if display != "auto":
        return display
    return "abs" if kernel.sum == 0 and kernel.offset == 0 else "clip"


def to_pixels(result: Image, source: NDArray[Any], display: str) -> tuple[NDArray[Any], list[str]]:
    """``result`` as pixels in the depth of ``source``, and notes on how.

    uint8 sources give uint8, uint16 give uint16; float sources give uint16, and the range of
    the source becomes 0 to 65535. ``clip`` cuts off what is below 0 and above the top;
    ``abs`` is clip(|x|); ``offset`` puts 0 at mid gray; ``minmax`` stretches the smallest
    value to 0 and the largest to the top. NaN becomes 0.
    """
    depth = np.uint8 if source.dtype == np.uint8 else np.uint16
    top = int(np.iinfo(depth).max)
    low, scale, notes = _scale(result, source, display, top)
    shift = top // 2 + 1 if display == "offset" else 0
    pixels = np.empty(result.shape, depth)
    for start in range(0, result.shape[0], ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        values = np.abs(result[rows]) if display == "abs" else result[rows]
        if (low, scale) != (0, 1):
            with np.errstate(invalid="ignore", over="ignore"):
                values = (values.astype(np.float64) - low) * scale
        shown = np.rint(values + shift if shift else values)
        pixels[rows] = np.nan_to_num(np.clip(shown, 0, top), copy=False)
    return pixels, notes


def _scale(
    result: Image, source: NDArray[Any], display: str, top: int
) -> tuple[float, float, list[str]]:
    """What is taken away and what the rest is multiplied by, so that 0 to ``top`` is shown."""
    if display == "minmax":
        low, high = _range(result)
        note = f"{low:.6g} to {high:.6g} stretched to 0 to {top}"
    elif source.dtype.kind == "f":
        low, high = _range(source)
        note = f"the float input's range, {low:.6g} to {high:.6g}, is shown as 0 to {top}"
    else:
        return 0.0, 1.0, []
    scale = top / (high - low) if high > low else 1.0
    return (low if display in {"minmax", "clip"} else 0.0), scale, [note]


def _range(values: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest finite value; (0, 0) where there is none."""
    low, high = float(values.min()), float(values.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
