from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cnnviz.images import Picture
from cnnviz.models.preparing.digits import prepare
from tests.models.drawn import seven
from tests.models.pixels import picture

GROUND, INK = -0.1, 1.175


def as_in_training(digit: NDArray[np.uint8]) -> Tensor:
    """What training/lenet/train.py makes of one image of MNIST."""
    images = torch.from_numpy(digit).float().div(255)[None, None]
    return F.pad(images, (2, 2, 2, 2)) * 1.275 - 0.1


def every_level() -> NDArray[np.uint8]:
    """All 256 levels in the middle of a black 28x28."""
    digit = np.zeros((28, 28), np.uint8)
    digit[6:22, 6:22] = np.arange(256).reshape(16, 16)
    return digit


DIGITS = [
    pytest.param(seven(), id="seven"),
    pytest.param(every_level(), id="every level"),
    pytest.param(np.minimum(seven(), 253), id="ink not quite white"),
]


@pytest.mark.parametrize("digit", DIGITS)
def test_light_digit_of_28_pixels_goes_in_as_in_training(digit: NDArray[np.uint8]) -> None:
    prepared = prepare(picture(digit))
    assert torch.equal(prepared.tensor, as_in_training(digit))
    assert prepared.steps == ["28x28 centred in 32x32"]


@pytest.mark.parametrize("digit", DIGITS[:2])
def test_dark_digit_gives_the_same_input_and_says_so(digit: NDArray[np.uint8]) -> None:
    prepared = prepare(picture(255 - digit))
    assert torch.equal(prepared.tensor, as_in_training(digit))
    assert prepared.steps == ["inverted (dark on light)", "28x28 centred in 32x32"]


def test_image_of_32_pixels_goes_in_without_a_step() -> None:
    digit = np.pad(seven(), 2)
    prepared = prepare(picture(digit))
    assert torch.equal(prepared.tensor, as_in_training(seven()))
    assert prepared.steps == []


def deep(digit: NDArray[np.uint8]) -> Picture:
    return picture(digit.astype(np.uint16) * 257)


def colored(digit: NDArray[np.uint8]) -> Picture:
    return picture(np.stack([digit] * 3, axis=2))


def floats(digit: NDArray[np.uint8]) -> Picture:
    values = digit.astype(np.float64) * 4 - 20  # -20 to 1000
    values[0, 0], values[0, 1] = np.nan, -np.inf
    return picture(values)


def wide_floats(digit: NDArray[np.uint8]) -> Picture:
    return picture((digit.astype(np.float64) / 127.5 - 1) * 1.7e308)


def black_on_nothing(digit: NDArray[np.uint8]) -> Picture:
    return picture(np.zeros((28, 28), np.uint8), alpha=digit)


def white_on_nothing(digit: NDArray[np.uint8]) -> Picture:
    return picture(np.full((28, 28), 255, np.uint8), alpha=digit)


def opaque(digit: NDArray[np.uint8]) -> Picture:
    return picture(digit, alpha=np.full((28, 28), 255, np.uint8))


CENTRED = "28x28 centred in 32x32"
INVERTED = "inverted (dark on light)"


@pytest.mark.parametrize(
    ("made", "steps"),
    [
        pytest.param(deep, [CENTRED], id="16 bits"),
        pytest.param(colored, ["made gray", CENTRED], id="colour"),
        pytest.param(
            floats,
            [
                "2 values are not finite: NaN taken as the smallest",
                "float range -20 to 1000 taken as black to white",
                CENTRED,
            ],
            id="floats with NaN and -Inf",
        ),
        pytest.param(
            wide_floats,
            ["float range -1.7e+308 to 1.7e+308 taken as black to white", CENTRED],
            id="doubles whose range overflows",
        ),
        pytest.param(
            black_on_nothing,
            ["transparent parts put on white", INVERTED, CENTRED],
            id="black on nothing",
        ),
        pytest.param(
            white_on_nothing, ["transparent parts put on black", CENTRED], id="white on nothing"
        ),
        pytest.param(opaque, [CENTRED], id="alpha that hides nothing"),
    ],
)
def test_same_digit_in_other_pixels_gives_the_same_input(made: Any, steps: list[str]) -> None:
    prepared = prepare(made(seven()))
    torch.testing.assert_close(prepared.tensor, as_in_training(seven()), rtol=0, atol=1e-6)
    assert prepared.steps == steps


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        pytest.param(51, 204, "contrast stretched from 20%-80%", id="gray on gray"),
        pytest.param(102, 104, "contrast stretched from 40.00%-40.78%", id="two levels apart"),
    ],
)
def test_weak_contrast_is_stretched_and_its_range_said(low: int, high: int, said: str) -> None:
    digit = np.where(seven() > 100, high, low).astype(np.uint8)
    prepared = prepare(picture(digit))
    full = np.where(seven() > 100, 255, 0).astype(np.uint8)
    torch.testing.assert_close(prepared.tensor, as_in_training(full), rtol=0, atol=1e-6)
    assert prepared.steps == [said, CENTRED]


def test_stretch_is_told_before_the_inversion_that_follows_it() -> None:
    digit = np.where(seven() > 100, 51, 204).astype(np.uint8)
    assert prepare(picture(digit)).steps == ["contrast stretched from 20%-80%", INVERTED, CENTRED]


