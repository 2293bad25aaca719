"""What could run into each other or out of the figure, measured on the figure itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from cnnviz.figures import layout
from cnnviz.figures.filter import Comparison
from cnnviz.figures.sheet import build
from cnnviz.figures.style import OWN_FONT, own_settings
from tests.figures.made import comparison, kernel, noise, same, spoilt
from tests.linear import loaded

ONE_PIXEL = 1.0

LONG = {"input": "a_rather_long_name_of_a_photo" * 9, "details": "border reflect101, stride 1 " * 9}
BOTH = (loaded("sobel_x"), loaded("sobel_y"))
SHAPES = [
    (1, 1),
    (5, 5),
    (12, 12),
    (1, 9),
    (9, 1),
    (1, 700),
    (700, 1),
    (60, 90),
    (90, 30),
    (30, 200),
]


def boxes(made: Comparison) -> tuple[Any, list[Any]]:
    """The figure's extent, and that of every text in it, in pixels."""
    with own_settings([OWN_FONT]):
        figure = build(made)
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        return figure.bbox, [text.get_window_extent() for text in texts if _is_drawn(text)]


def _is_drawn(text: Text) -> bool:
    """Whether it is not the label of a tick beyond the ends of its axis."""
    return text.axes is None or text.axes.bbox.padded(200).contains(*text.get_window_extent().p0)


def clash(made: Comparison) -> None:
    sheet, texts = boxes(made)
    for box in texts:
        assert sheet.x0 < box.x0 < box.x1 < sheet.x1
        assert sheet.y0 < box.y0 < box.y1 < sheet.y1
    for one, other in combinations(texts, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        along = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(across, along) <= ONE_PIXEL, (one, other)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_text_touches_another(shape: tuple[int, int]) -> None:
    clash(same(noise(*shape), **LONG))
    clash(same(noise(*shape, 1)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_text_touches_another_beside_a_disagreement(shape: tuple[int, int]) -> None:
    clash(spoilt(noise(*shape) * np.float32(-1.25e-5), shape[0] - 1, shape[1] - 1, by=1e-9))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_text_touches_another_with_one_engine_and_two_kernels(shape: tuple[int, int]) -> None:
    clash(comparison(noise(*shape), noise(*shape, 3, np.float32), kernels=BOTH))
    clash(same(noise(*shape), kernels=BOTH))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 15), (15, 1), (5, 3), (11, 11), (1, 60), (60, 1), (60, 60)], ids=str
)
@pytest.mark.parametrize("weight", ["1", "-0.0123456789"])
def test_no_text_touches_another_for_any_kernel(shape: tuple[int, int], weight: str) -> None:
    weights = [[weight] * shape[1]] * shape[0]
    made = kernel(weights, "a_kernel_with_a_name", divisor=Fraction(7), offset=Fraction(-9))
    clash(same(noise(60, 90), kernels=(made,)))


def test_clash_sees_a_note_on_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    made = same(noise(60, 90))
    clash(made)
    monkeypatch.setattr(layout, "LINE", 0.0)
    with pytest.raises(AssertionError):
        clash(made)


@pytest.mark.parametrize("count", [3, 4, 16])
@pytest.mark.parametrize("side", [(1, 9), (9, 1), (3, 3), (11, 11), (1, 101), (31, 31)], ids=str)
def test_many_kernels_have_room(side: tuple[int, int], count: int) -> None:
    weights = [
        [(row * 7 + column * 3) % 5 - 2 for column in range(side[1])] for row in range(side[0])
    ]
    parts = tuple(kernel(weights, name=f"part_{number}") for number in range(count))
    clash(same(noise(40, 60), kernels=parts, magnitude="many"))
