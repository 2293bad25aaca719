from __future__ import annotations

import numpy as np
import pytest

from cnnviz.render.levels import short, to_levels

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "low", "high", "levels"),
    [
        pytest.param([0, 1, 2, 3, 5], 0, 5, [0, 51, 102, 153, 255], id="linear"),
        pytest.param([-9, -1, 1, 9], -1, 1, [0, 0, 255, 255], id="cut off"),
        pytest.param([NAN, INF, -INF, 1], 0, 1, [0, 255, 0, 255], id="not finite"),
        pytest.param([4, 4], 4, 4, [0, 0], id="empty range"),
        pytest.param([0, 1e-45], 0, 1e-45, [0, 255], id="smallest float32"),
        pytest.param([-3e38, 0, 3e38], -3e38, 3e38, [0, 128, 255], id="largest float32"),
    ],
)
def test_levels_are_linear_between_the_ends(
    values: list[float], low: float, high: float, levels: list[int]
) -> None:
    assert to_levels(np.array(values, np.float32), low, high).tolist() == levels


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1.175, "1.18"),
        (-8.071, "-8.07"),
        (12.34, "12.3"),
        (123.4, "123"),
        (9999.4, "9999"),
        (10000.0, "1.0e4"),
        (-2.5e10, "-2.5e10"),
        (0.456, "0.46"),
        (0.0456, "0.046"),
        (0.00123, "1.2e-3"),
        (-1.2e-30, "-1.2e-30"),
        (NAN, "nan"),
        (-INF, "-inf"),
    ],
)
def test_number_is_short_and_never_rounded_to_nothing(value: float, said: str) -> None:
    assert short(value) == said
