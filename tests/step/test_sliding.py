"""Windows against torch's convolutions, on random numbers."""

from __future__ import annotations

import random
import warnings
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.matrices import Maps
from cnnviz.step.kernels import read_filters
from cnnviz.step.setup import Asked, work_out

SETTINGS = [
    pytest.param({}, id="plain"),
    pytest.param({"stride": (2, 1)}, id="stride"),
    pytest.param({"padding": (1, 2)}, id="padding"),
    pytest.param({"dilation": (2, 1), "padding": (2, 0)}, id="dilation"),
    pytest.param({"stride": (2, 3), "padding": (2, 1), "dilation": (1, 2)}, id="everything"),
]


def text(tensor: torch.Tensor) -> str:
    """Whole numbers of (C, H, W) as the command takes them."""
    return " | ".join(
        "; ".join(" ".join(str(int(value)) for value in row) for row in matrix) for matrix in tensor
    )


def tensor(maps: Maps) -> torch.Tensor:
    return torch.tensor([[[float(v) for v in row] for row in m] for m in maps], dtype=torch.float64)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-9, 10, shape, generator=generator).double()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("channels", [1, 3])
def test_output_is_conv2d(setting: dict[str, Any], channels: int) -> None:
    image, weights = numbers(channels, 7, 9), numbers(2, channels, 3, 2, seed=1)
    asked = Asked(
        rows=(text(image),),
        kernels=tuple(map(text, weights)),
        biases=(3, Fraction(-1, 2)),
        **setting,
    )
    expected = F.conv2d(image[None], weights, torch.tensor([3, -0.5]).double(), **setting)[0]
    assert torch.equal(tensor(work_out(asked).sliding.output), expected)


@pytest.mark.parametrize("kernel", [(3, 3), (2, 4)])
def test_padding_same_is_torchs(kernel: tuple[int, int]) -> None:
    image, weights = numbers(2, 6, 5), numbers(1, 2, *kernel, seed=1)
    asked = Asked(rows=(text(image),), kernels=(text(weights[0]),), padding="same")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch remarks on even kernels, once in a process
        expected = F.conv2d(image[None], weights, padding="same")[0]
    assert torch.equal(tensor(work_out(asked).sliding.output), expected)


@pytest.mark.parametrize("setting", SETTINGS)
def test_transposed_output_is_conv_transpose2d(setting: dict[str, Any]) -> None:
    image, weights = numbers(2, 4, 5), numbers(3, 2, 4, 3, seed=1)
    asked = Asked(
        rows=(text(image),), kernels=tuple(map(text, weights)), transposed=True, **setting
    )
    expected = F.conv_transpose2d(image[None], weights.transpose(0, 1), **setting)[0]
    assert torch.equal(tensor(work_out(asked).sliding.output), expected)


def test_flipped_kernels_convolve() -> None:
    image, weights = numbers(1, 5, 6), numbers(1, 1, 3, 3, seed=1)
    asked = Asked(rows=(text(image),), kernels=(text(weights[0]),), flip=True)
    expected = F.conv2d(image[None], weights.flip(2, 3))[0]
    assert torch.equal(tensor(work_out(asked).sliding.output), expected)


@pytest.mark.parametrize("transposed", [False, True])
def test_every_window_adds_up_to_its_value(transposed: bool) -> None:
    rows = (text(numbers(2, 4, 4)),)
    kernels = ("gaussian", "sobel_x")
    worked = work_out(
        Asked(rows=rows, kernels=kernels, padding=(1, 1), biases=(1,), transposed=transposed)
    )
    for window in worked.sliding.windows():
        terms = [t for channel in window.channels for row in channel for t in row]
        total = sum(Fraction(t.value) * t.weight for t in terms)
        value = total / window.filter.divisor + 1
        assert worked.sliding.output[window.number][window.row][window.column] == value
        assert all(t.value == 0 for t in terms if t.padded)


def test_thousandths_add_up_exactly() -> None:
    random.seed(1)
    row = " ".join(f"0.{random.randrange(1000):03}" for _ in range(9))
    asked = Asked(rows=(row,), kernels=("1 " * 9,))
    digits = [int(number[2:]) for number in row.split()]
    assert work_out(asked).sliding.output == (((Fraction(sum(digits), 1000),),),)


def test_a_kernel_is_named_written_or_of_ones() -> None:
    named, ones, written = read_filters(["prewitt_x", "3x3", "1 2 3; 4 5 6; 7 8 9"])
    assert named.weights[0][0] == (-1, 0, 1)
    assert ones.weights == (((1, 1, 1),) * 3,)
    assert written.weights[0][2] == (7, 8, 9)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"size": (2, 2), "kernels": ("3x3",)}, "kernel spans 3 px but the padded input is 2 px"),
        ({"size": (5, 5)}, "--kernel is missing"),
        ({"size": (5, 5), "kernels": ("sobel",)}, "show its parts: sobel_x,sobel_y"),
        ({"size": (5, 5), "kernels": ("1 2", "1")}, "kernel 1 is 1x1 but kernel 0 is 1x2"),
        ({"size": (5, 5), "kernels": ("1|1",)}, "weights for 2 channels but the input has 1"),
        ({"size": (5, 5), "kernels": ("1",), "biases": (1, 2)}, "2 biases for 1 maps"),
        ({"size": (5, 5), "kernels": ("1",), "rows": ("1",)}, "leave out FILE and --input"),
        ({"size": (256, 256), "kernels": ("9x9",)}, "at most 2,000,000 are worked out"),
        ({"rows": ("1",), "kernels": ("1",), "at": (0, 0)}, "are for images"),
        (
            {"size": (5, 5), "kernels": ("1",), "transposed": True, "padding": "same"},
            "same is for convolutions",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(CnnvizError, match=told):
        work_out(Asked(**asked))
