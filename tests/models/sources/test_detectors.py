"""Detectors run as far as they can, and every layer on the way is heard under its own name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz.models.building.unallocated import meta_copy, unallocated
from cnnviz.models.naming import find_source
from cnnviz.models.sources import detectors
from cnnviz.models.sources.torchvision import load_torchvision

# What a detector's own forward calls before anything needs compiled operators, by its family.
HEADS = {
    "fasterrcnn": "rpn.head",
    "maskrcnn": "rpn.head",
    "keypointrcnn": "rpn.head",
    "retinanet": "head.classification_head",
    "fcos": "head.classification_head",
    "ssd": "head.classification_head",
}


def detector_names() -> list[str]:
    models = load_torchvision().models
    return list(models.list_models(module=models.detection))


def heard(model: nn.Module, image: Tensor) -> tuple[list[str], Any]:
    """The names of the parts that ran, and what the model returned."""
    names: list[str] = []
    for name, module in model.named_modules():
        module.register_forward_hook(lambda *_, name=name: names.append(name))
    return names, model(image)


def without_memory(name: str) -> nn.Module:
    if name.startswith("ssdlite"):  # it runs its backbone as it is built, so it needs values
        return meta_copy(find_source(name).build()).eval()
    with unallocated():
        return meta_copy(find_source(name).build()).eval()


@pytest.fixture(params=detector_names())
def detector(request: pytest.FixtureRequest) -> nn.Module:
    return without_memory(request.param)


def test_backbone_and_heads_of_every_detector_run(detector: nn.Module) -> None:
    view = detectors.BackboneAndHeads(detector)
    names, output = heard(view, torch.rand(1, 3, 320, 352, device="meta"))
    assert "backbone" in names
    family = type(detector).__name__.lower()
    assert any(head in names for kind, head in HEADS.items() if kind in family), names
    convs = [
        n for n, m in detector.get_submodule("backbone").named_modules() if isinstance(m, nn.Conv2d)
    ]
    assert {f"backbone.{name}" for name in convs} <= set(names)
    assert all(maps.shape[0] == 1 for maps in output["features"].values())


def test_the_view_has_the_parts_of_the_detector_and_no_other() -> None:
    detector = without_memory("maskrcnn_resnet50_fpn")
    view = detectors.BackboneAndHeads(detector)
    assert dict(view.named_modules()).keys() - {""} == dict(detector.named_modules()).keys() - {""}
    assert view.state_dict().keys() == detector.state_dict().keys()


@pytest.fixture
def small() -> nn.Module:
    torch.manual_seed(0)
    models = load_torchvision().models
    small: nn.Module = models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=3, min_size=64, max_size=64
    )
    return small.eval()


def test_heads_say_what_the_detector_itself_hears_from_them(small: nn.Module) -> None:
    """Up to where an operator is missing, a detector's own forward does the same."""
    image = torch.rand(1, 3, 64, 64)
    kept: list[Any] = []
    hook = small.get_submodule("rpn.head").register_forward_hook(lambda *call: kept.append(call[2]))
    with suppress(RuntimeError):  # where the operators are missing
        small(list(image))
    hook.remove()
    with torch.no_grad():
        output = detectors.BackboneAndHeads(small)(image)
    torch.testing.assert_close(output["heads"][0][0], kept[0][0][0])


def test_which_part_runs_is_said(small: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, "operators_load", lambda: False)
    view, note = detectors.runnable(small)
    assert isinstance(view, detectors.BackboneAndHeads)
    assert "backbone and heads" in note
    monkeypatch.setattr(detectors, "operators_load", lambda: True)
    view, note = detectors.runnable(small)
    assert isinstance(view, detectors.WholeDetector)
    assert "whole detector" in note


def test_a_whole_detector_takes_a_tensor(small: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "forward", lambda images: [image.shape for image in images])
    view = detectors.WholeDetector(small).eval()
    assert view(torch.rand(2, 3, 8, 8)) == [(3, 8, 8), (3, 8, 8)]


@pytest.mark.parametrize("name", ["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"])
def test_segmentation_needs_no_view(name: str) -> None:
    model = without_memory(name)
    assert not detectors.is_detector(model)
    assert model(torch.rand(1, 3, 64, 64, device="meta"))["out"].shape == (1, 21, 64, 64)


def test_detectors_are_known_by_their_class(small: nn.Module) -> None:
    assert detectors.is_detector(small)
    assert not detectors.is_detector(nn.Sequential())
