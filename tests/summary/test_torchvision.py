"""Every model of torchvision against the figures that its weights state."""

from __future__ import annotations

import pytest

from cnnviz.models.sources.torchvision import load_torchvision
from cnnviz.summary.model import ModelSummary, summarize

# What torchvision counted of the heads of regions, where its random image left fewer of them than
# the model keeps: the share of each head.
REGIONS = {
    "fasterrcnn_mobilenet_v3_large_fpn": {"box": 0.0},
    "fasterrcnn_mobilenet_v3_large_320_fpn": {"box": 0.0},
    "maskrcnn_resnet50_fpn": {"mask": 0.0},
    "keypointrcnn_resnet50_fpn": {"keypoint": 0.01},
}
OTHERS = ["detection", "optical_flow", "quantization", "segmentation", "video"]


def counted(name: str, found: ModelSummary) -> float:
    """Multiply-adds with as many regions as torchvision had."""
    macs: float = found.macs
    for layer in found.layers:
        for kind, share in REGIONS.get(name, {}).items():
            if layer.name.startswith(f"roi_heads.{kind}_"):
                macs -= (1 - share) * layer.macs
    return macs


def differing(names: list[str]) -> dict[str, tuple[object, object]]:
    """The models whose figures are not those of their default weights, and both."""
    models = load_torchvision().models
    wrong: dict[str, tuple[object, object]] = {}
    for name in names:
        meta = models.get_model_weights(name).DEFAULT.meta
        found = summarize(name, depth=1)
        ours = found.total_params, round(counted(name, found) / 1e9, 3)
        stated = meta["num_params"], meta["_ops"]
        rows = sum(layer.params for layer in found.layers), sum(x.macs for x in found.layers)
        if ours != stated or rows != (found.total_params, found.macs):
            wrong[name] = (ours, stated)
    return wrong


@pytest.mark.parametrize("initial", "acdegimrsvw")
def test_parameters_and_multiply_adds_are_those_of_the_weights(initial: str) -> None:
    models = load_torchvision().models
    listed = models.list_models(module=models)
    assert {name[0] for name in listed} == set("acdegimrsvw")
    assert differing([name for name in listed if name[0] == initial]) == {}


@pytest.mark.parametrize("room", OTHERS)
def test_models_of_other_tasks_have_the_figures_of_their_weights(room: str) -> None:
    models = load_torchvision().models
    rooms = {name: models.get_model_builder(name).__module__ for name in models.list_models()}
    named = [name for name, module in rooms.items() if f".{room}." in module]
    assert named
    others = [name for name in rooms if name not in models.list_models(module=models)]
    assert all(any(f".{each}." in rooms[name] for each in OTHERS) for name in others)
    assert differing(named) == {}


def test_heads_of_a_detector_are_rows_with_the_size_of_a_region() -> None:
    found = summarize("maskrcnn_resnet50_fpn", (3, 224, 224), depth=1)
    rows = {layer.name: layer for layer in found.layers}
    assert rows["roi_heads.box_roi_pool"].output == (256, 7, 7)
    assert rows["roi_heads.box_head"].output == (1024,)
    assert rows["roi_heads.box_head"].macs == 1000 * (256 * 7 * 7 * 1024 + 1024 * 1024)
    assert rows["roi_heads.mask_predictor"].output == (91, 28, 28)
    assert rows["roi_heads.mask_predictor"].note == "for each of 100 detections"
    assert [field.limit for field in rows["roi_heads.box_head"].fields] == ["not computed"] * 2
    assert rows["transform"].note == "not run"
    assert "1,000 proposals and 100 detections" in found.notes[0]


def test_a_single_shot_detector_gives_a_score_for_every_anchor() -> None:
    found = summarize("retinanet_resnet50_fpn", (3, 256, 256), depth=1)
    positions = 32**2 + 16**2 + 8**2 + 4**2 + 2**2
    assert found.output == (9 * positions, 91)


def test_two_images_of_an_optical_flow_are_as_large_as_one_that_is_given() -> None:
    found = summarize("raft_small", (3, 128, 128), depth=1)
    assert found.inputs == ((3, 128, 128), (3, 128, 128))
    assert found.output == (2, 128, 128)
