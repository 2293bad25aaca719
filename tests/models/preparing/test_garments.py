"""How an image becomes what a network for Fashion-MNIST takes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnviz.images import Picture, read_image
from cnnviz.models.preparing.garments import prepare


@pytest.fixture
def boot(samples: Path) -> NDArray[np.uint8]:
    return read_image(samples / "ankle_boot.png").pixels


def photo(boot: NDArray[np.uint8], ground: int = 255) -> NDArray[np.uint8]:
    """The boot at ten times its size, as its negative, in the middle of a light page."""
    page = np.full((500, 400, 3), ground, np.uint8)
    large = cv2.resize(boot, (280, 280), interpolation=cv2.INTER_CUBIC)[:, :, np.newaxis]
    page[100:380, 60:340] = ground - (large * (ground / 255)).astype(np.uint8)
    return page


def test_a_picture_of_the_data_set_stays_as_it_is(boot: NDArray[np.uint8]) -> None:
    prepared = prepare(Picture(boot))
    assert prepared.steps == []
    assert torch.equal(prepared.tensor[0, 0], torch.tensor(boot[:, :, 0]) / 255)
    assert not prepared.blank


@pytest.mark.parametrize(
    ("ground", "said"),
    [
        pytest.param(255, [], id="white"),
        pytest.param(230, ["ground of 9.8% taken as black"], id="light gray"),
    ],
)
def test_a_shops_picture_becomes_the_data_sets(
    boot: NDArray[np.uint8], ground: int, said: list[str]
) -> None:
    prepared = prepare(Picture(photo(boot, ground)))
    original = boot[:, :, 0] / 255
    rows, columns = np.nonzero(original > 0.05)
    high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert prepared.steps[:2] == ["made gray", "inverted (light ground)"]
    assert prepared.steps[2:-3] == said
    assert prepared.steps[-3].startswith("empty margins cut off, ")
    assert prepared.steps[-2].endswith(f"fitted to {round(high * 28 / wide)}x28")
    assert prepared.steps[-1].endswith("centred in 28x28")
    seen = prepared.tensor[0, 0].numpy()
    assert tuple(seen.shape) == (28, 28)
    assert float(np.corrcoef(seen.ravel(), original.ravel())[0, 1]) > 0.95  # a row off: 0.79


def test_proportions_are_kept_and_the_ground_is_black() -> None:
    tall = np.zeros((200, 100, 1), np.uint8)
    tall[20:180, 30:70] = 200
    prepared = prepare(Picture(tall))
    seen = prepared.tensor[0, 0]
    assert prepared.steps == [
        "empty margins cut off, 160x40 left",
        "160x40 fitted to 28x7",
        "28x7 centred in 28x28",
    ]
    assert torch.equal(seen[:, 11:18], torch.full((28, 7), 200 / 255))
    assert seen.count_nonzero() == 28 * 7


def test_a_garment_that_fills_the_frame_is_not_spread_around_it() -> None:
    cloth = np.zeros((60, 40, 1), np.uint8)
    cloth[2:-2, 2:-2] = 180
    seen = prepare(Picture(cloth)).tensor[0, 0]
    assert not seen[:, 0].any()
    assert seen[14, 14] == pytest.approx(180 / 255)


@pytest.mark.parametrize("value", [0, 90, 255])
@pytest.mark.parametrize("side", [1, 28, 300])
def test_one_colour_is_blank(value: int, side: int) -> None:
    prepared = prepare(Picture(np.full((side, side, 1), value, np.uint8)))
    assert prepared.blank
    assert not prepared.tensor.any()


def test_no_contrast_is_invented(boot: NDArray[np.uint8]) -> None:
    faint = (boot // 4).astype(np.uint8)
    assert prepare(Picture(faint)).tensor.max() == pytest.approx(63 / 255)


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 700)])
def test_very_long_pictures_are_taken(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert tuple(prepare(Picture(pixels)).tensor.shape) == (1, 1, 28, 28)
