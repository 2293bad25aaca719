from __future__ import annotations

import numpy as np
import pytest

from cnnviz.statistics import (
    channel_statistics,
    finite_range,
    layer_statistics,
)

NAN, INF = float("nan"), float("inf")


def test_statistics_of_four_values_counted_by_hand() -> None:
    values = np.array([[0, 0], [2, -4]], np.float32)
    assert layer_statistics(values) == {
        "min": -4.0,
        "max": 2.0,
        "mean": -0.5,
        "std": pytest.approx((19 / 4) ** 0.5, rel=1e-15),  # 0.5² + 0.5² + 2.5² + 3.5² = 19
        "sparsity": 0.5,
    }


def test_statistics_are_over_the_finite_values() -> None:
    values = np.array([NAN, INF, -INF, 1, 0, 3, 0], np.float32)
    assert layer_statistics(values) == {
        "min": 0.0,
        "max": 3.0,
        "mean": 1.0,
        "std": pytest.approx(1.5**0.5, rel=1e-15),  # (0 + 1 + 4 + 1) / 4
        "sparsity": 0.5,
    }


def test_layer_without_a_finite_value_has_none() -> None:
    assert set(layer_statistics(np.array([NAN, INF])).values()) == {None}


def test_small_differences_of_large_values_are_not_lost_to_float32() -> None:
    values = np.full(10_000_000, 100.1, np.float32)
    assert layer_statistics(values)["mean"] == pytest.approx(float(np.float32(100.1)), rel=1e-12)


def test_channel_has_flags_in_place_of_the_deviation() -> None:
    assert channel_statistics(np.array([[[0, -1], [-3, 0]], [[1, 2], [3, 10]]]), "ReLU") == [
        {"min": -3.0, "max": 0.0, "mean": -1.0, "sparsity": 0.5, "flags": ["dead"]},
        {"min": 1.0, "max": 10.0, "mean": 4.0, "sparsity": 0.0, "flags": []},
    ]


def test_channel_that_is_not_finite_has_those_of_its_other_values() -> None:
    values = np.array([[1, NAN, 3, 0], [1, 2, 3, 0]], np.float32)
    first, second = channel_statistics(values, "relu")
    expected = {"min": 0.0, "max": 3.0, "mean": 4 / 3, "sparsity": 1 / 3, "flags": ["nonfinite"]}
    assert first == expected
    assert second == {"min": 0.0, "max": 3.0, "mean": 1.5, "sparsity": 0.25, "flags": []}


def near_bounds(count: int) -> list[float]:
    """1000 values of a tanh, ``count`` of them within 1 % of its bounds (2 wide, so 0.02)."""
    near = [0.981, -0.981, 1.0, -1.0]
    return [near[n % 4] if n < count else (0.979 if n % 2 else -0.979) for n in range(1000)]


@pytest.mark.parametrize(
    ("kind", "values", "flags"),
    [
        pytest.param("ReLU", [0, 0, 0, 1e-9], [], id="one value above 0 is alive"),
        pytest.param("ReLU", [0, 0, 0, 0], ["dead", "constant"], id="dead and constant"),
        pytest.param("ReLU6", [0, 0, -1], ["dead"], id="dead below 0"),
        pytest.param("Conv2d", [-1, -2, -3], [], id="only a ReLU can be dead"),
        pytest.param("Conv2d", [3, 3, 3], ["constant"], id="constant"),
        pytest.param("Conv2d", [3], [], id="one value alone is not constant"),
        pytest.param("ReLU", [0], ["dead"], id="one value can be dead"),
        pytest.param("Tanh", near_bounds(990), [], id="99 % at the bounds is not over 99 %"),
        pytest.param("Tanh", near_bounds(991), ["saturated"], id="over 99 % at the bounds"),
        pytest.param("Sigmoid", [0.009, 0.991], ["saturated"], id="bounds 0 and 1"),
        pytest.param("Sigmoid", [0.011, 0.999], [], id="within 1 % is not 1.1 %"),
        pytest.param("Conv2d", [-1, 1], [], id="unbounded layers do not saturate"),
        pytest.param("Conv2d", [1, NAN], ["nonfinite"], id="NaN"),
        pytest.param("Conv2d", [1, -INF], ["nonfinite"], id="infinity"),
        pytest.param("ReLU", [NAN, NAN], ["dead", "nonfinite"], id="nothing but NaN"),
    ],
)
def test_flags_follow_their_definitions(kind: str, values: list[float], flags: list[str]) -> None:
    (channel,) = channel_statistics(np.array([values], np.float32), kind)
    assert channel["flags"] == flags


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([3, -1, 2], (-1, 3), id="finite"),
        pytest.param([NAN, 3, INF, -1, -INF], (-1, 3), id="some not finite"),
        pytest.param([NAN, INF], None, id="none finite"),
    ],
)
def test_range_is_that_of_the_finite_values(
    values: list[float], expected: tuple[float, float] | None
) -> None:
    assert finite_range(np.array(values, np.float32)) == expected
