"""Pixels that are floats, which have no black and white of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cnnviz.images.picture import Pixels


def finite(pixels: Pixels, steps: list[str]) -> Pixels:
    """NaN and -Inf as the smallest finite value, Inf as the largest."""
    good = np.isfinite(pixels)
    if good.all():
        return pixels
    steps.append(f"{np.count_nonzero(~good)} values are not finite: NaN taken as the smallest")
    low, high = (pixels[good].min(), pixels[good].max()) if good.any() else (0, 0)
    whole: Pixels = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    return whole


def stretched(pixels: Pixels, steps: list[str]) -> Pixels:
    """From 0, the smallest value, to 1, the largest; of one value 0."""
    low, high = float(pixels.min()), float(pixels.max())
    steps.append(f"float range {low:.4g} to {high:.4g} taken as black to white")
    if low == high:
        return np.zeros_like(pixels)
    size = max(abs(low), abs(high))  # divided out first: high - low may overflow
    unit: Pixels = (pixels / size - low / size) / (high / size - low / size)
    return unit
