"""Visits and reach against counting by hand, window by window; shifts against torch."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.step.counting import reach_counts, visit_counts
from cnnviz.step.moving import shifted
from cnnviz.step.setup import Asked, axes_of
from cnnviz.step.shift import moved
from cnnviz.step.visits import visits

SETTINGS = [
    pytest.param({}, id="plain"),
    pytest.param({"stride": (2, 2)}, id="stride"),
    pytest.param({"padding": (2, 1)}, id="padding"),
    pytest.param({"stride": (2, 1), "dilation": (2, 3), "padding": (1, 1)}, id="holes"),
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_visits_are_what_all_windows_read(setting: dict[str, Any]) -> None:
    height, width, kernel = 8, 9, (3, 2)
    asked = Asked(**setting)
    (down, right), (dilate_y, dilate_x) = asked.stride, asked.dilation
    top, left = (0, 0) if asked.padding == "valid" else setting["padding"]
    counts: Counter[tuple[int, int]] = Counter()
    for y, x in product(range(-top, height + top, down), range(-left, width + left, right)):
        cells = [
            (y + a * dilate_y, x + b * dilate_x)
            for a, b in product(range(kernel[0]), range(kernel[1]))
        ]
        if cells[-1][0] < height + top and cells[-1][1] < width + left:
            counts.update(cells)
    expected = tuple(tuple(counts[y, x] for x in range(width)) for y in range(height))
    assert visits((height, width), axes_of(asked, kernel)) == expected


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kernel", [(3, 3), (4, 2)])
def test_copies_are_a_transposed_convolution_of_ones(
    setting: dict[str, Any], kernel: tuple[int, int]
) -> None:
    found = visits((4, 5), axes_of(Asked(transposed=True, **setting), kernel))
    ones = torch.ones(1, 1, 4, 5), torch.ones(1, 1, *kernel)
    assert torch.equal(torch.tensor(found).float(), F.conv_transpose2d(*ones, **setting)[0, 0])


def test_a_stride_that_does_not_divide_the_kernel_makes_a_checkerboard() -> None:
    asked = Asked(size=(4, 4), kernels=("3x3",), transposed=True, stride=(2, 2))
    named = visit_counts(asked).named
    inner = [row[2:-2] for row in named["kernel 3x3, stride 2"][2:-2]]
    assert inner[0] == (4, 2, 4, 2, 4)
    assert inner[1] == (2, 1, 2, 1, 2)
    even = [row[2:-2] for row in named["kernel 4x4, stride 2"][2:-2]]
    assert {value for row in even for value in row} == {4}


@pytest.mark.parametrize(("dilation", "layers"), [(1, 1), (1, 3), (2, 3), (3, 2)])
def test_reach_is_the_gradient_of_one_output(dilation: int, layers: int) -> None:
    asked = Asked(kernels=("3x3",), dilation=(dilation, dilation))
    *_, counts = reach_counts(asked, layers).named.values()
    image = torch.zeros(1, 1, len(counts), len(counts), dtype=torch.float64, requires_grad=True)
    output = image
    for _ in range(layers):
        output = F.conv2d(output, torch.ones(1, 1, 3, 3).double(), dilation=dilation)
    assert output.numel() == 1
    output.sum().backward()
    assert image.grad is not None
    assert torch.equal(torch.tensor(counts).double(), image.grad[0, 0])


def test_dilated_layers_leave_a_grid_of_holes() -> None:
    asked = Asked(kernels=("3x3",), dilation=(2, 2))
    named = reach_counts(asked, 3).named
    assert sum(n == 0 for row in named["dilation 2"] for n in row) == 13 * 13 - 7 * 7
    assert all(n for row in named["dilation 1"] for n in row)


def test_without_a_stride_the_map_moves_along_and_with_one_it_does_not() -> None:
    _, (plain, strided) = shifted(Asked(), (0, 1))
    assert (plain.by, plain.same, plain.compared) == ((0, 1), 6, 6)
    assert strided.by is None
    assert strided.same < strided.compared


def test_a_shift_of_whole_steps_moves_the_strided_map() -> None:
    asked = Asked(size=(6, 6), kernels=("sobel_x",), stride=(2, 2))
    _, (_, strided) = shifted(asked, (2, 2))
    assert (strided.by, strided.same) == ((1, 1), strided.compared)


def test_padding_breaks_the_move_at_the_edge_it_moves_to() -> None:
    asked = Asked(size=(5, 5), kernels=("3x3",), padding="same")
    _, (plain, _) = shifted(asked, (0, 1))
    assert (plain.same, plain.compared) == (15, 20)  # the last column lost what it read beyond


def test_a_pool_after_it_counts_as_a_stride() -> None:
    _, results = shifted(Asked(size=(6, 6), kernels=("2x2",), then="relu maxpool:k2,s2"), (0, 2))
    assert results[-1].what == "stride 1, then relu maxpool:k2,s2"
    assert results[-1].by == (0, 1)


def test_an_input_that_moves_out_of_sight_is_refused() -> None:
    assert moved((((1, 2), (3, 4)),), 1, 0) == (((0, 0), (1, 2)),)
    with pytest.raises(CnnvizError, match="nothing of it is left"):
        shifted(Asked(), (0, 5))
