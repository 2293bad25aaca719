"""Signed results become the pixels that were worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cnnviz.display import mapping, resolve_display
from cnnviz.kernels import parse_kernel

NAN, INF = float("nan"), float("inf")


def shown(
    values: list[float], source: Any, display: str, dtype: Any = np.float32
) -> tuple[list[int], str, Any]:
    result = np.array(values, dtype).reshape(1, -1, 1)
    how = mapping(source, display, result)
    pixels = how(result)
    assert pixels.shape == result.shape
    assert pixels.dtype == how.depth
    return pixels.ravel().tolist(), how.note, pixels.dtype


@pytest.mark.parametrize(
    ("display", "values", "expected"),
    [
        pytest.param("clip", [-3, 0, 7, 255, 256, 1e9], [0, 0, 7, 255, 255, 255], id="clip"),
        pytest.param("abs", [-300, -7, 0, 7, 300], [255, 7, 0, 7, 255], id="abs"),
        pytest.param("offset", [-129, -128, -1, 0, 127, 128], [0, 0, 127, 128, 255, 255], id="mid"),
        pytest.param("minmax", [-10, 0, 10, 41], [0, 50, 100, 255], id="minmax"),
        pytest.param("minmax", [7, 7], [0, 0], id="minmax-of-one-value"),
        pytest.param("clip", [0.5, 1.5, 2.5, 2.51, -0.5], [0, 2, 2, 3, 0], id="half-to-even"),
        pytest.param("offset", [-0.4, 0.6], [128, 129], id="rounds-after-shifting"),
        pytest.param("clip", [NAN, INF, -INF], [0, 255, 0], id="clip-nonfinite"),
        pytest.param("abs", [NAN, INF, -INF], [0, 255, 255], id="abs-nonfinite"),
        pytest.param("offset", [NAN, INF, -INF], [0, 255, 0], id="offset-nonfinite"),
        pytest.param("minmax", [NAN, INF, -INF, 0, 5], [0, 255, 0, 0, 255], id="minmax-nonfinite"),
        pytest.param("minmax", [NAN, NAN], [0, 0], id="minmax-of-nothing-finite"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_8_bit_sources_give_8_bit_pixels(
    display: str, values: list[float], expected: list[int], dtype: Any
) -> None:
    pixels, _, depth = shown(values, np.zeros((1, 1, 1), np.uint8), display, dtype)

    assert (pixels, depth) == (expected, np.uint8)


@pytest.mark.parametrize(
    ("display", "values", "expected"),
    [
        pytest.param("clip", [-1, 256, 65535, 65536], [0, 256, 65535, 65535], id="clip"),
        pytest.param("abs", [-65536, -256], [65535, 256], id="abs"),
        pytest.param("offset", [-32769, 0, 32767, 32768], [0, 32768, 65535, 65535], id="mid"),
        pytest.param("minmax", [-1, 0, 2], [0, 21845, 65535], id="minmax"),
    ],
)
def test_16_bit_sources_give_16_bit_pixels(
    display: str, values: list[float], expected: list[int]
) -> None:
    pixels, _, depth = shown(values, np.zeros((1, 1, 1), np.uint16), display)

    assert (pixels, depth) == (expected, np.uint16)


@pytest.mark.parametrize(
    ("display", "values", "expected"),
    [
        # The source runs from -1 to 2: 65535 / 3 = 21845 steps for each unit.
        pytest.param("clip", [-2, -1, 0, 1, 2, 3], [0, 0, 21845, 43690, 65535, 65535], id="clip"),
        pytest.param("abs", [-1, 0, 2, -4], [21845, 0, 43690, 65535], id="abs"),
        pytest.param("offset", [-1, 0, 1, 2], [10923, 32768, 54613, 65535], id="mid"),
        pytest.param("minmax", [-4, 0, 1], [0, 52428, 65535], id="minmax"),
        pytest.param("clip", [NAN, INF, -INF], [0, 65535, 0], id="nonfinite"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_sources_are_scaled_by_their_finite_range(
    display: str, values: list[float], expected: list[int], dtype: Any
) -> None:
    source = np.array([-1, 0.5, NAN, INF, 2, -INF], dtype).reshape(2, 3, 1)

    pixels, note, depth = shown(values, source, display)

    assert (pixels, depth) == (expected, np.uint16)
    limits = "-4 to 1" if display == "minmax" else "-1 to 2"
    assert limits in note


def test_a_flat_float_source_is_not_divided_by_its_range() -> None:
    pixels, _, _ = shown([3, 4, 5], np.full((1, 1, 1), 3, np.float32), "clip")

    assert pixels == [0, 1, 2]


def test_parts_of_a_result_are_shown_on_the_scale_of_all_of_it() -> None:
    result = np.arange(514, dtype=np.float32).reshape(514, 1, 1)  # no value falls between two
    before = result.copy()
    how = mapping(np.zeros((1, 1, 1), np.uint8), "minmax", result)

    pixels = [*how(result[:200]).ravel(), *how(result[200:]).ravel()]

    assert pixels == [round(Fraction(255 * row, 513)) for row in range(514)]
    assert np.array_equal(result, before)


@pytest.mark.parametrize(
    ("kernel", "display"),
    [
        pytest.param('{"weights": [[-1, 0, 1]]}', "abs", id="sums-to-0"),
        pytest.param('{"weights": [[1, 2, 1]]}', "clip", id="sums-to-something"),
        pytest.param('{"weights": [[-1, 0, 1]], "offset": 128}', "clip", id="0-but-shifted"),
        pytest.param('{"weights": [[0.1, 0.2, -0.3]]}', "abs", id="decimals-that-sum-to-0"),
    ],
)
def test_auto_takes_the_sign_off_results_without_brightness(kernel: str, display: str) -> None:
    assert resolve_display("auto", parse_kernel(kernel)) == display
    assert resolve_display("minmax", parse_kernel(kernel)) == "minmax"
