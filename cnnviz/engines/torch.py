"""Correlation by torch's Conv2d, borders by index arithmetic.

torch's own padding has no mode that repeats the edge pixel, and its ``reflect`` and
``circular`` refuse a border larger than the image; indices know neither limit.
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.engines import borders, libtorch
from cnnviz.engines.threads import OneThread

if TYPE_CHECKING:
    from ctypes import CDLL

    from cnnviz.engines import Image, Window
    from cnnviz.kernels import Kernel

# torch's ARM builds compute some 3x3 convolutions by Winograd's algorithm.
KEEPS_INTEGERS = platform.machine().lower() in {"x86_64", "amd64"}


def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
    """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
    rows, columns = window.fitted(kernel.shape, image.shape)
    padded = borders.padded(image, rows, columns, window.border)
    weights = np.array(kernel.rounded, image.dtype)
    library = _library()
    if library is None:
        total = _conv2d_in_python(padded, weights, window)
    else:
        pixels = np.require(padded, requirements=["C"])
        total = libtorch.conv2d(library, pixels, weights, window.stride, window.dilation)
    return total + total.dtype.type(kernel.offset) if kernel.offset else total


def transform_error(kernel: Kernel, peak: float, dtype: np.dtype[np.floating]) -> float:
    """0: Conv2d sums directly."""
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
