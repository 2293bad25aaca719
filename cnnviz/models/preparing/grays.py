"""Any image as one channel of brightness, at the size of a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from cnnviz.images import luminance
from cnnviz.models.preparing.floats import finite, stretched

if TYPE_CHECKING:
    from cnnviz.images import Picture
    from cnnviz.images.picture import Pixels


def brightness(picture: Picture) -> tuple[torch.Tensor, list[str]]:
    """Brightness (H, W) from 0 to 1 as float64, and what making it involved."""
    steps = list(picture.notes)
    pixels = picture.pixels
    if pixels.dtype.kind == "f":
        pixels = finite(pixels, steps)
    if pixels.shape[2] == 3:
        steps.append("made gray")
    gray = luminance(pixels)[:, :, 0].astype(np.float64)
    if pixels.dtype.kind != "f":
        gray = _share(gray, pixels.dtype)
    elif gray.min() == gray.max():
        gray = np.zeros_like(gray)
    else:
        gray = stretched(gray, steps)
    if picture.alpha is not None:
        gray = _on_ground(gray, _share(picture.alpha, picture.alpha.dtype), steps)
    return torch.from_numpy(gray), steps


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


def fitted(
    gray: torch.Tensor, side: int, steps: list[str], smallest_kept: int | None = None
) -> torch.Tensor:
    """(H, W) with its longer side at ``side`` pixels, in the image's proportions.

    One whose longer side is ``smallest_kept`` (or ``side``) to ``side`` is left as it is.
    """
    height, width = gray.shape
    longest = max(height, width)
    if (smallest_kept or side) <= longest <= side:
        return gray
    new = max(1, round(height * side / longest)), max(1, round(width * side / longest))
    steps.append(f"{height}x{width} fitted to {new[0]}x{new[1]}")
    # To a width of 1, torch 2.13 gives the first row's value in every row; to a height of 1 not.
    return _resized(gray.T.contiguous(), new[::-1]).T if new[1] == 1 else _resized(gray, new)


def _resized(gray: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    # antialias averages all pixels that fall into one; plain bilinear would skip most of them.
    return F.interpolate(gray[None, None], size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def border(image: torch.Tensor) -> torch.Tensor:
    """The outermost pixels of (H, W) or (H, W, N): where a picture shows its background."""
    return torch.cat([image[0], image[-1], image[:, 0], image[:, -1]])
