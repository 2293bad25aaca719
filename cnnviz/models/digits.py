"""Any image as the handwritten digit that LeNet-5 was trained to read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from cnnviz.images import luminance
from cnnviz.models.loading import Prepared

if TYPE_CHECKING:
    from cnnviz.images import Picture
    from cnnviz.images.picture import Pixels

SIDE = 32
SMALLEST_KEPT = 28  # MNIST's own size, which the paper sets into 32x32 without enlarging it

# The paper's section II.B: the background and the ink, so that mean and variance of the input
# are near 0 and 1.
BACKGROUND, INK = -0.1, 1.175

FULL_CONTRAST = 0.99  # of black to white; what has this much is left as it is, as in training
SMALLEST_INK = 12  # of 32 pixels; training went down to 16
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
    gray, steps = _gray(picture)
    seen = _light_on_dark(_fitted(gray, steps), steps)
    framed = _framed(seen.float(), steps)  # float32 from here, as in training
    _say_small(framed, steps)
    tensor = (framed * (INK - BACKGROUND) + BACKGROUND).reshape(1, 1, SIDE, SIDE)
    return Prepared(tensor, steps, blank=not framed.any())


def _gray(picture: Picture) -> tuple[torch.Tensor, list[str]]:
    """Brightness (H, W) from 0 to 1 as float64, and what making it involved."""
    steps = list(picture.notes)
    pixels = picture.pixels
    if pixels.dtype.kind == "f":
        pixels = _finite(pixels, steps)
    if pixels.shape[2] == 3:
        steps.append("made gray")
    gray = luminance(pixels)[:, :, 0].astype(np.float64)
    gray = _unit_range(gray, steps) if pixels.dtype.kind == "f" else _share(gray, pixels.dtype)
    if picture.alpha is not None:
        gray = _on_ground(gray, _share(picture.alpha, picture.alpha.dtype), steps)
    return torch.from_numpy(gray), steps


def _finite(pixels: Pixels, steps: list[str]) -> Pixels:
    """NaN and -Inf as the smallest finite value, Inf as the largest."""
    good = np.isfinite(pixels)
    if good.all():
        return pixels
    steps.append(f"{np.count_nonzero(~good)} values are not finite: NaN taken as the smallest")
    low, high = (pixels[good].min(), pixels[good].max()) if good.any() else (0, 0)
    finite: Pixels = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    return finite


def _unit_range(gray: Pixels, steps: list[str]) -> Pixels:
    """Floats, which have no black and white of their own, from 0 to 1."""
    low, high = float(gray.min()), float(gray.max())
    if high == low:
        return np.zeros_like(gray)
    steps.append(f"float range {low:.4g} to {high:.4g} taken as black to white")
    size = max(abs(low), abs(high))  # divided out first: high - low may overflow
    unit: Pixels = (gray / size - low / size) / (high / size - low / size)
    return unit


def _share(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Integers of ``dtype`` as shares of its largest; floats cut off at 0 and 1."""
    is_float = dtype.kind == "f"
    share: Pixels
    share = np.clip(np.nan_to_num(values), 0, 1) if is_float else values / np.iinfo(dtype).max
    return share


def _on_ground(gray: Pixels, opacity: Pixels, steps: list[str]) -> Pixels:
    """Transparent parts on white, or on black where that shows more (white ink on nothing)."""
    if opacity.min() == 1:
        return gray
    grounds: dict[str, Pixels] = {"white": gray * opacity + (1 - opacity), "black": gray * opacity}
    name = max(grounds, key=lambda ground: float(np.ptp(grounds[ground])))
    steps.append(f"transparent parts put on {name}")
    return grounds[name]


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
    if _border(image).median() > 0.5:
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
    known, seen = _border(plane), _border(image)
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


def _fitted(gray: torch.Tensor, steps: list[str]) -> torch.Tensor:
    """At most 32x32 in the image's proportions."""
    height, width = gray.shape
    longest = max(height, width)
    if SMALLEST_KEPT <= longest <= SIDE:
        return gray
    new = max(1, round(height * SIDE / longest)), max(1, round(width * SIDE / longest))
    steps.append(f"{height}x{width} fitted to {new[0]}x{new[1]}")
    # To a width of 1, torch 2.13 gives the first row's value in every row; to a height of 1 not.
    return _resized(gray.T.contiguous(), new[::-1]).T if new[1] == 1 else _resized(gray, new)


def _resized(gray: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    # antialias averages all pixels that fall into one; plain bilinear would skip most of them.
    return F.interpolate(gray[None, None], size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


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


def _say_small(image: torch.Tensor, steps: list[str]) -> None:
    """Note a digit much smaller in the frame than any in training, which is often misread."""
    rows, columns = torch.nonzero(image > 0.5, as_tuple=True)
    if len(rows):
        height, width = (int(where.max() - where.min()) + 1 for where in (rows, columns))
        if max(height, width) < SMALLEST_INK:
            steps.append(f"the ink spans only {height}x{width} of it: crop closer to the digit")


def _border(image: torch.Tensor) -> torch.Tensor:
    """The outermost pixels of (H, W) or (H, W, N): where a picture shows its background."""
    return torch.cat([image[0], image[-1], image[:, 0], image[:, -1]])