@pytest.mark.parametrize(
    "value", [pytest.param(v, id=str(v)) for v in (np.uint8(0), np.uint8(255), np.float32("nan"))]
)
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (100, 70)], ids=str)
def test_image_of_one_colour_is_all_background(value: Any, size: tuple[int, int]) -> None:
    prepared = prepare(picture(np.full(size, value)))
    assert torch.equal(prepared.tensor, torch.full((1, 1, 32, 32), GROUND))
    assert "all of one colour: nothing to read" in prepared.steps
    assert not any("contrast" in step or "inverted" in step for step in prepared.steps)


@pytest.mark.parametrize("gray", [1, 77, 128, 200])
def test_rounding_of_the_fit_is_not_taken_for_contrast(gray: int) -> None:
    prepared = prepare(picture(np.full((211, 97), gray, np.uint8)))
    assert prepared.steps[1] == "all of one colour: nothing to read"


@pytest.mark.parametrize(
    ("height", "width", "fitted"),
    [
        pytest.param(300, 420, (23, 32), id="photo"),
        pytest.param(420, 300, (32, 23), id="upright"),
        pytest.param(1000, 1500, (21, 32), id="large"),
        pytest.param(10, 640, (1, 32), id="very wide"),
        pytest.param(900, 3, (32, 1), id="very tall"),
        pytest.param(2, 2, (32, 32), id="2x2"),
        pytest.param(20, 10, (32, 16), id="enlarged"),
        pytest.param(30, 12, (30, 12), id="kept"),
    ],
)
def test_image_keeps_its_proportions_in_the_middle(
    height: int, width: int, fitted: tuple[int, int]
) -> None:
    pixels = np.zeros((height, width), np.uint8)
    pixels[height * 3 // 4 :, width * 3 // 4 :] = 255  # the lower right corner is light
    prepared = prepare(picture(pixels))
    tensor = prepared.tensor[0, 0]
    assert prepared.tensor.shape == (1, 1, 32, 32)
    assert tensor.isfinite().all()
    assert GROUND - 1e-6 <= float(tensor.min()) < float(tensor.max()) <= INK + 1e-6
    rows, columns = ((tensor > GROUND + 0.01).any(axis).nonzero().flatten() for axis in (1, 0))
    top, left = (32 - fitted[0]) // 2, (32 - fitted[1]) // 2
    assert int(rows.max()) == top + fitted[0] - 1
    assert int(columns.max()) == left + fitted[1] - 1
    if (height, width) != fitted:
        assert f"{height}x{width} fitted to {fitted[0]}x{fitted[1]}" in prepared.steps
    centred = f"{fitted[0]}x{fitted[1]} centred in 32x32"
    assert (centred in prepared.steps) == (fitted != (32, 32))


def test_every_pixel_counts_when_a_large_image_is_fitted() -> None:
    fine = np.zeros((320, 320), np.uint8)
    fine[100:200, 100:200][::2] = 255  # lines one pixel wide, half of the area
    tensor = prepare(picture(fine)).tensor[0, 0]
    middle = tensor[12:18, 12:18]
    # The lines cover half, and the brightest pixel of the fit is full ink after the stretch.
    assert float(middle.std()) < 0.02
    assert float(middle.mean()) > 1.1


def test_digit_on_a_large_gray_page_is_still_a_light_seven() -> None:
    page = cv2.resize(seven(), (420, 420), interpolation=cv2.INTER_NEAREST)
    page = np.pad(180 - page // 2, ((0, 0), (90, 90)), mode="edge").astype(np.uint8)
    prepared = prepare(picture(page))
    tensor = prepared.tensor[0, 0]
    assert float(tensor[0].max()) == pytest.approx(GROUND)
    assert float(tensor.max()) == pytest.approx(INK)
    assert [step.split()[0] for step in prepared.steps] == [
        "420x600",
        "contrast",
        "inverted",
        "22x32",
    ]


def test_notes_of_reading_come_first() -> None:
    noted = Picture(seven()[:, :, np.newaxis], None, ["turned upright by its EXIF orientation"])
    assert prepare(noted).steps == ["turned upright by its EXIF orientation", CENTRED]
    assert noted.notes == ["turned upright by its EXIF orientation"]


def lit_unevenly(page: np.ndarray, fall: float) -> np.ndarray:
    """``page`` as if the light fell off to the right and downwards, by a share of white."""
    height, width = page.shape
    light = 1 - fall * (np.arange(width) / width + np.arange(height)[:, np.newaxis] / height) / 2
    lit: np.ndarray = np.rint(page * light).astype(np.uint8)
    return lit


@pytest.mark.parametrize("fall", [0.1, 0.3, 0.5])
def test_light_that_falls_off_is_taken_out(fall: float) -> None:
    page = (255 - cv2.resize(seven(), (320, 320), interpolation=cv2.INTER_CUBIC)).astype(np.uint8)
    even, uneven = prepare(picture(page)), prepare(picture(lit_unevenly(page, fall)))
    assert "uneven light taken out" in uneven.steps
    assert "uneven light taken out" not in even.steps
    assert float((even.tensor - uneven.tensor).abs().max()) < 0.25 * fall + 0.05


def test_a_slope_without_ink_is_left_alone() -> None:
    slope = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    assert "uneven light taken out" not in prepare(picture(slope)).steps


def test_a_digit_that_is_small_in_the_frame_is_noted() -> None:
    page = np.zeros((280, 280), np.uint8)
    page[100:184, 90:174] = cv2.resize(seven(), (84, 84))
    (note,) = [step for step in prepare(picture(page)).steps if "crop" in step]
    assert "the ink spans only" in note
