"""The worked examples of the course notes, with the right numbers where the notes err."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cnnviz.matrices import Maps, parse_maps
from cnnviz.step.counting import visit_counts
from cnnviz.step.setup import Asked, work_out

ONE = ("1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0",)
PLUS = ("1 0 1; 0 1 0; 1 0 1",)
THREE = ("1 0; 0 1", "1 0; 1 1", "1 0; 0 0")
RED = "148 33 232 240; 87 162 143 148; 27 169 50 173; 35 25 144 38"
GREEN = "63 158 46 102; 80 193 139 137; 53 192 29 114; 138 77 90 153"
BLUE = "211 182 26 51; 155 12 54 201; 173 242 211 112; 50 91 141 162"


def output(**asked: object) -> Maps:
    return work_out(Asked(**asked)).sliding.output  # type: ignore[arg-type]


def test_ones_and_zeros_have_a_4_at_the_top_right() -> None:
    worked = work_out(Asked(rows=ONE, kernels=PLUS))
    assert worked.sliding.output == parse_maps("4 3 4; 2 4 3; 2 3 4")
    first = worked.sliding.window(0, 0, 0)
    assert [t.product for row in first.channels[0] for t in row] == [1, 0, 1, 0, 1, 0, 0, 0, 1]


def test_three_filters_give_three_maps() -> None:
    assert output(size=(5, 5), kernels=THREE) == parse_maps(
        "8 10 12 14; 18 20 22 24; 28 30 32 34; 38 40 42 44"
        "| 14 17 20 23; 29 32 35 38; 44 47 50 53; 59 62 65 68"
        "| 1 2 3 4; 6 7 8 9; 11 12 13 14; 16 17 18 19"
    )


@pytest.mark.parametrize(
    ("pool", "maps"),
    [
        ("maxpool", "20 24; 40 44 | 32 38; 62 68 | 7 9; 17 19"),
        ("avgpool", "14 18; 34 38 | 23 29; 53 59 | 4 6; 14 16"),
        ("minpool", "8 12; 28 32 | 14 20; 44 50 | 1 3; 11 13"),
    ],
)
def test_maps_are_pooled(pool: str, maps: str) -> None:
    worked = work_out(Asked(size=(5, 5), kernels=THREE, then=pool))
    assert worked.stages[-1].output.maps == parse_maps(maps)


@pytest.mark.parametrize(
    ("stride", "map_"), [(1, "7 9 11; 15 17 19; 23 25 27"), (2, "7 11; 23 27")]
)
def test_a_stride_skips_values(stride: int, map_: str) -> None:
    found = output(size=(4, 4), kernels=("1 0; 0 1",), stride=(stride, stride))
    assert found == parse_maps(map_)


def test_the_laplacian_block_is_1196() -> None:
    block = ("50 52 49; 51 200 53; 48 49 52",)
    assert output(rows=block, kernels=("laplacian_8",)) == ((((1196,),)),)


def test_the_mean_of_three_channels_is_a_convolution_with_a_third_of_the_kernel() -> None:
    colors = (RED, GREEN, BLUE)
    expected = parse_maps(
        "2314 1233 477 2018; 558 33 -527 2166; 316 2465 -792 1352; 735 -200 1162 1760"
    )
    laplacian = {"rows": colors, "kernels": ("laplacian_8",), "padding": (1, 1)}
    assert output(**laplacian) == expected
    (mean,) = output(**laplacian, channels="mean")
    assert mean[0][0] == Fraction(2314, 3)
    assert [[3 * value for value in row] for row in mean] == [list(row) for row in expected[0]]
    each = output(**laplacian, channels="each")
    assert [sum(m[2][1] for m in each), len(each)] == [2465, 3]


def test_corners_are_read_once_and_with_padding_four_times() -> None:
    named = visit_counts(Asked(size=(5, 5), kernels=("3x3",))).named
    plain, padded = named["without padding"], named["padding 1"]
    assert (plain[0][0], plain[0][2], plain[2][2]) == (1, 3, 9)
    assert (padded[0][0], padded[2][2]) == (4, 9)
