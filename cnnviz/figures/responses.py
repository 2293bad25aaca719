"""What a kernel answers to: the test pictures, its results on them, its frequency response."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.kernels import Kernel, Magnitude

    Values = NDArray[np.float64]

LEAST_SIDE = 11  # of a test picture; odd, so that it has a middle
FREQUENCIES = 129
PROBES = (
    *("a vertical edge", "a vertical line", "a horizontal edge", "a horizontal line"),
    "a dot",
)


def probes(kernel: Kernel | Magnitude) -> dict[str, Values]:
    """Pictures of 0 and 1, as large as shows all of the kernel: two edges, two lines, a dot."""
    side = max(LEAST_SIDE, 2 * (max(kernel.shape) // 2) + 5)
    middle = side // 2
    pictures = {name: np.zeros((side, side)) for name in PROBES}
    pictures["a vertical edge"][:, middle:] = 1
    pictures["a vertical line"][:, middle] = 1
    pictures["a horizontal edge"][middle:] = 1
    pictures["a horizontal line"][middle] = 1
    pictures["a dot"][middle, middle] = 1
    return pictures


def response(kernel: Kernel | Magnitude, picture: Values) -> Values:
    """The kernel correlated with a picture that goes on beyond its edges, without its offset."""
    parts = (_correlated(picture, np.array(part.rounded)) for part in kernel.parts)
    return reduce(np.hypot, parts)


def _correlated(picture: Values, weights: Values) -> Values:
    height, width = weights.shape
    top, left = height // 2, width // 2
    padded = np.pad(picture, ((top, height - 1 - top), (left, width - 1 - left)), mode="edge")
    result = np.zeros(picture.shape)
    for row, column in zip(*np.nonzero(weights), strict=True):
        part = padded[row : row + picture.shape[0], column : column + picture.shape[1]]
        result += weights[row, column] * part
    return result


def frequency_response(kernel: Kernel | Magnitude) -> Values:
    """|H| at 129 × 129 frequencies, from -1/2 to 1/2 cycles per pixel down and across.

    H(f) = sum of the weights times exp(2 pi i f · x); of a magnitude the length of its parts'.
    """
    frequencies = np.linspace(-0.5, 0.5, FREQUENCIES)

    def of(part: Kernel) -> Values:
        weights: Any = np.array(part.rounded)
        down, across = (
            np.exp(2j * np.pi * np.outer(frequencies, np.arange(n))) for n in weights.shape
        )
        return np.asarray(np.abs(down @ weights @ across.T))

    return reduce(np.hypot, map(of, kernel.parts))
