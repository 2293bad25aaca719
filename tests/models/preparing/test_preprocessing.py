from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnviz.errors import UsageError
from cnnviz.images import read_image
from cnnviz.models.preparing.preprocessing import as_seen, prepare
from cnnviz.models.preparing.recipes import Preprocessing, adjusted
from tests.models.pixels import noise, picture

IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def test_steps_are_said_in_order() -> None:
    how = Preprocessing(size=(224, 224), resize=256, **IMAGENET)
    assert prepare(picture(noise(400, 600)), how).steps == [
        "400x600 resized to 256x384 (bilinear)",
        "224x224 cut from the middle",
        "scaled to 0..1",
        "mean 0.485 0.456 0.406 taken out",
        "divided by std 0.229 0.224 0.225",
    ]


FOUR = np.array([[10, 20, 30, 40], [50, 60, 70, 80]], np.uint8)
LEVELS: dict[str, Any] = {"channels": 1, "scale": 1.0}


def test_crop_takes_the_middle() -> None:
    how = Preprocessing(size=(2, 2), **LEVELS)
    prepared = prepare(picture(FOUR), how)
    assert prepared.tensor.tolist() == [[[[20, 30], [60, 70]]]]
    assert prepared.steps == ["2x2 cut from the middle", "levels 0..255 times 1"]


def test_pad_keeps_proportions_and_fills_with_the_mean_colour() -> None:
    how = Preprocessing(size=(4, 4), fit="pad", mean=(30.0,), std=(10.0,), **LEVELS)
    prepared = prepare(picture(FOUR), how)
    empty = [0, 0, 0, 0]
    assert prepared.tensor.tolist() == [[[empty, [-2, -1, 0, 1], [2, 3, 4, 5], empty]]]
    assert "2x4 padded to 4x4 with the mean colour" in prepared.steps
    seen = as_seen(prepared.tensor, how)[:, :, 0].tolist()
    assert seen == [[30] * 4, *FOUR.tolist(), [30] * 4]


def test_pad_without_a_mean_is_black() -> None:
    prepared = prepare(picture(FOUR), Preprocessing(size=(3, 4), fit="pad", **LEVELS))
    assert prepared.tensor.tolist() == [[[*FOUR.tolist(), [0] * 4]]]
    assert "2x4 padded to 3x4 with black" in prepared.steps


def test_stretch_ignores_proportions() -> None:
    how = Preprocessing(size=(2, 2), fit="stretch", interpolation="box", **LEVELS)
    prepared = prepare(picture(FOUR), how)
    assert prepared.tensor.tolist() == [[[[15, 35], [55, 75]]]]
    assert prepared.steps[0] == "2x4 stretched to 2x2 (box)"


def test_order_and_statistics_are_those_of_the_model() -> None:
    how = Preprocessing(size=(1, 2), order="BGR", scale=1.0, mean=(1.0, 2.0, 3.0))
    pixels = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
    prepared = prepare(picture(pixels), how)
    assert prepared.tensor[0].flatten(1).tolist() == [[29, 59], [18, 48], [7, 37]]
    assert np.array_equal(as_seen(prepared.tensor, how), pixels)


def test_rgb_for_one_channel_is_made_gray_as_pillow_does() -> None:
    pixels = noise(9, 7)
    prepared = prepare(picture(pixels), Preprocessing(size=(9, 7), **LEVELS))
    gray = np.array(Image.fromarray(pixels).convert("L"))
    assert np.array_equal(prepared.tensor[0, 0].numpy(), gray)
    assert prepared.steps[0] == "made gray"


def test_gray_for_three_channels_is_repeated() -> None:
    prepared = prepare(picture(FOUR), Preprocessing(size=(2, 4), scale=1.0))
    assert all(np.array_equal(plane, FOUR) for plane in prepared.tensor[0].numpy())
    assert prepared.steps[0] == "gray repeated in 3 channels"


def test_gray_takes_the_colours_out_for_a_model_of_three_channels() -> None:
    how = adjusted(Preprocessing(size=(9, 7)), gray=True)
    prepared = prepare(picture(noise(9, 7)), how)
    assert prepared.steps[:2] == ["made gray", "gray repeated in 3 channels"]
    assert (prepared.tensor[0, 0] == prepared.tensor[0, 2]).all()


def test_image_for_another_count_of_channels_is_refused() -> None:
    with pytest.raises(UsageError, match=r"5 channels and an image 1 or 3; give a tensor"):
        prepare(picture(FOUR), Preprocessing(size=None, channels=5))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("antialias", [True, False])
