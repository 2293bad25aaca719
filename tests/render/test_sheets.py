"""Pairs, strips, volumes, and the overview: what they show, found in their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz.render.canvas import Canvas
from cnnviz.render.look import Look
from cnnviz.render.overview import OverviewRow, draw_overview
from cnnviz.render.pairs import draw_side_by_side
from cnnviz.render.sheet import Caption
from cnnviz.render.strips import draw_strips
from cnnviz.render.volumes import draw_volumes
from tests.render.decoded import decoded, margins, marked_areas

PLAIN = Caption("layer", "two images")


def values(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def levels(maps: NDArray[np.float32], low: float, high: float) -> NDArray[np.float64]:
    return np.clip((maps.astype(np.float64) - low) / (high - low), 0, 1) * 255


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize("scale", ["channel", "layer"])
def test_pair_has_one_scale_and_left_stands_left(scale: str) -> None:
    left, right = values(3, 4, 5), values(3, 4, 5)[::-1] * 3
    look = Look("layer") if scale == "layer" else Look()
    pixels = decoded(draw_side_by_side(left, right, PLAIN, ("cat.png", "dog.png"), look))
    *tiles, _ramp = marked_areas(pixels)
    every = np.stack([left, right], axis=1)  # in reading order: 0 left, 0 right, 1 left …
    assert len(tiles) == 6
    for n, pair in enumerate(every):
        span = every if scale == "layer" else pair
        for tile, one in zip(tiles[2 * n : 2 * n + 2], pair, strict=True):
            factor = tile.shape[0] // 4
            expected = levels(one, span.min(), span.max())
            assert np.abs(tile[::factor, ::factor] - expected).max() <= 0.501


def test_maps_of_different_shapes_make_no_pair() -> None:
    with pytest.raises(ValueError, match="side by side"):
        draw_side_by_side(values(3, 4, 5), values(3, 4, 4), PLAIN, ("a", "b"))


@pytest.mark.usefixtures("marker")
@pytest.mark.parametrize(
    ("shape", "block", "right"),
    [
        pytest.param((4, 10), 1, 48, id="short"),
        pytest.param((24, 197), 1, 6, id="tokens"),
        pytest.param((3, 5000), 5, 1, id="long, the mean of five"),
    ],
)
def test_strip_is_a_channel_from_left_to_right(
    shape: tuple[int, int], block: int, right: int
) -> None:
    strips = values(*shape)
    *tiles, _ramp = marked_areas(decoded(draw_strips(strips, PLAIN)))
    assert len(tiles) == shape[0]
    for tile, one in zip(tiles, strips, strict=True):
        means = one.reshape(-1, block).mean(axis=1)
        assert tile.shape[1] == len(means) * right
        assert np.abs(tile[3, ::right] - levels(means, one.min(), one.max())).max() <= 0.501


@pytest.mark.parametrize("shape", [(1, 1), (768, 197), (5000, 3), (2, 100_000)], ids=str)
def test_strips_of_any_shape_fit_on_a_sheet(shape: tuple[int, int]) -> None:
    pixels = decoded(draw_strips(values(*shape), PLAIN))
    assert margins(pixels) >= 4
    assert pixels.shape[0] < 5300
    assert pixels.shape[1] < 1500


@pytest.mark.usefixtures("marker")
def test_volume_is_a_row_of_slices_evenly_spaced_from_first_to_last() -> None:
    volumes = values(2, 15, 4, 6)
    *tiles, _ramp = marked_areas(decoded(draw_volumes(volumes, PLAIN)))
    assert len(tiles) == 2 * 8
    for n, tile in enumerate(tiles):
        volume, depth = volumes[n // 8], 2 * (n % 8)  # 0, 2, … 14
        factor = tile.shape[0] // 4
        expected = levels(volume[depth], volume.min(), volume.max())
        assert np.abs(tile[::factor, ::factor] - expected).max() <= 0.501


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (64, 3, 7, 7), (3, 40, 300, 200)], ids=str)
def test_volumes_of_any_shape_fit_on_a_sheet(shape: tuple[int, int, int, int]) -> None:
    pixels = decoded(draw_volumes(values(*shape), PLAIN))
    assert margins(pixels) >= 4
    assert max(pixels.shape) < 4200


def rows(*shapes: tuple[int, int, int]) -> list[OverviewRow]:
    return [
        OverviewRow(f"layer{n}", "Conv2d", "x".join(map(str, shape)), values(*shape), range(9, 99))
        for n, shape in enumerate(shapes)
    ]


def numbered(row: OverviewRow) -> OverviewRow:
    return OverviewRow(
        row.name, row.type, row.shape, row.maps, list(row.channels)[: len(row.maps)], row.note
    )


@pytest.mark.usefixtures("marker")
def test_overview_has_a_row_of_equally_high_tiles_for_each_layer() -> None:
    layers = [numbered(row) for row in rows((3, 7, 7), (3, 14, 28), (2, 56, 56))]
    pixels = decoded(draw_overview(PLAIN, np.zeros((20, 10, 3), np.uint8), layers))
    *tiles, _ramp = marked_areas(pixels)
    assert [tile.shape for tile in tiles] == [(112, 112)] * 3 + [(112, 224)] * 3 + [(112, 112)] * 2
    for tile, one in zip(tiles, [m for row in layers for m in row.maps], strict=True):
        down, right = (large // small for large, small in zip(tile.shape, one.shape, strict=True))
        expected = levels(one, one.min(), one.max())
        assert np.abs(tile[::down, ::right] - expected).max() <= 0.501


@pytest.mark.usefixtures("marker")
def test_large_map_in_an_overview_is_the_mean_of_its_values() -> None:
    layers = [numbered(row) for row in rows((1, 224, 224))]
    tile, _ramp = marked_areas(decoded(draw_overview(PLAIN, np.zeros((9, 9, 3), np.uint8), layers)))
    one = layers[0].maps[0]
    means = one.reshape(112, 2, 112, 2).mean(axis=(1, 3))
    assert np.abs(tile - levels(means, one.min(), one.max())).max() <= 0.51


def test_overview_says_layers_channels_values_and_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts: list[str] = []
    monkeypatch.setattr(Canvas, "text", lambda _self, text, *_a, **_o: texts.append(text))
    single = np.array([2.5, -1], np.float32).reshape(2, 1, 1)
    layer = OverviewRow("fc", "Linear", "10", single, [281, 7], "1 dead")
    seen = np.zeros((9, 9, 3), np.uint8)
    draw_overview(PLAIN, seen, [layer], predictions=[("tabby cat", 0.61)])
    assert {"fc", "Linear", "10", "281", "7", "2.50", "-1.00", "1 dead", "61.00 %"} <= set(texts)


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([(8, 112, 112)], id="one"),
        pytest.param([(8, 7, 7)] * 12, id="twelve"),
        pytest.param([(1, 1, 900), (1, 900, 1), (5, 1, 1)], id="odd shapes"),
        pytest.param([(4, 5, 5)] * 40, id="forty"),
    ],
)
def test_overview_is_never_cut_off(layers: list[tuple[int, int, int]]) -> None:
    drawn = [numbered(row) for row in rows(*layers)]
    drawn[0].maps[0, 0, 0] = np.nan
    picture = np.zeros((30, 20, 3), np.uint8)
    pixels = decoded(draw_overview(PLAIN, picture, drawn, predictions=[("x" * 90, 0.5)] * 5))
    assert margins(pixels) >= 4
