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
    image = np.require(image, requirements=["C", "W"])
    if library is None or how.mode == "lp":
        return _in_python(image, how)
    if how.mode == "avg":
        return libtorch.avg_pool2d(library, image, how)
    if how.mode == "max":
        return libtorch.max_pool2d(library, image, how)
    smallest = libtorch.max_pool2d(library, -image, how)
    return np.negative(smallest, out=smallest)


def _in_python(image: Image, how: Pool) -> Image:
    import torch

    # A copy where there is one channel: torch 2.13 cannot tell its layout.
    planes = torch.from_numpy(image).permute(2, 0, 1)[np.newaxis]
    with torch.inference_mode():
        result: Image = pooled(planes, how)[0].permute(1, 2, 0).contiguous().numpy()
    return result


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
