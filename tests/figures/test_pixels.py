from __future__ import annotations

import numpy as np
import pytest

from cnnviz.figures.pixels import largest_difference, picture, shrunk
from tests.figures.made import gray, noise

RED = [190, 30, 45]


def test_pixels_that_are_few_enough_are_drawn_as_they_are() -> None:
    pixels = noise(20, 30)
    assert np.array_equal(picture(pixels, pixels, 1), pixels)


def test_gray_is_drawn_gray() -> None:
    assert picture(gray([[0, 7]], np.uint8), gray([[0, 7]]), 1).tolist() == [[[0] * 3, [7] * 3]]


def test_sixteen_bits_become_eight() -> None:
    pixels = gray([[0, 257, 65535]], np.uint16)
    assert picture(pixels, pixels, 1)[0, :, 0].tolist() == [0, 1, 255]


def test_floats_run_from_black_to_white_and_what_is_no_number_is_red() -> None:
    pixels = gray([[-1.0, 0.0, 1.0, np.nan, np.inf]])
    seen = picture(pixels, pixels, 1)[0].tolist()
    assert seen == [[0] * 3, [128] * 3, [255] * 3, RED, RED]


def test_result_that_is_no_number_is_red_whatever_its_pixel() -> None:
    assert picture(gray([[5, 5]], np.uint8), gray([[5, -np.inf]]), 1)[0].tolist() == [[5] * 3, RED]


@pytest.mark.parametrize("shape", [(7, 11), (1, 10), (10, 1), (4, 4), (9, 100)], ids=str)
@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_blocks_cover_every_pixel_once_and_are_even(shape: tuple[int, int], step: int) -> None:
    counts = shrunk(np.ones(shape).__getitem__, shape, step, np.sum)
    rows = shrunk(np.ones((shape[0], 1)).__getitem__, (shape[0], 1), step, np.sum)[:, 0]
    assert counts.shape == tuple(-(-length // step) for length in shape)
    assert counts.sum() == shape[0] * shape[1]
    assert rows.max() <= step
    assert rows.max() - rows.min() <= 1


def test_block_is_the_mean_of_its_pixels() -> None:
    pixels = np.array([[[0], [10], [200]], [[20], [30], [100]]], np.uint8)
    assert picture(pixels, pixels, 2)[:, :, 0].tolist() == [[10, 85]]


def test_block_with_a_nan_is_red() -> None:
    pixels = np.zeros((6, 6, 3), np.float32)
    pixels[4, 1, 2] = np.nan
    seen = picture(pixels, pixels, 3)
    assert (seen == RED).all(axis=2).tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize("step", [1, 2, 7, 40])
def test_every_wrong_value_is_in_its_block(step: int) -> None:
    first = noise(30, 40, 3, np.float32)
    for row, column, channel in [(0, 0, 0), (29, 39, 2), (13, 7, 1)]:
        second = first.copy()
        second[row, column, channel] -= 2
        found = largest_difference(first, second, step)
        assert found.max() == 2
        assert (found > 0).sum() == 1
        place = np.argwhere(found)[0] * first.shape[:2] / found.shape
        assert np.abs(place - (row, column)).max() <= step


def test_difference_beside_a_nan_is_not_lost() -> None:
    first, second = np.zeros((4, 4, 3)), np.zeros((4, 4, 3))
    first[0, 0, 0] = second[0, 0, 0] = np.nan
    first[2:, 2:] = np.nan
    second[0, 0, 1] = -3
    found = largest_difference(first, second, 2)
    assert found[0].tolist() == [3, 0]
    assert np.isnan(found[1]).tolist() == [False, True]


def test_infinite_difference_stays_infinite() -> None:
    assert largest_difference(gray([[1, 2]]), gray([[np.inf, 2]]), 2).tolist() == [[np.inf]]
