from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnviz.figures.layout import (
    BELOW,
    COLOR_BAR,
    HEIGHT,
    LEFT,
    TALLEST,
    WIDTH,
    Demand,
    Place,
    arrange,
    within,
)
from cnnviz.figures.panels import (
    HIGHEST_CELLS,
    HIGHEST_KERNEL,
    LOWEST_KERNEL,
    WIDEST_CELLS,
    WIDEST_KERNEL,
)

TOP, BOTTOM = 0.95, 0.46


def pictures(aspect: float, count: int = 5) -> list[Demand]:
    """An input, a square kernel, and results in the input's shape."""
    kernel = Demand(1.0, lowest=1.5, highest=2.7)
    return [Demand(aspect), kernel, *[Demand(aspect)] * (count - 2)]


@st.composite
def demands(draw: st.DrawFn) -> tuple[list[Demand], int]:
    """What a figure can hold: input, one or two kernels, one or two results, a difference."""
    aspect = draw(st.floats(1 / 12, 12))
    lowest = draw(st.sampled_from([0.0, min(HIGHEST_CELLS, WIDEST_CELLS / aspect)]))
    lines = draw(st.integers(0, 2))
    kernel_aspect = draw(st.floats(1 / 12, 12))
    highest = min(HIGHEST_KERNEL, WIDEST_KERNEL / kernel_aspect)
    bar = draw(st.sampled_from([0.0, COLOR_BAR]))
    kernel = Demand(kernel_aspect, right=bar, lowest=min(LOWEST_KERNEL, highest), highest=highest)
    kernels, picture = [kernel] * draw(st.integers(1, 2)), Demand(aspect, lines, lowest=lowest)
    others = draw(st.sampled_from([[picture], [picture, picture, Demand(aspect, 2, COLOR_BAR)]]))
    return [picture, *kernels, *others], 1 + len(kernels)


def room(demand: Demand, place: Place) -> tuple[float, float, float, float]:
    """Left, right, lower and upper end of a panel with its words and numbers."""
    right = place.x + place.width + demand.right
    return place.x - LEFT, right, place.y - BELOW, place.top


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    across = min(one[1], other[1]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[2], other[2])
    return min(across, along) > 1e-6


@given(demands())
def test_panels_lie_inside_the_figure_and_apart(given: tuple[list[Demand], int]) -> None:
    panels, sources = given
    height, places = arrange(panels, sources, top=TOP, bottom=BOTTOM)
    assert height <= TALLEST + 0.01
    rooms = [room(*pair) for pair in zip(panels, places, strict=True)]
    for left, right, lower, upper in rooms:
        assert 0 <= left < right <= WIDTH
        assert BOTTOM - 0.01 <= lower < upper <= height - TOP + 1e-9
    for demand, place in zip(panels, places, strict=True):
        assert place.width / place.height == pytest.approx(demand.aspect)
    assert not any(overlap(*pair) for pair in combinations(rooms, 2))


@pytest.mark.parametrize(
    ("aspect", "rows"),
    [(1.5, [2, 3]), (1.0, [2, 3]), (0.3, [5]), (9.0, [2, 1, 1, 1])],
    ids=["photo", "square", "tall", "wide"],
)
def test_shape_of_the_pictures_chooses_the_rows(aspect: float, rows: list[int]) -> None:
    _, places = arrange(pictures(aspect), 2, top=TOP, bottom=BOTTOM)
    tops = [place.top for place in places]
    assert [tops.count(top) for top in dict.fromkeys(tops)] == rows


def test_photo_fits_a_slide_and_is_as_large_as_can_be() -> None:
    height, places = arrange(pictures(1.5), 2, top=TOP, bottom=BOTTOM)
    assert height == HEIGHT
    assert places[0].height > 2


def test_pictures_of_one_shape_are_of_one_size() -> None:
    for aspect in (0.2, 1.0, 7.0):
        _, places = arrange(pictures(aspect), 2, top=TOP, bottom=BOTTOM)
        assert len({(round(p.width, 6), round(p.height, 6)) for p in places if p != places[1]}) == 1


def test_drawing_of_another_shape_stands_in_the_upper_left_of_its_place() -> None:
    place = Place(x=1, y=2, width=4, height=2, top=5, text_width=4)
    assert within(place, 4.0) == Place(x=1, y=3, width=4, height=1, top=5, text_width=4)
    assert within(place, 1.0) == Place(x=1, y=2, width=2, height=2, top=5, text_width=4)