def test_sixteen_bits_and_floats_give_what_eight_bits_give(
    interpolation: Any, antialias: bool
) -> None:
    how = Preprocessing((32, 32), 40, interpolation=interpolation, antialias=antialias, scale=1.0)
    eight = noise(70, 90) // 3 + 80  # overshooting stays between black and white
    wanted = prepare(picture(eight), how).tensor
    sixteen = prepare(picture(eight.astype(np.uint16) * 257), how)
    unit = prepare(picture(eight / 255), how)
    # In whole levels Pillow rounds twice, once for each direction.
    assert float((sixteen.tensor - wanted).abs().max()) <= 1.5
    torch.testing.assert_close(unit.tensor, sixteen.tensor, atol=1e-3, rtol=0)
    assert unit.steps[0] == "float values taken as 0 (black) to 1 (white)"


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_overshoot_at_an_edge_is_cut_off_at_every_depth(antialias: bool, dtype: Any) -> None:
    edge = np.zeros((8, 8), dtype)
    edge[:, 4:] = 65535 if dtype == np.uint16 else 1
    how = Preprocessing((32, 32), interpolation="bicubic", antialias=antialias, channels=1)
    values = prepare(picture(edge), how).tensor
    assert (float(values.min()), float(values.max())) == (0, 1)


def test_sixteen_bits_are_not_reduced() -> None:
    pixels = np.array([[0, 1, 2, 65535]], np.uint16)
    prepared = prepare(picture(pixels), Preprocessing(size=(1, 4), channels=1))
    assert (prepared.tensor.flatten() * 65535).round().tolist() == [0, 1, 2, 65535]
    assert len(prepared.tensor.unique()) == 4


def test_floats_beyond_black_and_white_are_fitted_and_not_finite_ones_replaced() -> None:
    pixels = np.array([[-2.0, 0.0, 2.0, np.nan, np.inf, -np.inf]])
    prepared = prepare(picture(pixels), Preprocessing(size=(1, 6), channels=1))
    assert prepared.tensor.flatten().tolist() == [0, 0.5, 1, 0, 1, 0]
    assert prepared.steps[:2] == [
        "3 values are not finite: NaN taken as the smallest",
        "float range -2 to 2 taken as black to white",
    ]


@pytest.mark.parametrize(
    ("gray", "alpha", "seen", "ground"),
    [
        ([100, 100], [255, 0], [100, 255], "white"),
        ([100, 100], [255, 51], [100, 224], "white"),
        ([255, 255], [255, 0], [255, 0], "black"),
    ],
    ids=["clear", "half clear", "white on nothing"],
)
def test_transparent_parts_are_put_on_a_ground(
    gray: list[int], alpha: list[int], seen: list[int], ground: str
) -> None:
    both_planes = (np.array([values], np.uint8) for values in (gray, alpha))
    prepared = prepare(picture(*both_planes), Preprocessing(size=(1, 2), **LEVELS))
    assert prepared.tensor.flatten().tolist() == seen
    assert prepared.steps[0] == f"transparent parts put on {ground}"


def test_opaque_alpha_changes_nothing() -> None:
    pixels = noise(9, 7)
    how = Preprocessing(size=(5, 5))
    prepared = prepare(picture(pixels, np.full((9, 7), 255, np.uint8)), how)
    assert torch.equal(prepared.tensor, prepare(picture(pixels), how).tensor)
    assert not any("transparent" in step for step in prepared.steps)


def test_image_of_one_colour_is_blank() -> None:
    prepared = prepare(picture(np.full((40, 30, 3), 7, np.uint8)), Preprocessing(size=(8, 8)))
    assert prepared.blank
    assert "all of one colour: nothing to recognise" in prepared.steps


@pytest.mark.parametrize("how", [Preprocessing((224, 224), 256, **IMAGENET), Preprocessing(None)])
def test_what_was_seen_comes_back_to_the_level(samples: Path, how: Preprocessing) -> None:
    cat = read_image(samples / "chelsea.png")
    seen = as_seen(prepare(cat, how).tensor, how)
    image = Image.fromarray(cat.pixels)
    if how.size:
        image = image.resize((384, 256), Image.Resampling.BILINEAR).crop((80, 16, 304, 240))
    assert seen.dtype == np.uint8
    assert np.array_equal(seen, np.asarray(image))


def test_tensor_without_a_recipe_is_shown_from_its_smallest_to_its_largest() -> None:
    tensor = torch.tensor([[[[-3.0, 1.0, float("nan"), 5.0]]]])
    assert as_seen(tensor, None).flatten().tolist() == [0, 128, 0, 255]


def test_line_of_pixels_enlarged_beyond_bounds_is_refused() -> None:
    with pytest.raises(UsageError, match=r"256x10240000; the limit is 65,535 a side .* --fit pad"):
        prepare(picture(np.zeros((1, 40_000), np.uint8)), Preprocessing((224, 224), 256))
    padded = Preprocessing((224, 224), fit="pad", channels=1)
    assert prepare(picture(np.zeros((1, 40_000), np.uint8)), padded).tensor.shape[2:] == (224, 224)
