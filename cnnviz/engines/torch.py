"""Correlation by torch's Conv2d, borders by index arithmetic.

torch's own padding has no mode that repeats the edge pixel, and its ``reflect`` and
``circular`` refuse a border larger than the image; indices know neither limit.

Whatever the layout it is given, Conv2d sums directly here: oneDNN is asked by torch for its
direct algorithm, and NNPACK, which knows others, is asked only for batches of 16 and more.
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.engines import blocks, borders, libtorch, torch_pools
from cnnviz.engines.threads import OneThread
from cnnviz.shapes import Axis

if TYPE_CHECKING:
    from ctypes import CDLL

    from cnnviz.engines import Image, Window
    from cnnviz.engines.pools import Pool
    from cnnviz.kernels import Kernel

# torch's ARM builds compute some 3x3 convolutions by Winograd's algorithm.
KEEPS_INTEGERS = platform.machine().lower() in {"x86_64", "amd64"}

# From this width on, 16 columns as channels are faster than one channel by itself.
WIDE = 8

# In float64 torch writes every window out as a column before it multiplies. So many bytes of
# columns stay in a processor's cache.
COLUMN_BYTES = 4_000_000
LEAST_ROWS = 8  # rows of the result that share a column's kernel rows


def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
    """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
    rows, columns = window.fitted(kernel.shape, image.shape)
    padded = np.require(borders.padded(image, rows, columns, window.border), requirements=["C"])
    weights = np.array(kernel.rounded, image.dtype)
    if _suits_blocks(padded, weights):
        total = blocks.correlate(padded, weights, rows, columns, _conv2d)
    else:
        depthwise = np.broadcast_to(weights, (image.shape[2], 1, *weights.shape))
        total = _conv2d(padded, np.array(depthwise, order="C"), window.stride, window.dilation)
    return total + total.dtype.type(kernel.offset) if kernel.offset else total


def transform_error(kernel: Kernel, peak: float, dtype: np.dtype[np.floating]) -> float:
    """0: Conv2d sums directly."""
    return 0.0


def pool(image: Image, how: Pool) -> Image:
    """Each window's value; (H, W, C) in and out, in the image's float dtype."""
    return torch_pools.pool(_library(), image, how)


def running_error(how: Pool, shape: tuple[int, ...], peak: float) -> float:
    """0: every window is summed by itself."""
    return 0.0


def _get_threads() -> int:
    if library := _library():
        return libtorch.get_threads(library)
    import torch

    return torch.get_num_threads()


def _set_threads(count: int) -> None:
    if library := _library():
        libtorch.set_threads(library, count)
        return
    import torch

    torch.set_num_threads(count)


one_thread = OneThread(_get_threads, _set_threads)


def _suits_blocks(image: Image, weights: Image) -> bool:
    """Whether 16 columns as channels are faster, and there is no NaN for their zeros to spread."""
    wide = weights.shape[1] >= WIDE or image.dtype == np.float64
    return wide and bool(np.isfinite(image).all())


def _conv2d(
    image: Image, weights: Image, stride: tuple[int, int], dilation: tuple[int, int]
) -> Image:
    """``libtorch.conv2d``, in parts where torch would fill the memory with columns."""
    if image.dtype == np.float32:
        return _whole_conv2d(image, weights, stride, dilation)
    rows, columns = (
        Axis(weights.shape[2 + axis], stride[axis], dilation=dilation[axis]) for axis in (0, 1)
    )
    shape = rows.output_size(image.shape[0]), columns.output_size(image.shape[1])
    row_bytes = shape[1] * weights[0, :, 0].nbytes  # of one kernel row for one row of the result
    taps = min(max(COLUMN_BYTES // (row_bytes * LEAST_ROWS), 1), rows.kernel_size)
    height = max(COLUMN_BYTES // (row_bytes * taps), 1)
    result = np.zeros((*shape, len(weights)), image.dtype)
    with one_thread():  # several are slower for so little, on a busy machine 10 times
        for tap in range(0, rows.kernel_size, taps):
            strip = np.ascontiguousarray(weights[:, :, tap : tap + taps])
            for top in range(0, shape[0], height):
                part = result[top : top + height]
                first = top * rows.stride + tap * rows.dilation
                read = (len(part) - 1) * rows.stride + (strip.shape[2] - 1) * rows.dilation + 1
                part += _whole_conv2d(image[first : first + read], strip, stride, dilation)
    return result


def _whole_conv2d(
    image: Image, weights: Image, stride: tuple[int, int], dilation: tuple[int, int]
) -> Image:
    library = _library()
    if library is None:
        return _conv2d_in_python(image, weights, stride, dilation)
    return libtorch.conv2d(library, image, weights, stride, dilation)


def _library() -> CDLL | None:
    """The library by itself, unless torch is imported: then there is no time to save."""
    return None if "torch" in sys.modules else libtorch.open_library()


def _conv2d_in_python(
    image: Image, weights: Image, stride: tuple[int, int], dilation: tuple[int, int]
) -> Image:
    """``libtorch.conv2d`` by torch's Python module."""
    import torch

    height, width, channels = image.shape
    pixels = torch.from_numpy(np.require(image, requirements=["C", "W"])).as_strided(
        (1, channels, height, width), libtorch.batch_strides(image.shape, stride)
    )
    with torch.inference_mode():
        total = torch.nn.functional.conv2d(
            pixels,
            torch.from_numpy(weights),
            stride=stride,
            dilation=dilation,
            groups=channels // weights.shape[1],
        )
        result: Image = total.squeeze(0).permute(1, 2, 0).contiguous().numpy()
    return result
