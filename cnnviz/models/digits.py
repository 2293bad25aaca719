"""Any image as the handwritten digit that LeNet-5 was trained to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from cnnviz.images import luminance
from cnnviz.models.loading import Prepared

if TYPE_CHECKING:
    from cnnviz.images import Picture

SIDE = 32
SMALLEST_KEPT = 28  # MNIST's own size, which the paper sets into 32x32 without enlarging it

# The paper's section II.B: the background and the ink, so that mean and variance of the input
# are near 0 and 1.
BACKGROUND, INK = -0.1, 1.175


def prepare(picture: Picture) -> Prepared:
    """The (1, 1, 32, 32) input for an image: light ink on a dark ground, -0.1 to 1.175.

    The image is made gray, fitted to 32x32 keeping its proportions, inverted when its border
    is lighter than the middle of its range, stretched to full contrast, and centred on its
    own background.
    """
    gray, steps = _gray(picture)
    fitted = _fitted(gray, steps)
    low, high = fitted.min(), fitted.max()
    if high > low:
        stretched = (fitted - low) / (high - low)
        if _border(stretched).median() > 0.5:
            stretched = 1 - stretched
            steps.append("inverted (dark on light)")
        if high - low < 0.99:
            steps.append(f"contrast stretched from {low:.0%}-{high:.0%}")
    else:
        stretched = torch.zeros_like(fitted)
        steps.append("all of one colour: nothing to read")
    framed = _framed(stretched, steps)
    return Prepared((framed * (INK - BACKGROUND) + BACKGROUND).reshape(1, 1, SIDE, SIDE), steps)


def _gray(picture: Picture) -> tuple[torch.Tensor, list[str]]:
    """Brightness (H, W) from 0 to 1 as float32, transparent parts on white."""
    steps = list(picture.notes)
    pixels = picture.pixels
    if pixels.shape[2] == 3:
        steps.append("made gray")
    gray = luminance(pixels)[:, :, 0].astype(np.float64)
    if pixels.dtype.kind == "f":
        finite = gray[np.isfinite(gray)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
        gray = (np.nan_to_num(gray, nan=low, posinf=high, neginf=low) - low) / (high - low or 1.0)
        steps.append(f"float range {low:.4g} to {high:.4g} taken as black to white")
    else:
        gray /= np.iinfo(pixels.dtype).max
    if picture.alpha is not None:
        alpha = picture.alpha
        opacity = alpha if alpha.dtype.kind == "f" else alpha / np.iinfo(alpha.dtype).max
        gray = gray * opacity + (1 - opacity)
        steps.append("transparent parts put on white")
    return torch.from_numpy(gray.astype(np.float32)), steps


def _fitted(gray: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """At most 32x32 in the image's proportions."""
    height, width = gray.shape
    longest = max(height, width)
    if SMALLEST_KEPT <= longest <= SIDE:
        return gray
    new = tuple(max(1, round(side * SIDE / longest)) for side in (height, width))
    steps.append(f"{height}x{width} fitted to {new[0]}x{new[1]}")
    # antialias averages all pixels that fall into one; plain bilinear would skip most of them.
    return F.interpolate(gray[None, None], new, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def _framed(image: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """Centred in 32x32, the rest filled with the image's background."""
    height, width = image.shape
    if (height, width) == (SIDE, SIDE):
        return image
    frame = torch.full((SIDE, SIDE), float(_border(image).median()))
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    frame[top : top + height, left : left + width] = image
    steps.append(f"{height}x{width} centred in {SIDE}x{SIDE}")
    return frame


def _border(image: torch.Tensor) -> torch.Tensor:
    """The pixels of the outermost frame: where a picture of one thing shows its background."""
    return torch.cat([image[0], image[-1], image[:, 0], image[:, -1]])
