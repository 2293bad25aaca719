"""The learned kernels of convolution layers, as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cnnviz.render.kernels import draw_kernels
from cnnviz.render.levels import short
from cnnviz.render.look import Look
from cnnviz.render.sheet import Caption
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PICTURE = (1, 3)  # channels that a first layer takes


def kernels_of(module: nn.Module | None) -> NDArray[np.float32] | None:
    """The weights (O, I, kh, kw) of a two-dimensional convolution; None of anything else.

    Those of a transposed one, which torch keeps as (I, O, kh, kw), are turned around; I is that of
    a group.
    """
    if isinstance(module, nn.Conv2d):
        weight = module.weight
    elif isinstance(module, nn.ConvTranspose2d):
        _, out, *size = module.weight.shape
        grouped = module.weight.unflatten(0, (module.groups, -1)).transpose(1, 2)
        weight = grouped.reshape(module.groups * out, -1, *size)
    else:
        return None
    if weight.is_meta:
        return None
    kept: NDArray[np.float32] = weight.detach().to("cpu", torch.float32, copy=True).numpy()
    return kept


def beside(module: nn.Module | None, channels: int) -> NDArray[np.float32] | None:
    """The kernels of a first layer, which sees the picture itself; None of all others."""
    if not isinstance(module, nn.Conv2d) or module.groups != 1 or channels not in PICTURE:
        return None
    kernels = kernels_of(module)
    fits = kernels is not None and kernels.shape[1] == channels and max(kernels.shape[2:]) > 1
    return kernels if fits else None


def draw_filters(
    entry: dict[str, Any], kernels: NDArray[Any], look: Look, channels: Sequence[int]
) -> bytes:
    """A PNG of the kernels (O, I, kh, kw) that made some ``channels`` of a layer's maps."""
    total, inputs, height, width = kernels.shape
    name = "  ·  ".join(filter(None, (entry["paper_name"], entry["name"])))
    title = f"Kernels of {name}  ·  {total} of {inputs}x{height}x{width}"
    span = finite_range(kernels)
    said = f"weights: {short(span[0])} to {short(span[1])}" if span else "no finite weight"
    scale = look.scale if look.scale in {"channel", "layer"} else "layer"
    part: dict[str, Any] = {}
    if list(channels) != list(range(total)):
        part = {"channels": list(channels), "total": total}
    return draw_kernels(kernels[list(channels)], Caption(title, said), Look(scale), **part)
