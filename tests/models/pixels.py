"""Pictures made of numbers, for models to be given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.images import Picture


def noise(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Hard to resize: neighbours have nothing in common."""
    made = np.random.default_rng(height * width)
    return made.integers(0, 256, (height, width, channels), np.uint8)


def picture(pixels: Any, alpha: Any = None) -> Picture:
    pixels = np.asarray(pixels)
    return Picture(pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels, alpha)
