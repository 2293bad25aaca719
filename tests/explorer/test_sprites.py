"""A layer's picture, against values worked out by hand and Pillow's own reading."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cnnviz.explorer import sprites
from cnnviz.explorer.sprites import cells_of, most_lossless, sheet_of
from cnnviz.render.tiles import block_means


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def smooth(channels: int, side: int) -> np.ndarray:
    place = np.linspace(0, 6, side, dtype=np.float32)
    waves = np.sin(place[:, None] + place[None, :] * 1.3)
    return np.stack([waves * (n + 1) for n in range(channels)]).astype(np.float32)


def test_each_channel_takes_all_levels_of_its_own_range() -> None:
    values = np.array([[[0, 1], [2, 4]], [[-8, -8], [8, 0]]], np.float32)
    cells = cells_of(values, None)
    assert cells is not None
    assert cells.levels.tolist() == [[[0, 64], [128, 255]], [[0, 0], [255, 128]]]
    assert (cells.size, cells.reduced) == ((2, 2), (1, 1))


def test_a_lossless_sheet_has_the_levels_in_their_places(rng: np.random.Generator) -> None:
    cells = cells_of(rng.normal(size=(7, 5, 9)).astype(np.float32), None)
    assert cells is not None
    sheet = sheet_of(cells, lossless=None)
    picture = read(sheet.data)
    assert (sheet.mime, sheet.off, picture.shape) == ("image/png", None, sheet.size)
    for n in range(7):
        row, column = divmod(n, sheet.columns)
        cell = picture[row * 5 : row * 5 + 5, column * 9 : column * 9 + 9]
        assert np.array_equal(cell, cells.levels[n])


def test_levels_stand_for_values_within_half_a_level(rng: np.random.Generator) -> None:
    values = rng.normal(size=(3, 16, 16)).astype(np.float32)
    cells = cells_of(values, None)
    assert cells is not None
    low, high = values.min((1, 2), keepdims=True), values.max((1, 2), keepdims=True)
    back = low + cells.levels / 255 * (high - low)
    assert (np.abs(back - values) <= (high - low) / 510 * 1.001).all()


def test_a_large_map_is_reduced_by_means_of_blocks() -> None:
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    expected = [[np.mean([0, 1, 5, 6]), np.mean([2, 3, 7, 8]), np.mean([4, 9])], [10.5, 12.5, 14]]
    assert block_means(values, 2, 2).tolist() == expected
    cells = cells_of(np.zeros((2, 225, 224), np.float32), 112)
    assert cells is not None
    assert (cells.reduced, cells.levels.shape) == ((3, 2), (2, 75, 112))


@pytest.mark.parametrize(
    ("shape", "kind", "size"),
    [
        ((4, 6), "strips", (1, 6)),
        ((4, 3, 5, 6), "volumes", (15, 6)),
        ((4, 5, 6), "maps", (5, 6)),
    ],
    ids=str,
)
def test_layers_of_other_axes_have_pictures(
    shape: tuple[int, ...], kind: str, size: tuple[int, int]
) -> None:
    cells = cells_of(np.zeros(shape, np.float32), 112)
    assert cells is not None
    assert (cells.kind, cells.size) == (kind, size)


@pytest.mark.parametrize("shape", [(9,), (9, 1, 1)], ids=str)
def test_single_numbers_need_no_picture(shape: tuple[int, ...]) -> None:
    assert cells_of(np.zeros(shape, np.float32), 112) is None


def test_values_that_are_not_finite_take_the_lowest_level() -> None:
    values = np.array([[[np.nan, 1], [3, np.inf]]], np.float32)
    cells = cells_of(values, None)
    assert cells is not None
    assert cells.levels.tolist() == [[[0, 0], [255, 255]]]


def test_a_large_sheet_is_webp_and_says_by_how_much_it_is_off() -> None:
    cells = cells_of(smooth(40, 100), None)
    assert cells is not None
    sheet = sheet_of(cells, lossless=None)
    exact = read(sheet_of(cells, lossless=True).data).astype(int)
    apart = np.abs(read(sheet.data).astype(int) - exact)
    assert sheet.mime == "image/webp"
    assert sheet.off is not None
    assert sheet.off[0] == pytest.approx(apart.mean())
    assert sheet.off[1] == apart.max()
    assert apart.mean() <= sprites.ALLOWED


def test_lossless_is_kept_where_it_is_asked_for() -> None:
    cells = cells_of(smooth(40, 100), None)
    assert cells is not None
    assert sheet_of(cells, lossless=True).mime == "image/png"


def test_quality_is_chosen_by_what_the_picture_needs(rng: np.random.Generator) -> None:
    noise = cells_of(rng.normal(size=(40, 100, 100)).astype(np.float32), None)
    waves = cells_of(smooth(40, 100), None)
    assert noise is not None
    assert waves is not None
    rough, even = sheet_of(noise, lossless=False), sheet_of(waves, lossless=False)
    assert rough.off is not None
    assert rough.off[0] <= sprites.ALLOWED
    assert len(even.data) * 4 < len(rough.data)


def test_the_largest_of_many_sheets_are_not_lossless() -> None:
    # 64*56*56 = 200,704 pixels each, so ten of them fit into 2,200,000 and the small ones too.
    large, small = (64, 56, 56), (512, 7, 7)
    assert most_lossless([large] * 10 + [small] * 3, None) == 2**18
    assert most_lossless([large] * 11 + [small] * 3, None) == 64 * 56 * 56 - 1
    assert most_lossless([(1, 480, 480)] * 10 + [small, (10,)], None) == 480 * 480 - 1
    # Cells of at most 112 pixels: 224 rows are halved, and slices of 113 columns become 57 wide.
    assert most_lossless([(16, 224, 224)] * 11, 112) == 16 * 112 * 112 - 1
    assert most_lossless([(2, 10, 113, 113)] * 18, 112) == 2 * 10 * 113 * 57 - 1


def test_a_sheet_is_lossless_up_to_so_many_pixels() -> None:
    cells = cells_of(smooth(4, 10), None)
    assert cells is not None
    kinds = [sheet_of(cells, lossless=None, most=most).mime for most in (399, 400)]
    assert kinds == ["image/webp", "image/png"]
