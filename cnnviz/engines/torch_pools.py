"""Pools by torch: ``max_pool2d``, ``avg_pool2d`` and ``lp_pool2d``, with their own padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnviz.engines import libtorch

if TYPE_CHECKING:
    from ctypes import CDLL

    import torch

    from cnnviz.engines import Image
    from cnnviz.engines.pools import Pool


def pool(library: CDLL | None, image: Image, how: Pool) -> Image:
    """Each window's value; (H, W, C) in and out, in the image's float dtype.

    Without the ``library`` itself, and for lp pools, by torch's Python module.
    """
    how.output_size(image.shape)  # refuses what does not fit, in words of our own
    how = how.over(image.shape)
    planes = _planes(image, how)
    if library is None or how.mode == "lp":
        return _in_python(planes, how)
    if how.mode == "avg":
        return libtorch.avg_pool2d(library, planes, how)
    if how.mode == "max":
        return libtorch.max_pool2d(library, planes, how)
    smallest = libtorch.max_pool2d(library, -planes, how)
    return np.negative(smallest, out=smallest)


def _planes(image: Image, how: Pool) -> Image:
    """The image as (C, H, W), interleaved as it is, or copied plane by plane.

    torch is twice as fast on interleaved pixels where windows do not overlap, and up to three
    times as fast on planes where they do.
    """
    planes = np.require(image, requirements=["C", "W"]).transpose(2, 0, 1)
    size = how.kernel_size or (1, 1)
    overlap = any(step < length for step, length in zip(how.stride or size, size, strict=True))
    return np.ascontiguousarray(planes) if overlap else planes


def _in_python(planes: Image, how: Pool) -> Image:
    import torch

    with torch.inference_mode():
        result = pooled(torch.from_numpy(planes)[np.newaxis], how)[0]
        pixels: Image = result.permute(1, 2, 0).contiguous().numpy()
    return pixels


def pooled(planes: torch.Tensor, how: Pool) -> torch.Tensor:
    """The pool of (1, C, H, W) ``planes``, on whatever device they are."""
    from torch.nn import functional as F

    size, stride = how.kernel_size or (1, 1), how.stride or how.kernel_size
    if how.mode == "lp":
        return F.lp_pool2d(planes, how.p, size, stride, how.ceil_mode)
    if how.mode == "avg":
        return F.avg_pool2d(planes, size, stride, how.padding, how.ceil_mode, how.count_include_pad)
    sign = 1 if how.mode == "max" else -1
    largest = F.max_pool2d(sign * planes, size, stride, how.padding, how.dilation, how.ceil_mode)
    return sign * largest
