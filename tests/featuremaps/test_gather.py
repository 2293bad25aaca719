"""Many images through one model, against all of its maps at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.featuremaps.gather import Gathered, Gathering
from cnnviz.featuremaps.job import read_input
from cnnviz.featuremaps.options import MapOptions
from cnnviz.models.loading import LoadedModel
from tests.albums import noise
from tests.featuremaps.nets import tiny

COUNT, HEIGHT, WIDTH = 11, 14, 18


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gather")
    for number in range(COUNT):
        noise(number, HEIGHT, WIDTH).convert("L").save(folder / f"{number:02}.png")
    (folder / "05a.png").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> LoadedModel:
    return tiny(folder)


@pytest.fixture(scope="module")
def gathered(folder: Path, model: LoadedModel) -> Gathered:
    gathering = Gathering(model)
    for path in sorted(folder.glob("*.png")):
        try:
            gathering.save(path, folder / "out" / path.stem, [], MapOptions())
        except CnnvizError:
            assert path.stem == "05a"
    found = gathering.finish(folder / "out" / "all")
    assert found is not None
    return found


def test_every_layer_has_its_picture_and_the_file_says_the_same(gathered: Gathered) -> None:
    said = json.loads((gathered.folder / "channels.json").read_text("utf-8"))
    assert said == gathered.said
    assert len(said["images"]) == COUNT
    names = [layer["name"] for layer in said["layers"]]
    assert names[:4] == ["first", "relu", "pool", "second"]
    for layer in said["layers"]:
        with Image.open(gathered.folder / layer["file"]) as picture:
            picture.load()
        assert layer["images"] == COUNT


def test_dead_channels_are_counted_over_the_images(gathered: Gathered) -> None:
    relu = gathered.said["layers"][1]
    assert relu["channels"][2]["dead"] == COUNT
    assert relu["channels"][2]["top"] == []
    assert [channel["nonfinite"] for channel in relu["channels"]] == [0] * 4


def test_top_patches_are_those_that_give_the_value_again(
    gathered: Gathered, model: LoadedModel, folder: Path
) -> None:
    """Of the first convolution: the patch times the kernel is the value, and none is larger."""
    layer = gathered.said["layers"][0]
    inputs = [read_input(Path(name), model).tensor for name in gathered.said["images"]]
    weight, bias = (p.detach() for p in model.module.get_submodule("first").parameters())
    with torch.inference_mode():
        maps = torch.cat([F.conv2d(one, weight, bias, padding=1) for one in inputs])
    for channel in (0, 1, 3):
        top = layer["channels"][channel]["top"]
        largest = maps[:, channel].amax((1, 2))
        assert [one["image"] for one in top] == largest.argsort(descending=True)[:8].tolist()
        for one in top:
            row, column = one["at"]
            top_row, left, bottom, right = one["patch"]
            assert (bottom, right) == (min(row + 2, HEIGHT), min(column + 2, WIDTH))
            patch = inputs[one["image"]][0, 0, top_row:bottom, left:right]
            across, down = left - (column - 1), top_row - (row - 1)
            kernel = weight[channel, 0, down : down + len(patch), across : across + patch.shape[1]]
            again = float((patch * kernel).sum() + bias[channel])
            assert again == pytest.approx(one["value"], abs=1e-5)


def test_deeper_layers_see_the_union_of_what_they_read(gathered: Gathered) -> None:
    second = next(one for one in gathered.said["layers"] if one["name"] == "second")
    for channel in second["channels"]:
        for one in channel["top"]:
            row, column = one["at"]
            # 3 rows of pooled pairs of 3 rows each: 8 input rows, 4 from one output to the next.
            first, last = 4 * row - 3, 4 * row + 5
            assert one["patch"][0::2] == [max(first, 0), min(last, HEIGHT)]
            assert one["patch"][1::2] == [max(4 * column - 3, 0), min(4 * column + 5, WIDTH)]


def test_one_image_alone_says_nothing(model: LoadedModel, folder: Path, tmp_path: Path) -> None:
    gathering = Gathering(model)
    gathering.save(folder / "00.png", tmp_path / "one", [], MapOptions())
    assert gathering.finish(tmp_path / "all") is None
    assert not (tmp_path / "all").exists()


def test_image_that_is_gone_meanwhile_leaves_an_empty_patch(
    model: LoadedModel, folder: Path, tmp_path: Path
) -> None:
    gathering = Gathering(model)
    for name in ("00", "01"):
        (tmp_path / f"{name}.png").write_bytes((folder / f"{name}.png").read_bytes())
        gathering.save(tmp_path / f"{name}.png", tmp_path / name, [], MapOptions())
    (tmp_path / "01.png").unlink()
    found = gathering.finish(tmp_path / "all")
    assert found is not None
    assert found.said["layers"][0]["images"] == 2


def test_memory_does_not_grow_with_the_images(model: LoadedModel, gathered: Gathered) -> None:
    most = max(len(c["top"]) for layer in gathered.said["layers"] for c in layer["channels"])
    assert most == 8
    assert np.all([len(layer["shown"]) <= 12 for layer in gathered.said["layers"]])
