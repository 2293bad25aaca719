"""Borders and depths: example 5 of the notes, and what cv2 and numpy make of 8 bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cnnviz.engines import Window
from cnnviz.errors import UsageError
from cnnviz.filtering import FilterOptions
from cnnviz.filtering.traps import borders, depths
from tests.linear import loaded

CHANNELS = (
    "148 33 232 240 / 87 162 143 148 / 27 169 50 173 / 35 25 144 38",
    "63 158 46 102 / 80 193 139 137 / 53 192 29 114 / 138 77 90 153",
    "211 182 26 51 / 155 12 54 201 / 173 242 211 112 / 50 91 141 162",
)
EXAMPLE = np.stack(
    [np.array([row.split() for row in text.split("/")], int) for text in CHANNELS], axis=2
).astype(np.uint8)
LAPLACIAN = loaded("laplacian_8")
MEAN = FilterOptions(channels="mean")


def test_three_routes_to_one_pixel_of_the_notes() -> None:
    found = [float(route.result[0, 0, 0]) for route in depths(EXAMPLE, LAPLACIAN, MEAN)]
    # In floating point; cut off at 255; added in 8 bits; as Conv2d(3, 1, padding=1) does it.
    assert found == pytest.approx([518 / 3, 170, 254 / 3, 2314 / 3], rel=1e-6)


def test_the_routes_in_8_bits_are_those_of_cv2_and_numpy() -> None:
    weights = np.array(LAPLACIAN.rounded)
    saturated = cv2.filter2D(EXAMPLE, -1, weights)
    _, mean, wrapped, _ = depths(EXAMPLE, LAPLACIAN, MEAN)
    assert np.allclose(mean.result[:, :, 0], saturated.mean(axis=2), rtol=1e-6)
    with np.errstate(over="ignore"):
        total = saturated[:, :, 0] + saturated[:, :, 1] + saturated[:, :, 2]
    assert total.dtype == np.uint8
    assert np.allclose(wrapped.result[:, :, 0], total / 3, rtol=1e-6)


def test_each_channel_is_cut_off_or_wraps_at_the_images_depth() -> None:
    _, cut, wrapped, _ = depths(EXAMPLE, LAPLACIAN, FilterOptions())
    weights = np.array(LAPLACIAN.rounded)
    assert np.array_equal(cut.result, cv2.filter2D(EXAMPLE, -1, weights))
    exact = cv2.filter2D(EXAMPLE, cv2.CV_64F, weights).astype(np.int64)
    assert np.array_equal(wrapped.result, exact.astype(np.uint8))
    _, cut, wrapped, _ = depths(EXAMPLE.astype(np.uint16) * 257, LAPLACIAN, FilterOptions())
    assert cut.result.max() == 65535
    assert np.array_equal(wrapped.result, (exact * 257).astype(np.uint16))


def test_borders_differ_in_the_frame_alone_and_are_counted() -> None:
    reference, *others = borders(EXAMPLE, LAPLACIAN, MEAN)
    assert (reference.name, reference.count, reference.reach) == ("reflect101", 0, 0)
    assert [route.name for route in others] == ["replicate", "reflect", "wrap", "zeros"]
    frame = np.ones((4, 4), bool)
    frame[1:3, 1:3] = False
    for route in others:
        assert np.array_equal(route.differs, frame)
        assert (route.count, route.reach) == (12, 1)
    assert others[-1].result[0, 0, 0] == pytest.approx(2314 / 3)


def test_a_kernel_of_5x5_reaches_two_pixels_inside() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 1), dtype=np.uint8)
    zeros = borders(image, loaded("box_5"), FilterOptions())[-1]
    assert zeros.reach == 2
    assert zeros.count == 20 * 30 - 16 * 26


def test_without_padding_no_border_matters() -> None:
    valid = FilterOptions(Window(padding="valid"))
    assert [route.count for route in borders(EXAMPLE, LAPLACIAN, valid)] == [0] * 5
    assert len(depths(EXAMPLE, LAPLACIAN, valid)) == 3


def test_floats_have_no_depth_to_leave() -> None:
    with pytest.raises(UsageError, match="the image is float32: nothing is cut off"):
        depths(EXAMPLE.astype(np.float32), LAPLACIAN, MEAN)
