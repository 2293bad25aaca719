"""Any image as a small square of red, green and blue, for networks without shipped weights."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from cnnviz.models.loading import Prepared

if TYPE_CHECKING:
    from cnnviz.images import Picture
    from cnnviz.images.picture import Pixels


def _prepare(picture: Picture, side: int) -> Prepared:
    """The (1, 3, side, side) input for an image, 0 to 1: its middle square, scaled.

    Gray images repeat their channel; floats outside 0 to 1 are cut off there; transparent
    parts are put on white.
    """
    steps = list(picture.notes)
    pixels = _unit(picture.pixels)
    if picture.alpha is not None:
        opacity = _unit(picture.alpha)[:, :, np.newaxis]
        pixels = pixels * opacity + 1 - opacity
        steps.append("transparent parts put on white")
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    if len(image) == 1:
        image = image.expand(3, -1, -1)
        steps.append("gray repeated as red, green and blue")
    square = _scaled(_middle(image, steps), side, steps)
    steps.append("values 0 to 1")
    return Prepared(square.unsqueeze(0), steps)


def _unit(values: Pixels) -> Pixels:
    """Values as float32 from 0 to 1: shares of an integer type's largest, or floats cut off."""
    if values.dtype.kind == "f":
        values = np.clip(np.nan_to_num(values), 0, 1)
    else:
        values = values / np.iinfo(values.dtype).max
    return values.astype(np.float32)


def _middle(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """The largest square in the middle of (C, H, W)."""
    height, width = image.shape[1:]
    if height == width:
        return image
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    steps.append(f"the middle {side}x{side} of {height}x{width} cut out")
    return image[:, top : top + side, left : left + side]


def _scaled(image: torch.Tensor, side: int, steps: list[str]) -> torch.Tensor:
    """A square (C, S, S) at ``side`` pixels."""
    old = image.shape[1]
    if old == side:
        return image
    steps.append(f"{old}x{old} scaled to {side}x{side}")
    size = (side, side)
    return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)


prepare_4, prepare_32, prepare_128, prepare_224 = (
    partial(_prepare, side=side) for side in (4, 32, 128, 224)
)
