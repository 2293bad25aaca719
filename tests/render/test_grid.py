from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.errors import UsageError
from cnnviz.render.canvas import Canvas
from cnnviz.render.grid import draw_maps
from cnnviz.render.lettering import text_width
from cnnviz.render.look import Look
from cnnviz.render.sheet import Caption
from cnnviz.render.tiles import block_means
from tests.render.decoded import decoded, margins, marked_areas

PLAIN = Caption("C1", "layer", {})
ALARM = (190, 30, 45)
DARKEST, BRIGHTEST = (68, 1, 84), (253, 231, 37)  # viridis at 0 and 1, from matplotlib's table
LONG = "features.12.conv.3 · Conv2dNormActivation · 1280x7x7 · " * 4


def whole_levels(count: int, height: int, width: int) -> NDArray[np.float32]:
    """Maps of whole numbers that reach from 0 to 255: each is its own level."""
    maps = np.random.default_rng(0).integers(0, 256, (count, height, width))
    maps[:, 0, 0], maps[:, -1, -1] = 0, 255
    return maps.astype(np.float32)


@pytest.mark.usefixtures("marker")
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
    pixels = decoded(draw_maps(maps, PLAIN))
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
        assert (
            corners.sum() == 2 * 128 * 128 + 10
        )  # one block of each map, an end of the colour bar
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


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_red_and_leave_the_rest_its_scale(bad: float) -> None:
    maps = whole_levels(4, 4, 4)
    maps[1, 2, 3] = maps[2] = bad
    pixels = decoded(draw_maps(maps, PLAIN)).copy()
    pixels[(pixels == ALARM).all(axis=2)] = (7, 255, 0)
    *tiles, _ramp, _sample = marked_areas(pixels)
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


@pytest.mark.usefixtures("marker")
def test_thin_tiles_stand_as_far_apart_as_their_words_are_long() -> None:
    mark = "dead, constant, saturated, nonfinite"
    maps = whole_levels(12, 500, 1)
    pixels = decoded(draw_maps(maps, Caption("", "", {3: mark})))
    tiles = ((pixels[:, :, 1] == 255) & (pixels[:, :, 2] == 0)).sum(axis=0) >= 500
    starts = np.flatnonzero(np.diff(tiles.astype(int)) == 1)
    assert len(starts) > 1
    assert np.diff(starts).min() > text_width(f"12 {mark}", 12)


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize(
    ("look", "levels"),
    [
        pytest.param(Look(), [[0, 255], [0, 255]], id="channel"),
        pytest.param(Look("layer"), [[51, 102], [0, 255]], id="layer"),
        pytest.param(Look("symmetric", "gray"), [[112, 128], [96, 175]], id="symmetric"),
    ],
)
def test_scale_says_which_values_take_the_ends(look: Look, levels: list[list[int]]) -> None:
    # -1 … 0 and -2 … 3: layer levels are (x + 2) / 5 * 255, symmetric ones (x + 8) / 16 * 255
    # with an 8 elsewhere.
    maps = np.array([[[-1, 0]], [[-2, 3]]], np.float32)
    if look.scale == "symmetric":
        maps = np.concatenate([maps, np.array([[[8, 0]]], np.float32)])
    *tiles, _ramp = marked_areas(decoded(draw_maps(maps, PLAIN, look)))
    found = [[tile[0, 0], tile[0, -1]] for tile in tiles[:2]]
    assert found == levels


@pytest.mark.usefixtures("marker")
def test_percentile_scale_cuts_off_one_hundredth_at_each_end() -> None:
    values = np.arange(10_001, dtype=np.float32)  # so 100 and 9900 are the percentiles
    maps = np.random.default_rng(0).permutation(values)[np.newaxis, np.newaxis]
    look = Look("percentile", tile=10_001)
    *_, tile, _ramp = marked_areas(decoded(draw_maps(maps, PLAIN, look)))
    expected = np.rint(np.clip((maps[0, 0] - 100) / 9800, 0, 1) * 255)
    assert (tile[0] == expected).all()


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize(
    ("shape", "tile", "block"),
    [
        pytest.param((64, 224, 224), None, 1, id="VGG16's first layer as it is"),
        pytest.param((2048, 112, 112), None, 2, id="large maps of many channels"),
        pytest.param((1, 5000, 4400), None, 2, id="one map larger than a sheet"),
        pytest.param((4, 64, 64), 32, 2, id="asked for"),
        pytest.param((4, 64, 64), 33, 2, id="asked for, about"),
        pytest.param((4, 64, 64), 10, 7, id="asked for, edges with fewer values"),
    ],
)
def test_large_maps_are_shrunk_to_means_and_the_sheet_is_bounded(
    shape: tuple[int, int, int], tile: int | None, block: int
) -> None:
    maps = np.zeros(shape, np.float32)
    last = np.random.default_rng(0).random(shape[1:], dtype=np.float32)
    last[0, 0], last[-1, -1] = 0, 1
    maps[:] = last
    pixels = decoded(draw_maps(maps, PLAIN, Look(tile=tile)))
    assert max(pixels.shape) < 4200
    areas = marked_areas(pixels)
    assert len(areas) == len(maps) + 1
    ends = range(0, shape[1], block), range(0, shape[2], block)
    first_rows = [[last[y : y + block, x : x + block].mean() for x in ends[1]] for y in ends[0][:3]]
    assert areas[0].shape == (len(ends[0]), len(ends[1]))
    # Half a level, where a mean in float32 lies between two.
    assert np.abs(areas[0][:3] - np.array(first_rows) * 255).max() <= 0.51


