"""Errors between two runs, against NumPy's own figures."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz.featuremaps import errors
from cnnviz.featuremaps.errors import errors_between


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
@pytest.mark.parametrize("offset", [0.0, 1e6], ids=["about 0", "far from 0"])
def test_figures_are_numpys_however_many_values_at_once(
    at_once: int, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "AT_ONCE", at_once)
    drawn = np.random.default_rng(1).normal(size=(2, 3, 5, 7))
    one = (drawn[0] + offset).astype(np.float32)
    other = (drawn[0] + 0.3 * drawn[1] + offset).astype(np.float32)
    found = errors_between(one, other)
    gaps = np.abs(one.astype(np.float64) - other.astype(np.float64))
    largest = max(np.abs(one).max(), np.abs(other).max())
    like = np.corrcoef(one.ravel().astype(np.float64), other.ravel().astype(np.float64))[0, 1]
    assert found == {
        "max_abs_diff": gaps.max(),
        "mean_abs_diff": pytest.approx(gaps.mean(), rel=1e-12),
        "relative": pytest.approx(gaps.max() / largest, rel=1e-12),
        "correlation": pytest.approx(like, rel=1e-9),
        "nonfinite": 0,
        "reason": None,
    }


def test_the_same_nan_is_no_difference_and_another_one_is() -> None:
    one = np.array([np.nan, np.inf, 1.0, np.nan, 2.0], np.float32)
    other = np.array([np.nan, np.inf, 1.0, 3.0, -np.inf], np.float32)
    assert errors_between(one, one)["nonfinite"] == 0
    found = errors_between(one, other)
    assert (found["nonfinite"], found["max_abs_diff"]) == (2, 0.0)


def test_constant_layers_have_no_correlation_and_zeros_no_relative_error() -> None:
    zeros, ones = np.zeros((2, 3)), np.ones((2, 3))
    assert errors_between(zeros, zeros)["relative"] == 0
    assert errors_between(zeros, ones)["correlation"] is None
    assert errors_between(zeros, ones)["relative"] == 1


def test_what_cannot_be_compared_says_why() -> None:
    assert errors_between(np.ones((2, 3)), None)["reason"] == "the other has no such layer"
    said = errors_between(np.ones((2, 3, 4)), np.ones((2, 3, 5)))
    assert said["reason"] == "2x3x4 here and 2x3x5 there"
    assert said["max_abs_diff"] is None
