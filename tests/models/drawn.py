"""A digit drawn by hand, as MNIST shows its own: 28x28, light on dark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def seven() -> Pixels:
    """A 7 with strokes 2 pixels wide, in all of black to white."""
    digit = np.zeros((28, 28), np.uint8)
    digit[6:8, 8:20] = 255
    for row in range(8, 22):
        left = 18 - (row - 8) * 2 // 3
        digit[row, left : left + 2] = 255
        digit[row, left - 1] = 90
    return digit
