"""How an image becomes a small square of red, green and blue."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz.images import Picture
from cnnviz.models.colours import prepare_4, prepare_32


def test_a_picture_of_the_right_size_is_only_scaled_to_0_and_1() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    prepared = prepare_4(Picture(pixels))
    assert prepared.steps == ["values 0 to 1"]
    assert torch.equal(prepared.tensor[0], torch.from_numpy(pixels).permute(2, 0, 1) / 255)


def test_the_middle_is_cut_out_and_averaged_down() -> None:
    pixels = np.zeros((64, 100, 3), np.uint8)
    pixels[:, 18:82] = (255, 102, 0)  # the middle 64 columns
    prepared = prepare_32(Picture(pixels))
    assert prepared.steps == [
        "the middle 64x64 of 64x100 cut out",
        "64x64 scaled to 32x32",
        "values 0 to 1",
    ]
    expected = torch.tensor([1, 0.4, 0]).reshape(3, 1, 1).expand(3, 32, 32)
    assert torch.allclose(prepared.tensor[0], expected)


def test_gray_is_repeated() -> None:
    prepared = prepare_4(Picture(np.full((4, 4, 1), 51, np.uint8)))
    assert prepared.steps == ["gray repeated as red, green and blue", "values 0 to 1"]
    assert torch.equal(prepared.tensor, torch.full((1, 3, 4, 4), 0.2))


def test_transparent_parts_are_white() -> None:
    alpha = np.array([[0, 65535], [32768, 65535]], np.uint16).repeat(2, 0).repeat(2, 1)
    prepared = prepare_4(Picture(np.zeros((4, 4, 3), np.uint16), alpha))
    assert "transparent parts put on white" in prepared.steps
    assert prepared.tensor[0, 0, ::2, ::2].tolist() == [[1, 0], [pytest.approx(0.5, abs=1e-4), 0]]


def test_floats_are_cut_off() -> None:
    pixels = np.full((4, 4, 3), [np.nan, 7, -1], np.float64)
    prepared = prepare_4(Picture(pixels))
    assert prepared.tensor[0, :, 0, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 1), (1, 1)])
def test_very_long_pictures_take_little_memory(shape: tuple[int, int]) -> None:
    pixels = np.zeros((*shape, 3), np.uint8)
    assert tuple(prepare_32(Picture(pixels)).tensor.shape) == (1, 3, 32, 32)
