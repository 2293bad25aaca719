"""The bound covers what engines may do, and nothing that is wrong."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz.agreement import (
    Sum,
    compare,
    is_exact,
    joined,
    largest_integer,
    refuse_overflow,
    tolerances,
)
from cnnviz.errors import CnnvizError

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def total(
    terms: int = 9, divisor: float = 1.0, offset: float = 0.0, *, integers: bool = False
) -> Sum:
    return Sum(terms, divisor, offset, integers)


def tolerance(magnitude: float, what: Sum) -> float:
    return float(tolerances(np.array([magnitude], np.float32), what, FLOAT32)[0])


def test_largest_integers() -> None:
    assert largest_integer(FLOAT32) == 2**24
    assert largest_integer(FLOAT64) == 2**53


@pytest.mark.parametrize(
    ("magnitude", "integers", "exact"),
    [
        pytest.param(2.0**24 - 1, True, True, id="just small enough"),
        pytest.param(2.0**24, True, False, id="too large"),
        pytest.param(100.0, False, False, id="fractions"),
    ],
)
def test_sums_of_small_integers_are_exact(magnitude: float, integers: bool, exact: bool) -> None:
    assert is_exact(magnitude, total(integers=integers), FLOAT32) == exact


@pytest.mark.parametrize(
    ("terms", "divisor", "offset"), [(9, 16.0, 0.0), (9, -16.0, 128.0), (1, 1.0, -3.0)]
)
def test_bound_of_worked_examples(terms: int, divisor: float, offset: float) -> None:
    # A division and an offset are two roundings more, each of at most 2^-24.
    gamma = Fraction(terms + 2, 2**24) / (1 - Fraction(terms + 2, 2**24))
    expected = float(2 * gamma * (Fraction(2040) / abs(Fraction(divisor)) + abs(Fraction(offset))))
    assert tolerance(2040.0, total(terms, divisor, offset)) == pytest.approx(expected, rel=1e-5)


def test_products_that_vanish_are_allowed_for() -> None:
    assert tolerance(0.0, total(terms=4)) == pytest.approx(8 * 1.1754944e-38, rel=1e-6)


@pytest.mark.parametrize(
    ("magnitude", "what"),
    [
        pytest.param(1e39, total(), id="sum"),
        pytest.param(1e30, total(divisor=1e-9), id="quotient"),
        pytest.param(1e38, total(offset=-3e38), id="offset"),
    ],
)
def test_overflow_is_refused(magnitude: float, what: Sum) -> None:
    with pytest.raises(CnnvizError, match="beyond float32"):
        refuse_overflow(magnitude, what, FLOAT32)
    refuse_overflow(1e30, total(), FLOAT32)


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
    first = second = magnitude = np.float32(0)
    for i, j in zip(range(terms), order, strict=True):
        first += weights[i] * pixels[i]
        second += weights[j] * pixels[j]
        magnitude += abs(weights[j] * pixels[j])
    assert abs(float(first) - float(second)) <= tolerance(float(magnitude), total(terms))


def image(height: int = 600) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(height, 7, 3)).astype(np.float32)


@pytest.mark.parametrize("place", [(0, 0, 0), (255, 6, 2), (256, 0, 1), (599, 3, 0)])
def test_worst_value_is_named(place: tuple[int, int, int]) -> None:
    first = image()
    second = first.copy()
    second[5, 5, 1] += np.float32(1e-3)
    second[place] += 1
    verdict = compare(first, second, None)
    assert not verdict.agree
    assert verdict.worst == place
    assert verdict.max_abs_diff == pytest.approx(1)
    assert verdict.pair == (float(first[place]), float(second[place]))


def test_each_value_has_its_own_bound() -> None:
    first, second = np.zeros((1, 2, 1), np.float32), np.array([[[0.5], [3]]], np.float32)
    agreed = compare(first, second, np.array([[[0.5], [4.0]]]))
    assert (agreed.agree, agreed.max_abs_diff, agreed.bound.tolerance) == (True, 3, 4)
    refused = compare(first, second, np.array([[[0.4], [4.0]]]))
    assert (refused.agree, refused.worst, refused.bound.tolerance) == (False, (0, 0, 0), 0.4)


def test_values_left_out_are_counted_and_not_compared() -> None:
    first, second = image(3), image(3)
    second[1, 2, 0] = np.nan
    verdict = compare(first, second, None, np.isnan(second))
    assert verdict.agree
    assert (verdict.values, verdict.nonfinite) == (3 * 7 * 3 - 1, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_one_engine_lost_is_a_disagreement(value: float) -> None:
    first, second = image(3), image(3)
    second[2, 6, 2] = value
    verdict = compare(first, second, np.ones(first.shape))
    assert not verdict.agree
    assert verdict.worst == (2, 6, 2)


def test_parts_are_joined_by_the_worse_of_them() -> None:
    zeros, ones = np.zeros((2, 1, 1), np.float32), np.ones((2, 1, 1), np.float32)
    fine = compare(zeros, ones, np.full((2, 1, 1), 5.0))
    bad = compare(zeros, ones / 2, np.full((2, 1, 1), 0.1)).moved(7)
    for verdict in (joined(fine, bad), joined(bad, fine)):
        assert (verdict.agree, verdict.worst, verdict.bound.tolerance) == (False, (7, 0, 0), 0.1)
        assert verdict.values == 4
    assert joined(fine, fine).bound.tolerance == 5
