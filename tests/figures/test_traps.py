"""The sheet of ways to a result."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from cnnviz.figures.traps import Way
from cnnviz.figures.traps_sheet import build

SIZE = 40, 60


def ways() -> list[Way]:
    """A ramp, and the same with another last column."""
    ramp = np.arange(SIZE[0] * SIZE[1], dtype=np.float32).reshape(*SIZE, 1)
    other = ramp.copy()
    other[:, -1] = 0
    return [Way("one", ramp, np.zeros(SIZE, bool)), Way("other", other, (ramp != other)[..., 0])]


def labels(figure: Figure, number: int) -> list[list[str]]:
    axes = figure.axes[number]
    both = axes.get_yticklabels(), axes.get_xticklabels()
    return [[label.get_text() for label in each] for each in both]


@pytest.mark.parametrize(
    ("around", "rows", "columns"),
    [
        pytest.param((20, 59), range(16, 24), range(52, 60), id="right edge"),
        pytest.param((0, 0), range(8), range(8), id="upper left corner"),
        pytest.param((39, 30), range(32, 40), range(26, 34), id="lower edge"),
    ],
)
def test_pixels_around_one_are_enlarged_under_their_own_numbers(
    around: tuple[int, int], rows: range, columns: range
) -> None:
    figure = build("title", "subtitle", ways(), around=around)
    shown = labels(figure, 0)
    for texts, expected in zip(shown, (rows, columns), strict=True):
        numbers = [int(text) for text in texts]
        assert numbers[0] == expected[0]
        assert set(numbers) <= {*expected}
    image = np.asarray(figure.axes[1].images[0].get_array())
    assert image.shape[:2] == (8, 8)
    assert (image[:, -1] == 0).all() == (columns[-1] == SIZE[1] - 1)
    words = " ".join(text.get_text() for text in figure.texts)
    assert f"rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]}" in words


def test_without_one_the_whole_result_is_shown() -> None:
    figure = build("title", "subtitle", ways(), around=None)
    assert "upper row" not in " ".join(text.get_text() for text in figure.texts)
    assert figure.axes[0].get_xlim() == (-0.5, SIZE[1] - 0.5)
