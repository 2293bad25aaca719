"""Correlation by ``cv2.filter2D``, borders by ``cv2.copyMakeBorder``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cnnviz.engines.threads import OneThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.engines import Image, Window
    from cnnviz.kernels import Kernel
    from cnnviz.shapes import Axis

SUMS_DIRECTLY = True

# filter2D computes larger kernels (counted in elements, zeros of dilation included) by a
# discrete Fourier transform, whose rounding is of another kind. The switch is at 130 elements
# for float32 where SSE3 is there, and at 50 for float64 and everywhere else.
DIRECT_ELEMENTS = 49
PIECE_SIDE = 7

BORDER_TYPES = {
    "reflect101": cv2.BORDER_REFLECT_101,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
    "zeros": cv2.BORDER_CONSTANT,
}


def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
    """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
    rows, columns = window.fitted(kernel.shape, image.shape)
    weights = _dilated(np.array(kernel.rounded, image.dtype), rows, columns)
    border = BORDER_TYPES[window.border]
    padded = cv2.copyMakeBorder(image, *rows.padding, *columns.padding, border)
    total = _valid(_with_channels(padded, image.shape[2]), weights)
    result = np.ascontiguousarray(total[:: rows.stride, :: columns.stride])
    return result + result.dtype.type(kernel.offset) if kernel.offset else result


one_thread = OneThread(cv2.getNumThreads, cv2.setNumThreads)


def _valid(image: Image, weights: Image) -> Image:
    """Correlation at every position where the weights lie inside the image, stride 1."""
    height, width = np.subtract(image.shape[:2], weights.shape) + 1
    total: Image | None = None
    for top, left, piece in _pieces(weights):
        below, right = np.add((top, left), piece.shape) - 1
        seen = image[top : height + below, left : width + right]
        # The anchor at the corner makes result (r, c) read from pixel (r, c) on; what lies
        # beyond the last whole window is filter2D's own border, and is cut off.
        whole = _with_channels(cv2.filter2D(seen, -1, piece, anchor=(0, 0)), image.shape[2])
        part = whole[:height, :width]
        total = part if total is None else np.add(total, part, out=total)
    return np.zeros((height, width, image.shape[2]), image.dtype) if total is None else total


def _pieces(weights: Image) -> Iterator[tuple[int, int, Image]]:
    """The weights as (top, left, piece), each small enough for filter2D's direct sum."""
    if weights.size <= DIRECT_ELEMENTS:
        step_down, step_right = weights.shape
    elif min(weights.shape) < PIECE_SIDE:
        step_down, step_right = (
            min(length, DIRECT_ELEMENTS // min(weights.shape)) for length in weights.shape
        )
    else:
        step_down = step_right = PIECE_SIDE
    for top in range(0, weights.shape[0], step_down):
        for left in range(0, weights.shape[1], step_right):
            piece = weights[top : top + step_down, left : left + step_right]
            if piece.any():
                yield top, left, piece


def _with_channels(image: Any, channels: int) -> Image:
    """OpenCV's (H, W) or (H, W, C) as (H, W, C): it drops an axis of one channel."""
    shaped: Image = image.reshape(*image.shape[:2], channels)
    return shaped


def _dilated(weights: Image, rows: Axis, columns: Axis) -> Image:
    """The weights with ``dilation - 1`` zeros between neighbours."""
    spread = np.zeros((rows.span, columns.span), weights.dtype)
    spread[:: rows.dilation, :: columns.dilation] = weights
    return spread
