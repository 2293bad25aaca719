"""The bound on correlations by Fourier transforms, against exact integers."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest

from cnnviz.engines import dft, opencv
from tests.exact import exact_correlation

U = Fraction(1, 2**53)


def roots_one_from_another(n: int) -> np.ndarray:
    """The matrix of a transform of n points, each root of unity being the one before times one."""
    first = complex(math.cos(2 * math.pi / n), -math.sin(2 * math.pi / n))
    roots = [1 + 0j]
    for _ in range(n // 2):
        roots.append(roots[-1] * first)
    roots += [root.conjugate() for root in reversed(roots[1 : (n + 1) // 2])]
    powers = np.outer(np.arange(n), np.arange(n)) % n
    return np.array(roots)[powers]


def test_formula_of_a_worked_example() -> None:
    # 16 stages of 3 * 256 + 64 = 832 u each, three times, and 4u; |x| is at most 256 * 255.
    spread = 16 * 832 * U
    eps = spread / (1 - spread)
    share = (1 + eps) ** 3 * (1 + 4 * U) - 1
    expected = float(share * Fraction(31) * 255 * 256)
    assert dft.correlation_error(31.0, 255.0, (256, 256)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(15, 15), (31, 31), (63, 40), (1, 400), (101, 3)])
def test_filter2d_stays_within_the_bound(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    weights = random.integers(-(2**26), 2**26, shape)
    image = random.integers(-(2**26), 2**26, (shape[0] + 99, shape[1] + 300))
    sums = exact_correlation(image[:, :, np.newaxis], weights)[:, :, 0]
    result = cv2.filter2D(image.astype(float), -1, weights.astype(float), anchor=(0, 0))
    off = np.abs(result[: sums.shape[0], : sums.shape[1]].astype(np.longdouble) - sums).max()
    norm = float(np.linalg.norm(weights.astype(float)))
    assert 0 < off < dft.correlation_error(norm, 2.0**26, opencv._block(weights.astype(float)))


@pytest.mark.parametrize("n", [64, 240, 405])
def test_bound_covers_roots_of_unity_computed_one_from_another(n: int) -> None:
    random = np.random.default_rng(0)
    image = random.integers(-(2**20), 2**20, (1, n))
    weights = random.integers(-(2**20), 2**20, (1, n // 3))
    matrix = roots_one_from_another(n)
    padded = np.append(weights, np.zeros(n - n // 3))
    result = (matrix.conj() @ ((matrix @ image[0]) * (matrix @ padded).conj())).real / n
    sums = exact_correlation(image[:, :, np.newaxis], weights)[0, :, 0]
    off = np.abs(result[: len(sums)].astype(np.longdouble) - sums).max()
    bound = dft.correlation_error(float(np.linalg.norm(padded)), 2.0**20, (1, n))
    assert 0 < off < bound
    assert off > bound / 1e5, "a bound that is far from what happens bounds nothing"


@pytest.mark.parametrize(
    ("peak", "safe"),
    [(255.0, True), (1e290, True), (1e305, False), (math.inf, False), (math.nan, False)],
)
def test_what_would_overflow_in_a_transform_is_not_safe(peak: float, safe: bool) -> None:
    assert dft.is_safe(1.0, peak, (256, 256)) is safe


def test_underflow_is_allowed_for() -> None:
    assert dft.correlation_error(0.0, 0.0, (256, 256)) >= 256 * 256 * 2.0**-1022
