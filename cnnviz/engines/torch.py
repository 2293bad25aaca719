"""Correlation by torch's Conv2d, borders by index arithmetic.

torch's own padding has no mode that repeats the edge pixel, and its ``reflect`` and
``circular`` refuse a border larger than the image; indices know neither limit.
"""

from __future__ import annotations

import platform
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.engines import libtorch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ctypes import CDLL

    from numpy.typing import NDArray

    from cnnviz.engines import Image, Window
    from cnnviz.kernels import Kernel

# torch's ARM builds compute some 3x3 convolutions by Winograd's algorithm.
SUMS_DIRECTLY = platform.machine().lower() in {"x86_64", "amd64"}


def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
    """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
    rows, columns = window.fitted(kernel.shape, image.shape)
    padded = _padded(_padded(image, 0, rows.padding, window), 1, columns.padding, window)
    weights = np.array(kernel.rounded, image.dtype)
    library = _library()
    if library is None:
        total = _conv2d_in_python(padded, weights, window)
    else:
        pixels = np.require(padded, requirements=["C"])
        total = libtorch.conv2d(library, pixels, weights, window.stride, window.dilation)
    return total + total.dtype.type(kernel.offset) if kernel.offset else total


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch keeps to the threads that call it."""
    if library := _library():
        with libtorch.one_thread(library):
            yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _library() -> CDLL | None:
    """The library by itself, unless torch is imported: then there is no time to save."""
    return None if "torch" in sys.modules else libtorch.open_library()


def _conv2d_in_python(image: Image, weights: Image, window: Window) -> Image:
    """``libtorch.conv2d`` by torch's Python module."""
    import torch

    height, width, channels = image.shape
    pixels = torch.from_numpy(np.require(image, requirements=["C", "W"]))
    with torch.inference_mode():
        total = torch.nn.functional.conv2d(
            pixels.as_strided(
                (1, channels, height, width), libtorch.batch_strides(image.shape, window.stride)
            ),
            torch.from_numpy(weights).expand(channels, 1, -1, -1),
            stride=window.stride,
            dilation=window.dilation,
            groups=channels,
        )
        result: Image = total.squeeze(0).permute(1, 2, 0).contiguous().numpy()
    return result


def _padded(image: Image, axis: int, padding: tuple[int, int], window: Window) -> Image:
    """``image`` (H, W, C) with missing pixels invented before and after along one axis."""
    before, after = padding
    if before == after == 0:
        return image
    size = image.shape[axis]
    position = np.arange(-before, size + after)
    read_at = _read_at(position, size, window.border)
    padded: Image = image.take(read_at, axis)
    if window.border == "zeros":
        outside = (position < 0) | (position >= size)
        padded[(slice(None),) * axis + (outside,)] = 0
    return padded


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
    return np.clip(position, 0, size - 1)  # replicate; one pixel mirrored is itself; zeros
