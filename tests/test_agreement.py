"""The bound covers what engines may do, and nothing that is wrong."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz.agreement import Bound, Sum, bound, compare, largest_integer
from cnnviz.errors import CnnvizError

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def total(
    terms: int = 9, magnitude: float = 1.0, divisor: float = 1.0, *, integers: bool = False
) -> Sum:
    return Sum(terms, magnitude, divisor, 0.0, integers)


def test_largest_integers() -> None:
    assert largest_integer(FLOAT32) == 2**24
    assert largest_integer(FLOAT64) == 2**53


def test_small_integers_are_exact() -> None:
    just_below = total(magnitude=2.0**24 - 1, integers=True)
    assert bound(just_below, FLOAT32, direct=True) == Bound(0.0, exact=True)


@pytest.mark.parametrize(
    ("what", "direct"),
    [
        pytest.param(total(magnitude=2.0**24, integers=True), True, id="too large"),
        pytest.param(total(magnitude=100.0), True, id="fractions"),
        pytest.param(total(magnitude=100.0, integers=True), False, id="unknown algorithm"),
    ],
)
def test_otherwise_rounding_is_allowed_for(what: Sum, direct: bool) -> None:
    allowed = bound(what, FLOAT32, direct=direct)
    assert not allowed.exact
    assert allowed.tolerance > 0


def test_bound_of_a_worked_example() -> None:
    # 9 products, a division and an offset: 11 roundings of 2^-24 in each engine.
    gamma = Fraction(11, 2**24) / (1 - Fraction(11, 2**24))
    expected = float(2 * gamma * 2040 / 16)
    allowed = bound(total(terms=9, magnitude=2040.0, divisor=16.0), FLOAT32, direct=True)
    assert allowed.tolerance == pytest.approx(expected, rel=1e-12)


def test_overflow_is_refused() -> None:
    with pytest.raises(CnnvizError, match="beyond float32"):
        bound(total(magnitude=1e39), FLOAT32, direct=True)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    terms=st.integers(1, 60),
    spread=st.floats(0, 12),
)
def test_sums_in_any_order_stay_within_the_bound(seed: int, terms: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    size = 10 ** random.uniform(-spread, spread, (2, terms))
    weights, pixels = (size * random.choice([-1, 1], (2, terms))).astype(np.float32)
    order = random.permutation(terms)
    first = second = np.float32(0)
    for i, j in zip(range(terms), order, strict=True):
        first += weights[i] * pixels[i]
        second += weights[j] * pixels[j]
    magnitude = float(np.abs(weights.astype(float) * pixels.astype(float)).sum())
    allowed = bound(total(terms, magnitude), FLOAT32, direct=True)
    assert abs(float(first) - float(second)) <= allowed.tolerance


def image(height: int = 600) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(height, 7, 3)).astype(np.float32)


@pytest.mark.parametrize("place", [(0, 0, 0), (255, 6, 2), (256, 0, 1), (599, 3, 0)])
def test_worst_value_is_named(place: tuple[int, int, int]) -> None:
    first = image()
    second = first.copy()
    second[5, 5, 1] += np.float32(1e-3)
    second[place] += 1
    verdict = compare(first, second, Bound(0.0, exact=True))
    assert not verdict.agree
    assert verdict.worst == place
    assert verdict.max_abs_diff == pytest.approx(1)
    assert verdict.pair == (float(first[place]), float(second[place]))


def test_difference_at_the_bound_agrees() -> None:
    zeros = np.zeros((1, 1, 1), np.float32)
    assert compare(zeros, zeros + np.float32(0.5), Bound(0.5, exact=False)).agree
    assert not compare(zeros, zeros + np.float32(0.5), Bound(0.49, exact=False)).agree


def test_values_left_out_are_counted_and_not_compared() -> None:
    first, second = image(3), image(3)
    second[1, 2, 0] = np.nan
    ignore = np.isnan(second)
    verdict = compare(first, second, Bound(0.0, exact=True), ignore)
    assert verdict.agree
    assert (verdict.values, verdict.nonfinite) == (3 * 7 * 3 - 1, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_one_engine_lost_is_a_disagreement(value: float) -> None:
    first, second = image(3), image(3)
    second[2, 6, 2] = value
    verdict = compare(first, second, Bound(1.0, exact=False))
    assert not verdict.agree
    assert verdict.worst == (2, 6, 2)
