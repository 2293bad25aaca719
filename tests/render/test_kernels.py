from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.render.canvas import Canvas
from cnnviz.render.kernels import KernelTiles, draw_kernels
from cnnviz.render.look import Look
from cnnviz.render.sheet import Caption
from tests.render.decoded import decoded, margins, marked_areas

PLAIN = Caption("conv1", "kernels")


def weights(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_three_inputs_are_red_green_and_blue_around_gray() -> None:
    kernel = np.zeros((1, 3, 2, 2), np.float32)
    kernel[0, 0, 0, 0], kernel[0, 1, 0, 1], kernel[0, 2, 1, 0] = 4, -4, 2
    picture = KernelTiles(kernel, Look()).picture(0)
    # 0 is level 127.5, rounded to even; 4 is the largest, and 2 half of it.
    assert picture.tolist() == [
        [[255, 128, 128], [128, 0, 128]],
        [[128, 128, 191], [128, 128, 128]],
    ]


@pytest.mark.parametrize(("look", "level"), [(Look(), 255), (Look("layer"), 191)])
def test_kernel_has_its_own_scale_or_that_of_all(look: Look, level: int) -> None:
    kernels = np.zeros((2, 3, 1, 2), np.float32)
    kernels[0, 0, 0, 0], kernels[1, 0, 0, 0] = 1, 2
    assert KernelTiles(kernels, look).picture(0)[0, 0].tolist() == [level, 128, 128]


def test_one_input_is_a_diverging_map_around_zero() -> None:
    kernel = np.array([[[[-3, 0, 3]]]], np.float32)
    dark_red, white, dark_blue = KernelTiles(kernel, Look()).picture(0)[0].tolist()
    assert (dark_red, dark_blue) == ([103, 0, 31], [5, 48, 97])  # the ends of ColorBrewer's RdBu
    assert min(white) >= 246


@pytest.mark.usefixtures("marker")
def test_more_inputs_are_their_norm_at_each_position() -> None:
    kernels = weights(5, 7, 3, 3)
    *tiles, _ramp = marked_areas(decoded(draw_kernels(kernels, PLAIN)))
    for tile, kernel in zip(tiles, kernels, strict=True):
        norms = np.array([[np.linalg.norm(kernel[:, y, x]) for x in range(3)] for y in range(3)])
        factor = tile.shape[0] // 3
        levels = norms / norms.max() * 255
        assert np.abs(tile[::factor, ::factor] - levels).max() <= 0.5001


@pytest.mark.usefixtures("marker")
def test_one_by_one_kernels_are_a_matrix_of_outputs_and_inputs() -> None:
    kernels = weights(6, 4, 1, 1)
    matrix, _ramp = marked_areas(decoded(draw_kernels(kernels, PLAIN)))
    factor = matrix.shape[0] // 6
    levels = (kernels[:, :, 0, 0] / np.abs(kernels).max() + 1) / 2 * 255
    assert np.abs(matrix[::factor, ::factor] - levels).max() <= 0.5001


@pytest.mark.usefixtures("marker")
def test_large_matrix_shows_the_weight_farthest_from_zero_of_each_block() -> None:
    kernels = np.zeros((4500, 8, 1, 1), np.float32)
    kernels[10, 2], kernels[11, 3], kernels[4499, 7] = 1, -4, 2
    matrix, _ramp = marked_areas(decoded(draw_kernels(kernels, PLAIN)))
    assert matrix.shape == (2250, 4)
    assert (matrix[5, 1], matrix[2249, 3], matrix[0, 0]) == (0, 191, 128)


def test_few_small_kernels_have_their_weights_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    monkeypatch.setattr(Canvas, "text", lambda _self, text, *_a, **_o: texts.append(text))
    draw_kernels(np.array([[[[0.25, -1.5], [0, 7]]]], np.float32), PLAIN, channels=[12])
    assert {"12", "0.25", "-1.50", "0.00", "7.00"} <= set(texts)


@pytest.mark.parametrize(
    "shape",
    [(6, 1, 5, 5), (64, 1, 3, 3), (32, 3, 7, 7), (512, 512, 3, 3), (8, 2, 1, 7), (1, 1, 1, 1)],
    ids=str,
)
def test_no_sheet_is_cut_off(shape: tuple[int, ...]) -> None:
    pixels = decoded(draw_kernels(weights(*shape), PLAIN))
    assert margins(pixels) >= 4
    assert max(pixels.shape) < 4200


@pytest.mark.parametrize("inputs", [1, 3, 5])
def test_weight_that_is_not_finite_has_a_color_of_its_own(inputs: int) -> None:
    kernels = weights(2, inputs, 3, 3)
    kernels[0, 0, 1, 2] = np.nan
    picture = KernelTiles(kernels, Look()).picture(0)
    others = np.delete(picture.reshape(9, 3), 5, axis=0)
    assert tuple(picture[1, 2]) in {(190, 30, 45), (0, 190, 60)}
    assert not (others == picture[1, 2]).all(axis=1).any()
