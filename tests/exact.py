"""Correlation of integers by definition, for tests to compare with."""

from fractions import Fraction
from typing import Any

import numpy as np

from cnnviz.engines import Window
from cnnviz.kernels import Kernel

# numpy's names for the same borders.
NUMPY_MODES: dict[str, Any] = {
    "reflect101": "reflect",
    "replicate": "edge",
    "reflect": "symmetric",
    "wrap": "wrap",
    "zeros": "constant",
}


def kernel_of(weights: np.ndarray) -> Kernel:
    """A kernel of just these numbers."""
    return Kernel("test", tuple(tuple(Fraction(w.item()) for w in row) for row in weights))


def exact_correlation(
    image: np.ndarray, weights: np.ndarray, window: Window | None = None
) -> np.ndarray:
    """Sums of integer products in int64, tap by tap, for an (H, W, C) image."""
    axes = (window or Window(padding="valid")).axes((weights.shape[0], weights.shape[1]))
    mode = NUMPY_MODES[window.border if window else "zeros"]
    padded = np.pad(image, [*(axis.padding for axis in axes), (0, 0)], mode).astype(np.int64)
    lengths = [size - axis.span + 1 for axis, size in zip(axes, padded.shape[:2], strict=True)]
    total = np.zeros((*lengths, image.shape[2]), np.int64)
    for (i, j), weight in np.ndenumerate(weights):
        row, column = i * axes[0].dilation, j * axes[1].dilation
        total += int(weight) * padded[row : row + lengths[0], column : column + lengths[1]]
    return total[:: axes[0].stride, :: axes[1].stride]
