"""Every classification model of torchvision against the figures that its weights state."""

import pytest

from cnnviz.models.torchvision import load_torchvision
from cnnviz.summary.model import summarize


@pytest.mark.parametrize("initial", "acdegimrsvw")
def test_parameters_and_multiply_adds_are_those_of_the_weights(initial: str) -> None:
    models = load_torchvision().models
    listed = models.list_models(module=models)
    assert {name[0] for name in listed} == set("acdegimrsvw")
    wrong = {}
    for name in listed:
        if name[0] == initial:
            stated = models.get_model_weights(name).DEFAULT.meta
            found = summarize(name, depth=1)
            ours = (found.total_params, round(found.macs / 1e9, 3))
            if ours != (stated["num_params"], stated["_ops"]):
                wrong[name] = (ours, stated["num_params"], stated["_ops"])
    assert wrong == {}


def test_segmentation_and_detection_models_are_summarised() -> None:
    models = load_torchvision().models
    stated = models.get_model_weights("fcn_resnet50").DEFAULT.meta
    assert summarize("fcn_resnet50", depth=1).total_params == stated["num_params"]
    found = summarize("retinanet_resnet50_fpn", (3, 224, 224), depth=1)
    idle = {layer.name for layer in found.layers if layer.note}
    assert "head" in idle
    assert "backbone runs" in found.notes[0]
    assert found.macs > 0
