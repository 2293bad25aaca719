"""Borders by index arithmetic: which pixel stands for one that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.shapes import Axis


def padded(image: NDArray[Any], rows: Axis, columns: Axis, border: str) -> NDArray[Any]:
    """``image`` (H, W, C) with the missing pixels that a window along both axes reads."""
    return _along(_along(image, 0, rows.padding, border), 1, columns.padding, border)


def touched(damaged: NDArray[np.bool_], rows: Axis, columns: Axis, border: str) -> Any:
    """Where a window reads a pixel that is ``damaged``, for every position of the window."""
    seen = padded(damaged, rows, columns, border)
    for axis, window in enumerate((rows, columns)):
        last = seen.shape[axis] - window.span + 1
        taps = range(0, window.span, window.dilation)
        parts = (
            seen[(slice(None),) * axis + (slice(tap, tap + last, window.stride),)] for tap in taps
        )
        seen = np.logical_or.reduce(list(parts))
    return seen


def _along(image: NDArray[Any], axis: int, padding: tuple[int, int], border: str) -> NDArray[Any]:
    before, after = padding
    if before == after == 0:
        return image
    shape, size = list(image.shape), image.shape[axis]
    shape[axis] = before + size + after
    result = np.empty(shape, image.dtype)
    along = (slice(None),) * axis
    result[(*along, slice(before, before + size))] = image
    for outside in (slice(0, before), slice(before + size, before + size + after)):
        position = np.arange(outside.start, outside.stop) - before
        missing = 0 if border == "zeros" else image.take(_read_at(position, size, border), axis)
        result[(*along, outside)] = missing
    return result


def _read_at(position: NDArray[np.intp], size: int, border: str) -> NDArray[np.intp]:
    """Which of ``size`` pixels stands for each position, inside the image or out."""
    if border == "wrap":
        return position % size
    if border == "reflect":
        position = position % (2 * size)
        return np.minimum(position, 2 * size - 1 - position)
    if border == "reflect101" and size > 1:
        position = position % (2 * size - 2)
        return np.minimum(position, 2 * size - 2 - position)
    return np.clip(position, 0, size - 1)  # replicate; one pixel mirrored is itself
