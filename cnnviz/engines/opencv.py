"""Correlation by ``cv2.filter2D``, borders by ``cv2.copyMakeBorder``.

Small kernels are summed directly. For large ones filter2D computes discrete Fourier transforms
of blocks, in float64 whatever the image's format (crossCorr in templmatch.cpp).
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cnnviz.engines import dft, opencv_pools
from cnnviz.engines.threads import OneThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.engines import Image, Window
    from cnnviz.engines.pools import Pool
    from cnnviz.kernels import Kernel
    from cnnviz.shapes import Axis

KEEPS_INTEGERS = True

# filter2D sums directly for kernels of fewer elements than 50; from there on, in float32 with
# SSE3 from 130, it takes a discrete Fourier transform (filter.dispatch.cpp).
DIRECT_ELEMENTS = 49
PIECE_SIDE = 7

# Where a kernel has more such pieces than this, one transform is faster than they are: equal at
# 13x13 to 14x14 (4 pieces), by 1.5 at 21x21 (9), by 3 at 31x31 and by 10 at 63x63. Such a kernel
# has 225 elements or more, so that filter2D transforms it in every build.
DIRECT_PIECES = 8

# crossCorr in templmatch.cpp: how large it makes the blocks that it transforms.
BLOCK_SCALE = 4.5
LEAST_BLOCK = 256

# The most channels that OpenCV 5 takes (CV_CN_MAX); OpenCV 4 takes 512.
MAX_CHANNELS = 128

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
    weights = np.array(kernel.rounded, image.dtype)
    usual = all(map(_is_usual, (rows, columns))) and window.border != "wrap"
    work = _centred if usual and weights.size <= DIRECT_ELEMENTS else _padded
    total = work(image, weights, rows, columns, BORDER_TYPES[window.border])
    result = np.ascontiguousarray(total[:: rows.stride, :: columns.stride])
    return result + result.dtype.type(kernel.offset) if kernel.offset else result


def transform_error(kernel: Kernel, peak: float, dtype: np.dtype[np.floating]) -> float:
    """How far the transform of a large kernel may be off; 0 for a kernel summed directly."""
    weights = np.array(kernel.rounded, dtype)
    if not _is_large(weights):
        return 0.0
    return dft.correlation_error(_norm(weights), peak, _block(weights))


def pool(image: Image, how: Pool) -> Image:
    """Each window's value; (H, W, C) in and out, in the image's float dtype."""
    return opencv_pools.pool(image, how, in_pieces)


running_error = opencv_pools.running_error
one_thread = OneThread(cv2.getNumThreads, cv2.setNumThreads)


def _is_usual(axis: Axis) -> bool:
    """Whether the axis has no gaps, and no more padding than filter2D makes by itself."""
    (before, after), centre = axis.padding, axis.kernel_size // 2
    return axis.dilation == 1 and before <= centre and after <= axis.kernel_size - 1 - centre


def _centred(image: Image, weights: Image, rows: Axis, columns: Axis, border: int) -> Image:
    """Correlation at stride 1 with the border that filter2D makes, which saves a copy."""
    whole = cv2.filter2D(image, -1, weights, borderType=border)
    height, width, channels = image.shape
    return _with_channels(whole, channels)[_reached(rows, height), _reached(columns, width)]


def _reached(axis: Axis, size: int) -> slice:
    """Where the window is centred, of the pixels that filter2D centres its kernel on."""
    (before, after), centre = axis.padding, axis.kernel_size // 2
    return slice(centre - before, size + after - (axis.kernel_size - 1 - centre))


def _padded(image: Image, weights: Image, rows: Axis, columns: Axis, border: int) -> Image:
    """Correlation at stride 1 of the image and a border around it.

    Rows and columns that no window reads make the lengths multiples of the dilations.
    """
    (top, bottom), (left, right) = rows.padding, columns.padding
    height, width = image.shape[0] + top + bottom, image.shape[1] + left + right
    below, beside = -height % rows.dilation, -width % columns.dilation
    padded = cv2.copyMakeBorder(image, top, bottom + below, left, right + beside, border)
    total = _undilated(_with_channels(padded, image.shape[2]), weights, rows, columns)
    return total[: height - rows.span + 1, : width - columns.span + 1]


def _undilated(image: Image, weights: Image, rows: Axis, columns: Axis) -> Image:
    """Correlation at every position where the dilated weights lie inside the image.

    Rows that lie a dilation apart are an image of their own, and so are columns, in which the
    kernel has no gaps. Columns need no copying: one after the other they are channels.
    """
    down, right = rows.dilation, columns.dilation
    if (down, right) == (1, 1):
        return _valid(image, weights)
    height, width, channels = image.shape
    apart = image.reshape(height // down, down, width // right, right * channels)
    shape = height // down - weights.shape[0] + 1, width // right - weights.shape[1] + 1
    result = np.empty((shape[0], down, shape[1], right * channels), image.dtype)
    for row in range(down):
        for first in range(0, right * channels, MAX_CHANNELS):
            part = slice(first, first + MAX_CHANNELS)
            result[:, row, :, part] = _valid(apart[:, row, :, part], weights)
    return result.reshape(shape[0] * down, shape[1] * right, channels)


def _valid(image: Image, weights: Image) -> Image:
    """Correlation at every position where the weights lie inside the image, stride 1."""
    if not _is_large(weights):
        return in_pieces(image, weights)
    peak = float(np.maximum(image.max(), -image.min()))
    if not dft.is_safe(_norm(weights), peak, _block(weights)):
        return in_pieces(image, weights)
    total = float(np.abs(weights).sum(dtype=np.float64)) * peak
    is_held = total < 2.0 / np.finfo(image.dtype).eps
    if is_held and _are_integers(weights) and _are_integers(image):
        return _in_digits(image, weights, peak)
    return _filtered(image, weights)


def _in_digits(image: Image, weights: Image, peak: float) -> Image:
    """Integers times integers by transforms; exact, because the format holds their sums.

    The weights are written with digits so small that the transform of each digit is off by
    at most 1/4; the nearest integer is then the sum, also after it was rounded to float32.
    """
    norm_of_ones = np.count_nonzero(weights) ** 0.5
    error_of_ones = dft.correlation_error(norm_of_ones, max(peak, 1.0), _block(weights))
    base = 2.0 ** math.floor(math.log2(0.5 / error_of_ones))  # digits are at most half of it
    if base < 2:
        return in_pieces(image, weights)
    rest = np.rint(weights / base)
    total: Image = np.rint(_filtered(image, weights - base * rest))
    total += base * _in_digits(image, rest, peak) if rest.any() else 0.0  # -0.0 becomes 0.0
    return total


def in_pieces(image: Image, weights: Image) -> Image:
    """The sum of what pieces of the kernel give, none of them large enough for a transform."""
    height, width = np.subtract(image.shape[:2], weights.shape) + 1
    total = np.zeros((height, width, image.shape[2]), image.dtype)
    for top, left, piece in _pieces(weights):
        below, right = np.add((top, left), piece.shape) - 1
        total += _filtered(image[top : height + below, left : width + right], piece)
    return total


def _filtered(image: Image, weights: Image) -> Image:
    """What filter2D gives, by a direct sum or by a transform, without its own border."""
    height, width = np.subtract(image.shape[:2], weights.shape) + 1
    # The anchor at the corner makes result (r, c) read from pixel (r, c) on; what lies beyond
    # the last whole window is filter2D's own border.
    whole = _with_channels(cv2.filter2D(image, -1, weights, anchor=(0, 0)), image.shape[2])
    return whole[:height, :width]


def _is_large(weights: Image) -> bool:
    """Whether a transform is faster than pieces, of which those of zeros are left out."""
    return next(islice(_pieces(weights), DIRECT_PIECES, None), None) is not None


def _block(weights: Image) -> tuple[int, int]:
    """Rows and columns of the largest block that filter2D transforms for such a kernel."""
    rows, columns = (
        cv2.getOptimalDFTSize(max(round(BLOCK_SCALE * n), LEAST_BLOCK - n + 1) + n - 1)
        for n in weights.shape
    )
    return rows, columns


def _norm(weights: Image) -> float:
    """The 2-norm."""
    return float(np.linalg.norm(weights.astype(np.float64)))


def _are_integers(values: Image) -> bool:
    return bool((values == np.rint(values)).all())


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
