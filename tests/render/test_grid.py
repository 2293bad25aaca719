from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.render.canvas import text_width
from cnnviz.render.grid import Caption, draw_maps, draw_values
from tests.render.decoded import decoded, margins, marked_areas, marker

PLAIN = Caption("C1", "layer", {})
ALARM = (190, 30, 45)
DARKEST, BRIGHTEST = (68, 1, 84), (253, 231, 37)  # viridis at 0 and 1, from matplotlib's table
LONG = "features.12.conv.3 · Conv2dNormActivation · 1280x7x7 · " * 4


def whole_levels(count: int, height: int, width: int) -> NDArray[np.float32]:
    """Maps of whole numbers that reach from 0 to 255: each is its own level."""
    maps = np.random.default_rng(0).integers(0, 256, (count, height, width))
    maps[:, 0, 0], maps[:, -1, -1] = 0, 255
    return maps.astype(np.float32)


@pytest.mark.parametrize(
    ("count", "height", "width", "enlarged"),
    [
        pytest.param(6, 28, 28, (5, 5), id="LeNet's C1"),
        pytest.param(16, 5, 5, (26, 26), id="LeNet's S4"),
        pytest.param(1, 32, 32, (8, 8), id="one map"),
        pytest.param(257, 3, 2, (43, 43), id="257 maps, a prime"),
        pytest.param(2, 300, 200, (1, 1), id="large maps as they are"),
        pytest.param(5, 20, 700, (1, 1), id="wide"),
        pytest.param(7, 600, 2, (1, 6), id="tall and thin"),
        pytest.param(4, 1, 40, (12, 3), id="a single row"),
    ],
)
def test_tiles_are_the_maps_enlarged_by_whole_factors(
    count: int, height: int, width: int, enlarged: tuple[int, int]
) -> None:
    maps = whole_levels(count, height, width)
    pixels = decoded(draw_maps(maps, PLAIN, marker))
    *tiles, _ramp = marked_areas(pixels)
    assert len(tiles) == count
    down, right = enlarged
    for tile, values in zip(tiles, maps, strict=True):
        assert tile.shape == (height * down, width * right)
        blocks = tile.reshape(height, down, width, right)
        assert (blocks == values[:, np.newaxis, :, np.newaxis]).all()
    assert margins(pixels) >= 4


def test_each_map_has_its_own_scale_from_dark_to_bright() -> None:
    maps = np.array([[[-3, 5], [1, 1]], [[0.001, 0.002], [0.004, 0.003]]], np.float32)
    pixels = decoded(draw_maps(maps, PLAIN))
    for color in (DARKEST, BRIGHTEST):
        corners = (pixels == color).all(axis=2)
        ramp = 10 * (1 if color == DARKEST else 0)  # its last step is level 254
        assert corners.sum() == 2 * 128 * 128 + ramp  # one block of each map
    bright = (pixels == BRIGHTEST).all(axis=2).nonzero()
    first = bright[1] < pixels.shape[1] // 2
    assert bright[0][first].max() < bright[0][~first].min()  # 5 is above, 0.004 is below


@pytest.mark.parametrize(
    ("caption", "maps"),
    [
        pytest.param(Caption(LONG, "short", {}), whole_levels(2, 4, 4), id="title"),
        pytest.param(Caption("short", LONG, {}), whole_levels(2, 4, 4), id="subtitle"),
        pytest.param(
            Caption("", "", dict.fromkeys(range(3), "dead, constant, saturated, nonfinite")),
            whole_levels(3, 300, 1),
            id="marks of thin tiles",
        ),
        pytest.param(Caption("", "", {}), whole_levels(9, 500, 1) * -1.2e-30, id="long numbers"),
        pytest.param(Caption("", "", {}), whole_levels(1, 1, 1), id="a single value"),
    ],
)
def test_words_are_never_clipped(caption: Caption, maps: NDArray[np.float32]) -> None:
    assert margins(decoded(draw_maps(maps, caption))) >= 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_red_and_leave_the_rest_its_scale(bad: float) -> None:
    maps = whole_levels(4, 4, 4)
    maps[1, 2, 3] = maps[2] = bad
    pixels = decoded(draw_maps(maps, PLAIN, marker)).copy()
    pixels[(pixels == ALARM).all(axis=2)] = (7, 255, 0)
    *tiles, _ramp = marked_areas(pixels)
    for tile, values in zip(tiles, maps, strict=True):
        assert (tile[::32, ::32] == np.where(np.isfinite(values), values, 7)).all()


def test_marked_channel_is_framed_and_its_mark_printed_in_red() -> None:
    maps = whole_levels(3, 4, 4)
    plain = decoded(draw_maps(maps, PLAIN))
    marked = decoded(draw_maps(maps, Caption("C1", "layer", {1: "dead"})))
    assert not (plain == ALARM).all(axis=2).any()
    rows, columns = (marked == ALARM).all(axis=2).nonzero()
    # 256 x 256 with 2 pixels more on each side; the word stands above.
    assert np.ptp(columns) + 1 == 260
    assert np.ptp(rows) + 1 > 260


def cells(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The colours of the boxes that are at least 40 pixels high, in reading order."""
    ink = (pixels != 255).any(axis=2).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
    corners = sorted((int(y), int(x)) for x, y, _, h, n in boxes[1:] if h >= 40 and n > 1000)
    colors = [pixels[y, x].tolist() for y, x in corners]
    return [(red, green, blue) for red, green, blue in colors]


@pytest.mark.parametrize("count", [1, 10, 84, 1000, 2048])
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


def test_thin_tiles_stand_as_far_apart_as_their_words_are_long() -> None:
    mark = "dead, constant, saturated, nonfinite"
    maps = whole_levels(12, 500, 1)
    pixels = decoded(draw_maps(maps, Caption("", "", {3: mark}), marker))
    tiles = ((pixels[:, :, 1] == 255) & (pixels[:, :, 2] == 0)).sum(axis=0) >= 500
    starts = np.flatnonzero(np.diff(tiles.astype(int)) == 1)
    assert len(starts) > 1
    assert np.diff(starts).min() > text_width(f"12 {mark}", 12)
