"""The figure of a filter: what it says and what it shows."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from cnnviz.figures.filter import Comparison, draw_filter
from tests.figures.made import comparison, gray, kernel, noise, said, said_by_panel, same, spoilt
from tests.linear import loaded

ALARM, DARKEST = (190, 30, 45), (77, 0, 75)


def areas(made: Comparison, color: tuple[int, int, int]) -> list[tuple[int, int, int, int]]:
    """Column, row, width and height of each connected area of a colour in the PNG."""
    with Image.open(io.BytesIO(draw_filter(made, ".png"))) as image:
        mask = (np.asarray(image.convert("RGB")) == color).all(axis=2)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return [(int(x), int(y), int(width), int(height)) for x, y, width, height, _ in boxes[1:]]


def test_every_pixel_weight_and_result_of_a_small_image_is_written() -> None:
    made = comparison(
        gray([[1, 2], [3, 4]], np.uint8),
        gray([[21, -22], [23.5, 240]]),
        gray([[21, -22], [23.5, 241]]),
        kernels=(kernel([[5, -6], ["0.25", 8]]),),
    )
    image, weights, opencv, torch, difference, *_ = said_by_panel(made)
    ticks = ["0", "1", "0", "1"]
    assert image == [*ticks, "1", "2", "3", "4"]
    assert weights == ["5", "−6", "0.25", "8"]
    assert opencv == [*ticks, "21", "−22", "23.5", "240"]
    assert torch == [*ticks, "21", "−22", "23.5", "241"]
    assert difference == [*ticks, "0", "0", "0", "1"]


def test_colours_of_a_pixel_are_written_below_each_other() -> None:
    made = same(np.array([[[7, 8, 9]]], np.uint8))
    assert said_by_panel(made)[0] == ["0", "0", "7", "8", "9"]
    assert any("in a cell: red, green, blue" in text for text in said(made))


@pytest.mark.parametrize(
    ("value", "written", "rounded"),
    [
        (-7.0, "−7", False),
        (-0.0, "0", False),
        (65535.0, "65535", False),
        (93.125, "93.12", True),
        (12.25, "12.25", False),
        (12345.75, "12346", True),
        (0.000125, "0.000125", False),
        (float("nan"), "nan", False),
        (-float("inf"), "−inf", False),
    ],
)
def test_number_in_a_cell_is_rounded_only_when_that_is_said(
    value: float, written: str, rounded: bool
) -> None:
    made = comparison(gray([[1]]), gray([[value]]))
    assert said_by_panel(made)[2][2] == written
    assert any("numbers in cells are rounded" in text for text in said(made)) == rounded


def test_many_pixels_are_not_numbered() -> None:
    source = noise(13, 13, 1)
    assert source.max() > 12
    assert set(said_by_panel(same(source))[0]) <= set(map(str, range(13))), "rows and columns"


def test_sizes_are_rows_times_columns() -> None:
    source = noise(30, 50)
    made = comparison(source, source[::2].astype(np.float32), kernels=(kernel([[1, 2, 3]]),))
    assert {"input 30×50", "mine 1×3", "OpenCV 15×50"} <= set(said(made))


@pytest.mark.parametrize(
    ("pixels", "depth"),
    [
        pytest.param(noise(20, 20), "RGB, 8-bit", id="RGB"),
        pytest.param(noise(20, 20, 1, np.uint16), "gray, 16-bit", id="16-bit"),
        pytest.param(gray([[-0.5, 0, 2.25]]), "gray float32, −0.5 to 2.25", id="float"),
        pytest.param(np.full((20, 20, 3), 0.5), "RGB float64, all 0.5", id="flat"),
        pytest.param(np.full((20, 20, 1), np.nan), "gray float64, none finite", id="NaN"),
    ],
)
def test_depth_of_the_input_is_said(pixels: np.ndarray, depth: str) -> None:
    assert depth in said(comparison(pixels, pixels.astype(np.float32)))


def test_range_of_each_result_is_said() -> None:
    texts = said(comparison(gray([[0, 1]]), gray([[-3, 7]]), gray([[-3, 8]])))
    assert {"values −3 to 7", "values −3 to 8"} <= set(texts)


def test_identical_results_are_called_so_and_no_scale_is_drawn() -> None:
    panels = said_by_panel(same(noise(40, 60)))
    assert len(panels) == 5
    assert panels[4][:2] == ["identical", "on 7,200 values"]
    assert "largest 0, bound 0 (exact)" in panels[4]


def test_difference_within_the_bound_has_its_scale_in_real_units() -> None:
    first = noise(40, 60, 1, np.float32)
    second = first.copy()
    second[:, ::2] += 0.25
    panels = said_by_panel(comparison(first, first, second, allowed=0.5))
    assert panels[5][:2] == ["0", "0.25"]
    assert {"within the bound on 2,400 values", "largest 0.25, bound 0.5"} <= set(panels[5])


def test_one_engine_is_called_not_verified_and_has_no_difference() -> None:
    panels = said_by_panel(comparison(noise(40, 60), noise(40, 60, 3, np.float32)))
    assert len(panels) == 3
    assert "not verified: OpenCV alone" in panels[2]
    assert not any("|" in text and "torch" in text for text in panels[2])


def test_gradient_magnitude_has_both_kernels() -> None:
    both = (loaded("sobel_x"), loaded("sobel_y"))
    panels = said_by_panel(same(noise(40, 60), kernels=both))
    assert len(panels) == 6
    assert "Magnitude √(sobel_x² + sobel_y²)" in panels[5]
    assert panels[1] == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]
    assert panels[2] == ["−1", "−2", "−1", "0", "0", "0", "1", "2", "1"]


def test_disagreement_is_said_with_its_place() -> None:
    texts = said(spoilt(noise(40, 60) * 0 + np.uint8(5), 10, 30, channel=2, by=200))
    assert "the engines disagree at row 10, column 30, blue" in texts
    assert "OpenCV 5, torch 205: largest 200, bound 0 (exact)" in texts


def test_ring_is_around_the_wrong_pixel() -> None:
    made = spoilt(noise(100, 100), 60, 20)
    dot = max(areas(made, DARKEST), key=lambda box: min(box[2:]))
    rings = [box for box in areas(made, ALARM) if min(box[2:]) > 30]
    assert len(rings) == 1
    for k in (0, 1):
        assert rings[0][k] + rings[0][k + 2] / 2 == pytest.approx(dot[k] + dot[k + 2] / 2, abs=2)


@pytest.mark.parametrize("place", [(0, 0), (123, 456), (399, 899)], ids=str)
def test_single_wrong_value_of_a_large_image_is_seen(place: tuple[int, int]) -> None:
    made = spoilt(noise(400, 900), *place, by=3)
    assert any(min(box[2:]) >= 3 for box in areas(made, DARKEST))
    assert said_by_panel(made)[5][:2] == ["0", "3"], "its size is not thinned out"
    assert any("of up to 9×9 pixels" in text for text in said(made))


def test_infinite_difference_is_red_and_has_no_scale() -> None:
    made = spoilt(noise(40, 60), 5, 5, by=np.inf)
    assert len(said_by_panel(made)) == 5
    assert any("largest inf" in text for text in said(made))


def test_results_that_are_the_same_look_the_same() -> None:
    svg = draw_filter(same(noise(40, 60, 3, np.float32)), ".svg").decode()
    pictures = re.findall(r"data:image/png;base64,(.*?)\"", svg, re.DOTALL)
    assert len(pictures) == 4
    assert pictures[2] == pictures[3]


def test_nan_is_red_and_what_is_left_out_is_counted() -> None:
    source = noise(40, 60, 1, np.float32)
    assert areas(same(source), ALARM) == []
    source[10:20, 10:20] = np.nan
    made = comparison(source, source, source, ignore=np.isnan(source))
    assert sum(min(box[2:]) > 30 for box in areas(made, ALARM)) == 3
    assert any("gray: left out of the comparison, 100 values" in text for text in said(made))


def test_nothing_to_compare_is_not_called_verified() -> None:
    source = np.full((20, 30, 1), np.nan)
    made = comparison(source, source, source, ignore=np.isnan(source))
    texts = said(made)
    assert "not verified:" in texts
    assert not any("identical" in text for text in texts)


@pytest.mark.parametrize(
    ("made", "below"),
    [
        pytest.param(
            kernel([[1, 2, 1]], divisor=Fraction(4)), ["1", "2", "1", "÷ 4"], id="divisor"
        ),
        pytest.param(kernel([[1, -1]], offset=Fraction(128)), ["1", "−1", "+ 128"], id="offset"),
        pytest.param(
            kernel([[1, 1]], divisor=Fraction(2), offset=Fraction(-8)),
            ["1", "1", "÷ 2  − 8"],
            id="both",
        ),
    ],
)
def test_division_and_offset_stand_below_the_weights(made: object, below: list[str]) -> None:
    assert sorted(said_by_panel(same(noise(40, 60), kernels=(made,)))[1]) == sorted(below)


def test_long_weights_are_rounded_and_that_is_said() -> None:
    panels = said_by_panel(same(noise(40, 60), kernels=(loaded("farid_x"),)))
    assert panels[1][:5] == ["−0.004", "−0.01", "0", "0.01", "0.004"]
    assert "weights sum to 0, shown rounded" in panels[-1]


@pytest.mark.parametrize("rows", [13, 101], ids=str)
def test_large_kernel_has_a_colour_bar_from_its_smallest_weight_to_its_largest(rows: int) -> None:
    weights = [[column - rows // 4 for column in range(rows)]] * rows
    panels = said_by_panel(same(noise(40, 60), kernels=(kernel(weights),)))
    assert panels[1] == []
    assert panels[2] == [f"−{rows // 4}", "0", str(rows - 1 - rows // 4)]


def test_details_stand_in_the_figure() -> None:
    made = same(noise(40, 60), details="border reflect101", display="minmax")
    (foot,) = [text for text in said(made) if "border reflect101" in text]
    assert "the smallest is black, the largest white (minmax)" in foot
