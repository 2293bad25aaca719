"""Correlation by ``torch.nn.functional.conv2d``, borders by torch's indexing.

torch's own padding has no mode that repeats the edge pixel, and its ``reflect`` and
``circular`` refuse a border larger than the image; indices know neither limit.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from cnnviz.engines import Image, Window
    from cnnviz.kernels import Kernel

# torch's ARM builds compute some 3x3 convolutions by Winograd's algorithm.
SUMS_DIRECTLY = platform.machine().lower() in {"x86_64", "amd64"}


def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
    """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype."""
    rows, columns = window.axes(kernel.shape)
    rows.output_size(image.shape[0])  # refuses a kernel that does not fit
    columns.output_size(image.shape[1])
    channels = image.shape[2]
    with torch.inference_mode():
        pixels = torch.from_numpy(np.require(image, requirements=["C", "W"]))
        padded = _padded(_padded(pixels, 0, rows.padding, window), 1, columns.padding, window)
        weights = torch.tensor(kernel.rounded, dtype=pixels.dtype).expand(channels, 1, -1, -1)
        # (H, W, C) read as (1, C, H, W) is torch's channels-last layout: nothing is copied.
        total = F.conv2d(
            padded.permute(2, 0, 1).unsqueeze(0),
            weights,
            stride=window.stride,
            dilation=window.dilation,
            groups=channels,
        )
        result = total.squeeze(0).permute(1, 2, 0).contiguous()
        return (result + float(kernel.offset) if kernel.offset else result).numpy()


def _padded(
    pixels: torch.Tensor, axis: int, padding: tuple[int, int], window: Window
) -> torch.Tensor:
    """``pixels`` (H, W, C) with missing pixels invented before and after along one axis."""
    before, after = padding
    if before == after == 0:
        return pixels
    if window.border == "zeros":
        return F.pad(pixels, (0, 0) * (2 - axis) + padding)
    size = pixels.shape[axis]
    return pixels.index_select(
        axis, _read_at(torch.arange(-before, size + after), size, window.border)
    )


def _read_at(position: torch.Tensor, size: int, border: str) -> torch.Tensor:
    """Which of ``size`` pixels stands for each position, inside the image or out."""
    if border == "replicate":
        return position.clamp(0, size - 1)
    if border == "wrap":
        return position % size
    if border == "reflect":
        position = position % (2 * size)
        return torch.minimum(position, 2 * size - 1 - position)
    period = max(2 * (size - 1), 1)  # reflect101; an image of one pixel repeats it
    position = position % period
    return torch.minimum(position, period - position) if size > 1 else position * 0
