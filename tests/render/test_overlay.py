from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.errors import UsageError
from cnnviz.render.colors import table
from cnnviz.render.overlay import draw_overlay, overlay
from cnnviz.render.sheet import Caption
from tests.render.decoded import decoded, margins


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [(7, 7), (3, 5), (1, 4), (1, 1)], ids=str)
def test_values_are_interpolated_as_torch_does_with_centres_aligned(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(size).astype(np.float32)
    values.flat[0], values.flat[-1] = 0, 1
    mixed = overlay(values, np.zeros((56, 70, 3), np.uint8), "gray", 1.0, limits=(0, 1))
    smooth = F.interpolate(
        torch.from_numpy(values)[None, None], (56, 70), mode="bilinear", align_corners=False
    )
    assert np.abs(mixed[:, :, 0] - smooth[0, 0].numpy() * 255).max() <= 0.51


@pytest.mark.parametrize("opacity", [0.0, 0.25, 1.0])
def test_opacity_is_the_share_of_the_color(opacity: float) -> None:
    below = picture(8, 8)
    values = np.full((2, 2), 3, np.float32)
    mixed = overlay(values, below, "turbo", opacity, limits=(1, 3))
    color = table("turbo")[255].astype(float)
    assert np.abs(mixed - (below * (1 - opacity) + color * opacity)).max() <= 0.501


@pytest.mark.parametrize("opacity", [-0.1, 1.5, float("nan")])
def test_opacity_outside_0_to_1_is_refused(opacity: float) -> None:
    with pytest.raises(UsageError, match="use 0 to 1"):
        overlay(np.zeros((2, 2), np.float32), picture(4, 4), opacity=opacity)


def test_value_that_is_not_finite_is_a_block_and_spreads_no_further() -> None:
    values = np.array([[0, 1], [np.nan, 0.5]], np.float32)
    mixed = overlay(values, np.zeros((8, 8, 3), np.uint8), "viridis", 1.0)
    red = (mixed == (190, 30, 45)).all(axis=2)
    assert red[4:, :4].all()
    assert red.sum() == 16


@pytest.mark.parametrize("values", [[[3e38, -3e38]], [[1e-40, 0]], [[5, 5]]], ids=str)
def test_values_of_any_size_are_drawn(values: list[list[float]]) -> None:
    assert overlay(np.array(values, np.float32), picture(4, 4)).shape == (4, 4, 3)


@pytest.mark.parametrize("size", [(32, 32), (300, 451), (1000, 20)], ids=str)
def test_sheet_shows_the_input_beside_map_and_overlay(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    pixels = decoded(draw_overlay(values, picture(*size), Caption("x", "y")))
    assert margins(pixels) >= 4
    assert max(pixels.shape) < 1500