def test_sheet_that_no_one_could_open_is_refused() -> None:
    with pytest.raises(UsageError, match="choose smaller tiles or fewer channels"):
        draw_maps(np.zeros((400, 4, 4), np.float32), PLAIN, Look(tile=1000))


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize("count", [512, 2048])
def test_tiles_of_many_small_maps_can_be_seen(count: int) -> None:
    maps = whole_levels(count, 7, 7)
    *tiles, _ramp = marked_areas(decoded(draw_maps(maps, PLAIN)))
    assert len(tiles) == count
    assert min(tiles[0].shape) >= 48


def test_block_with_a_value_that_is_not_finite_is_not_finite() -> None:
    values = np.arange(20, dtype=np.float32).reshape(4, 5)
    values[3, 4] = np.nan
    means = block_means(values, 2, 2)
    assert means[:, :2].tolist() == [[3, 5], [13, 15]]  # (0 + 1 + 5 + 6) / 4 …
    assert means[0, 2] == 6.5  # of two: the edge
    assert np.isnan(means[1, 2])


def test_constant_map_without_a_scale_is_gray_not_the_darkest_color() -> None:
    maps = whole_levels(4, 4, 4)
    maps[2] = 9
    pixels = decoded(draw_maps(maps, PLAIN))
    assert (pixels == (218, 220, 224)).all(axis=2).sum() >= 128 * 128


def said_by(monkeypatch: pytest.MonkeyPatch, *arguments: Any, **options: Any) -> set[str]:
    """Every text that is put on the sheet."""
    texts: set[str] = set()
    monkeypatch.setattr(Canvas, "text", lambda self, text, *_args, **_options: texts.add(text))
    draw_maps(*arguments, **options)
    return texts


def test_channels_have_their_true_numbers_and_their_share_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caption = Caption("C1", "layer", {40: "dead"}, "the most active")
    maps = whole_levels(3, 4, 4)
    said = said_by(monkeypatch, maps, caption, channels=[7, 3, 40], total=64)
    assert {"7", "3", "40", "3 of 64 channels, the most active", "1 dead"} <= said
    assert "dead  0.00 to 255" in said


def test_marks_that_do_not_fit_are_signs_that_the_legend_explains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maps = np.maximum(np.random.default_rng(0).standard_normal((512, 7, 7)), 0)
    maps[5] = 0
    said = said_by(monkeypatch, maps, Caption("x", "", {5: "dead, constant"}))
    assert "1 dead (D), 1 constant (C)" in said
    assert any(text.startswith("DC") for text in said)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look(), {"each map’s smallest value", "its largest"}),
        (Look("layer"), {"0.00", "255"}),
        (Look("symmetric"), {"-255", "255, middle 0"}),
        (Look("percentile"), {"1st percentile 0.00", "99th percentile 255"}),
    ],
    ids=["channel", "layer", "symmetric", "percentile"],
)
def test_color_bar_has_numbers_only_where_they_hold_for_all_maps(
    monkeypatch: pytest.MonkeyPatch, look: Look, words: set[str]
) -> None:
    maps = np.zeros((4, 10, 10), np.float32)
    maps[:, :5] = 255
    assert words <= said_by(monkeypatch, maps, PLAIN, look)


@pytest.mark.usefixtures("marker")
def test_kernel_stands_left_of_its_map() -> None:
    maps = whole_levels(4, 30, 30)
    kernels = whole_levels(4, 3, 3).reshape(4, 1, 3, 3) - 100
    areas = marked_areas(decoded(draw_maps(maps, PLAIN, kernels=kernels)))
    thumbnails = [area for area in areas if area.shape[0] == area.shape[1] < 100]
    assert len(thumbnails) == 4
    for area, kernel in zip(thumbnails, kernels[:, 0], strict=True):
        factor = area.shape[0] // 3
        levels = np.rint((kernel / np.abs(kernel).max() + 1) / 2 * 255)
        assert (area[::factor, ::factor] == levels).all()


@pytest.mark.parametrize(
    ("count", "side", "most"),
    [
        pytest.param(300, 14, 2800, id="tiles made smaller before the sheet gets large"),
        pytest.param(4096, 7, 4200, id="very many"),
    ],
)
def test_sheet_is_never_larger_than_can_be_opened(count: int, side: int, most: int) -> None:
    pixels = decoded(draw_maps(whole_levels(count, side, side), PLAIN))
    assert max(pixels.shape) <= most


def test_more_maps_than_a_sheet_can_number_are_refused() -> None:
    with pytest.raises(UsageError, match="choose fewer"):
        draw_maps(np.zeros((50_000, 1, 2), np.float32), PLAIN)
