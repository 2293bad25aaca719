"""The smallest wrong weight that the agreement rule sees: what docs/filter.md says of it."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cnnviz import engines, images
from cnnviz.engines import Window
from cnnviz.errors import DisagreementError
from cnnviz.filtering import filter_image
from cnnviz.kernels import Kernel
from tests.conftest import ROOT
from tests.exact import kernel_of

COFFEE = images.read_image(ROOT / "samples" / "coffee.png").pixels
U = 2.0**-24


def is_seen(monkeypatch: pytest.MonkeyPatch, kernel: Kernel, wrong: Kernel) -> bool:
    """Whether the engines disagree when torch's has ``wrong`` weights."""
    engine = engines.load("torch")
    right = engine.correlate
    with monkeypatch.context() as patch:
        patch.setattr(engine, "correlate", lambda image, _, window: right(image, wrong, window))
        try:
            filter_image(COFFEE, kernel)
        except DisagreementError:
            return True
        return False


def smallest(weights: np.ndarray, middle: int) -> float:
    """2 (n + 2) u times the least sum(|w| |x|) / |x| of any window, of the middle weight."""
    sums = engines.load("opencv").correlate(
        COFFEE.astype(np.float64), kernel_of(abs(weights)), Window()
    )
    ratio = (sums[COFFEE > 0] / COFFEE[COFFEE > 0]).min()
    return float(2 * (weights.size + 2) * U * ratio / abs(weights[middle, middle]))


@pytest.mark.parametrize(("side", "stated"), [(3, 1.3e-6), (7, 1.3e-5), (31, 4.3e-3)])
def test_a_real_weight_is_seen_to_be_wrong_from_the_stated_error_on(
    monkeypatch: pytest.MonkeyPatch, side: int, stated: float
) -> None:
    weights, middle = np.random.default_rng(0).normal(size=(side, side)), side // 2
    formula = smallest(weights, middle)
    assert formula == pytest.approx(stated, rel=0.05)
    for share, seen in ((2, True), (0.5, False), (0, False)):
        wrong = weights.copy()
        wrong[middle, middle] *= 1 + share * formula
        assert is_seen(monkeypatch, kernel_of(weights), kernel_of(wrong)) is seen


@pytest.mark.parametrize("denominator", [1, 1000])
@pytest.mark.parametrize("side", [3, 7, 31])
def test_any_wrong_numerator_is_seen(
    monkeypatch: pytest.MonkeyPatch, side: int, denominator: int
) -> None:
    numerators = np.random.default_rng(0).integers(-9, 10, (side, side))
    numerators[0, 0] = 1  # so that the denominator is not reduced
    changed = numerators.copy()
    changed[side // 2, side - 1] += 1
    right, wrong = (
        Kernel("test", kernel_of(rows).weights, divisor=Fraction(divisor))
        for rows, divisor in ((numerators, denominator), (changed, 1))
    )
    # The engines are handed the numerators; the division is ours.
    assert is_seen(monkeypatch, right, wrong)
    assert not is_seen(monkeypatch, right, kernel_of(numerators))


@pytest.mark.parametrize("divisor", [3, 9, 273, 1000])
def test_neighbouring_sums_stay_apart_after_the_division(divisor: Any) -> None:
    sums = np.arange(2**23 - 300_000, 2**23, dtype=np.float32)
    assert (np.diff(sums / np.float32(divisor)) > 0).all()
