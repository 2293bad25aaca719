"""Any image as the handwritten digit that LeNet-5 was trained to read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from cnnviz.models.preparing.grays import border, brightness, fitted
from cnnviz.models.preparing.prepared import Prepared

if TYPE_CHECKING:
    from cnnviz.images import Picture

SIDE = 32
SMALLEST_KEPT = 28  # MNIST's own size, which the paper sets into 32x32 without enlarging it

# The paper's section II.B: the background and the ink, so that mean and variance of the input
# are near 0 and 1.
BACKGROUND, INK = -0.1, 1.175

FULL_CONTRAST = 0.99  # of black to white; what has this much is left as it is, as in training
SMALLEST_INK = 12  # of 32 or 28 pixels; training went down to 16
NEAR_PLANE = 0.15  # of black to white: what belongs to a ground that is lit unevenly
LEAST_SLOPE = 0.03  # from the middle to an edge; less light falling off does no harm
LEAST_CONTRAST = 1e-6  # below one step of 16 bits, above the rounding of the fit to 32x32


def prepare(picture: Picture) -> Prepared:
    """The (1, 1, 32, 32) input for an image: light ink on a dark ground, -0.1 to 1.175.

    The image is made gray, fitted to 32x32 keeping its proportions, stretched to full contrast
    where it lacks that, inverted when its border is light, freed from light that falls off
    across it, and centred on its own background.
    A 28x28 digit of MNIST is only centred.
    """
    return _prepared(picture, SIDE)


def prepare_28(picture: Picture) -> Prepared:
    """As ``prepare``, at 28x28: (1, 1, 28, 28). A digit of MNIST is left as it is."""
    return _prepared(picture, SMALLEST_KEPT)


def _prepared(picture: Picture, side: int) -> Prepared:
    gray, steps = brightness(picture)
    seen = _light_on_dark(fitted(gray, side, steps, SMALLEST_KEPT), steps)
    digit = _framed(seen.float(), side, steps)  # float32 from here, as in training
    _say_small(digit, steps)
    tensor = (digit * (INK - BACKGROUND) + BACKGROUND).reshape(1, 1, side, side)
    return Prepared(tensor, steps, blank=not digit.any())


def _light_on_dark(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """The image from 0 to 1, with a dark border."""
    low, high = float(image.min()), float(image.max())
    if high - low < LEAST_CONTRAST:
        steps.append("all of one colour: nothing to read")
        return torch.zeros_like(image)
    if high - low < FULL_CONTRAST:
        decimals = max(0, math.ceil(-math.log10(high - low)) - 1)
        steps.append(f"contrast stretched from {low:.{decimals}%}-{high:.{decimals}%}")
        image = (image - low) / (high - low)
    if border(image).median() > 0.5:
        steps.append("inverted (dark on light)")
        image = 1 - image
    return _evenly_lit(image, steps)


def _evenly_lit(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """Without the light that falls off across a page: a plane through the border pixels.

    The plane is fitted twice, the second time to the pixels that lie near the first, so that
    ink at the border does not tilt it.
    """
    height, width = image.shape
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, height, dtype=image.dtype),
        torch.linspace(-1, 1, width, dtype=image.dtype),
        indexing="ij",
    )
    plane = torch.stack([torch.ones_like(rows), rows, columns], dim=2)
    known, seen = border(plane), border(image)
    near = torch.ones_like(seen, dtype=torch.bool)
    for _ in range(2):
        slope = torch.linalg.lstsq(known[near], seen[near].unsqueeze(1), driver="gelsd").solution
        near = (seen - (known @ slope)[:, 0]).abs() < NEAR_PLANE
        if near.sum() < len(seen) / 2:
            return image  # no ground that a plane describes
    if slope[1:].abs().sum() < LEAST_SLOPE:
        return image
    flat: torch.Tensor = (image - (plane @ slope)[:, :, 0]).clamp(min=0)
    if flat.max() < NEAR_PLANE:
        return image  # all ground and no ink
    steps.append("uneven light taken out")
    return flat / flat.max()


def _framed(image: torch.Tensor, side: int, steps: list[str]) -> torch.Tensor:
    """Centred in ``side`` x ``side``, the rest filled with the image's background."""
    height, width = image.shape
    if (height, width) == (side, side):
        return image
    frame = torch.full((side, side), float(border(image).median()))
    top, left = (side - height) // 2, (side - width) // 2
    frame[top : top + height, left : left + width] = image
    steps.append(f"{height}x{width} centred in {side}x{side}")
    return frame


def _say_small(image: torch.Tensor, steps: list[str]) -> None:
    """Note a digit much smaller in the frame than any in training, which is often misread."""
    rows, columns = torch.nonzero(image > 0.5, as_tuple=True)
    if len(rows):
        height, width = (int(where.max() - where.min()) + 1 for where in (rows, columns))
        if max(height, width) < SMALLEST_INK:
            steps.append(f"the ink spans only {height}x{width} of it: crop closer to the digit")
