"""What a dry run says beforehand, against what is known or done."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnnviz.cores import cores
from cnnviz.featuremaps.estimate import estimate, multiply_adds
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.featuremaps.plan import plan
from cnnviz.models.loading import load_model, load_weightless
from cnnviz.models.supply import NONE
from cnnviz.shapes.notation import size_text


@pytest.mark.parametrize(("name", "macs"), [("lenet", 416_520), ("resnet18", 1_814_073_344)])
def test_multiply_adds_are_those_that_are_published(name: str, macs: int) -> None:
    model = load_weightless(name)
    size = model.entry.input_size if model.entry else (3, 224, 224)
    assert multiply_adds(model.module, torch.zeros(1, *size)) == macs, size_text(size)


def test_bytes_and_files_are_those_of_a_run(samples: Path, tmp_path: Path) -> None:
    model = load_model("lenet")
    tensor = read_input(samples / "digit_7.png", model).tensor
    options = MapOptions(raw="safetensors")
    planned = plan(model.module, [tensor])
    found = estimate(model.module, tensor, planned, options, 17)
    saved = save_feature_maps(samples / "digit_7.png", model, tmp_path / "maps", options=options)
    shapes = [layer["shape"] for layer in saved.manifest["layers"]]
    values = sum(torch.Size(shape).numel() for shape in shapes)
    assert (found.layers, found.drawn, found.files) == (12, 11, 17)
    assert found.maps_bytes == found.raw_bytes == 4 * values
    file = (tmp_path / "maps" / "maps.safetensors").read_bytes()
    header = 8 + int.from_bytes(file[:8], "little")
    assert found.raw_bytes == len(file) - header
    assert (found.parameters, found.weights_bytes) == (61_706, 4 * 61_706)


def test_held_at_once_are_the_largest_that_follow_each_other() -> None:
    model = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(50)))
    image = torch.zeros(1, 1, 16, 16)
    found = estimate(model, image, plan(model, [image], ["all"]), MapOptions(), 1)
    assert found.maps_bytes == 50 * 1024
    assert found.held_bytes == min(50, 2 * cores() + 1) * 1024


def test_time_grows_with_the_work() -> None:
    image = torch.zeros(1, 3, 64, 64)
    small, large = (nn.Conv2d(3, n, 3) for n in (4, 512))
    found = [estimate(m, image, plan(m, [image], ["all"]), MapOptions(), 1) for m in (small, large)]
    times = [one.seconds for one in found]
    assert times[0] is not None
    assert times[1] is not None
    assert 0 < times[0] < times[1] < 60


class Looks(nn.Module):
    """Code that looks at values, which a model without memory has not."""

    def forward(self, images: Tensor) -> Tensor:
        return images * 2 if bool(images.sum() > 0) else images


def test_what_cannot_be_counted_is_not_guessed() -> None:
    image = torch.ones(1, 1, 4, 4)
    assert multiply_adds(Looks(), image) is None
    found = estimate(Looks(), image, plan(Looks(), [image], ["all"]), MapOptions(), 1)
    assert (found.macs, found.seconds) == (None, None)


def test_weightless_models_take_no_memory_and_nothing_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something is downloaded")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    model = load_weightless("resnet18")
    assert model.weights.source == NONE
    assert all(param.is_meta for param in model.module.parameters())
    assert model.recipe is not None
    assert len(model.labels) == 1000
