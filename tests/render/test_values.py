from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.render.lettering import text_width
from cnnviz.render.look import Look
from cnnviz.render.sheet import Caption
from cnnviz.render.values import draw_values
from tests.render.decoded import decoded, margins

PLAIN = Caption("F6", "layer")
ALARM, RULE = (190, 30, 45), (218, 220, 224)
DARKEST, BRIGHTEST = (68, 1, 84), (253, 231, 37)  # viridis at 0 and 1, from matplotlib's table


def cells(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The colours of the boxes that are at least 40 pixels high, in reading order."""
    ink = (pixels != 255).any(axis=2).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
    corners = sorted((int(y), int(x)) for x, y, _, h, n in boxes[1:] if h >= 40 and n > 1000)
    colors = [pixels[y, x].tolist() for y, x in corners]
    return [(red, green, blue) for red, green, blue in colors]


@pytest.mark.parametrize("count", [1, 10, 84, 256])
def test_every_value_of_a_vector_has_a_cell_brighter_than_those_below_it(count: int) -> None:
    values = np.random.default_rng(0).permutation(count).astype(np.float32) - 5
    pixels = decoded(draw_values(values, PLAIN))
    colors = cells(pixels)
    assert len(colors) == count
    ordered = [colors[index] for index in values.argsort()]
    greens = [green for _, green, _ in ordered]
    assert greens == sorted(greens)  # viridis rises steadily in green
    assert len(set(ordered)) >= min(count, 254)  # of its 256 colours a few are twins
    assert margins(pixels) >= 4


def test_cell_that_is_not_finite_is_red() -> None:
    pixels = decoded(draw_values(np.array([-2, np.inf, 7, np.nan], np.float32), PLAIN))
    assert cells(pixels) == [DARKEST, ALARM, BRIGHTEST, ALARM]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param([-1.2345e-30] * 6, (), id="long numbers"),
        pytest.param([1.0, 2.0], ("white-throated dipper", "hen"), id="long names"),
    ],
)
def test_cells_are_as_wide_as_their_words(values: list[float], names: tuple[str, ...]) -> None:
    pixels = decoded(draw_values(np.array(values, np.float32), PLAIN, names))
    row = (pixels[60] != 255).any(axis=1)  # below the cells' upper edge, above their words
    starts = np.flatnonzero(np.diff(row.astype(int)) == 1)
    assert len(starts) == len(values)
    widest = max(text_width(word, 12) for word in names or ("-1.2e-30",))
    assert np.diff(starts).min() > widest + 8
    assert margins(pixels) >= 4


@pytest.mark.parametrize("count", [257, 1000, 4096])
def test_many_values_are_a_compact_grid_in_reading_order(count: int) -> None:
    values = np.random.default_rng(0).permutation(count).astype(np.float32)
    pixels = decoded(draw_values(values, PLAIN))
    assert max(pixels.shape) < 1700
    colors = compact(pixels)
    assert len(colors) == count
    greens = [colors[index][1] for index in values.argsort()]
    assert greens == sorted(greens)  # viridis rises steadily in green
    assert margins(pixels) >= 4


def compact(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The colours of the cells without words, in reading order."""
    ink = (pixels != 255).any(axis=2).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
    corners = sorted((int(y), int(x)) for x, y, w, h, n in boxes[1:] if w == h and w * h == n > 100)
    found = [pixels[y + 4, x + 4].tolist() for y, x in corners]
    return [(red, green, blue) for red, green, blue in found]


def test_dead_cells_of_many_are_gray_and_not_the_darkest_color() -> None:
    values = np.arange(400, dtype=np.float32)
    values[7] = 0
    colors = compact(decoded(draw_values(values, Caption("F6", "", {7: "dead"}))))
    assert colors[7] == RULE
    assert colors[0] == DARKEST
    assert colors.count(RULE) == 1


def test_symmetric_scale_puts_zero_in_the_middle_of_a_diverging_map() -> None:
    values = np.array([-1, 0, 2], np.float32)
    colors = cells(decoded(draw_values(values, PLAIN, look=Look("symmetric"))))
    # ColorBrewer's RdBu at 0.25, half-way between two of its colours, at 0.5 and at 1.
    assert np.abs(np.array(colors) - [(229, 130, 104), (247, 247, 247), (5, 48, 97)]).max() <= 1
