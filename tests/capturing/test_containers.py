"""Programs from files and models in wrappers give the maps of the model inside."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz.capturing import feature_maps, run_and_capture, survey
from cnnviz.capturing.run import OPERATIONS_NOTE
from cnnviz.errors import CnnvizError
from cnnviz.models import load_model
from cnnviz.models.sources.detectors import runnable
from cnnviz.models.sources.torchvision import load_torchvision
from tests.capturing.made import Does, hooks, seeded

IMAGE = torch.linspace(-1, 1, 3 * 8 * 8).reshape(1, 3, 8, 8)


class Net(nn.Module):
    """Convolutions, an in-place activation, a reused one, a sum, a permutation, a pooled end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.mix = nn.Conv2d(4, 4, 1)
        self.pool = nn.MaxPool2d(2)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of (N, 3, 8, 8)."""
        x = self.stem(x)
        x = self.pool(F.relu(self.mix(x) + x))
        x = self.norm(x.permute(0, 2, 3, 1)).mean((1, 2))
        y: Tensor = self.head(x)
        return y


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(0)
    model = Net().eval()
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1)
    return model


@pytest.fixture(scope="module")
def eager(net: Net) -> dict[str, Tensor]:
    run = run_and_capture(net, IMAGE, wants=lambda layer: True)
    return {layer.key: torch.as_tensor(layer.values) for layer in run.layers}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, net: Net) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(folder / "scripted.pt")
        torch.jit.trace(net, IMAGE).save(folder / "traced.pt")
        torch.export.save(torch.export.export(net, (IMAGE,)), folder / "exported.pt2")
    return folder


@pytest.mark.parametrize("file", ["scripted.pt", "traced.pt"])
def test_operations_of_torchscript_put_out_what_the_models_layers_do(
    folder: Path, eager: dict[str, Tensor], file: str
) -> None:
    loaded = load_model(str(folder / file))
    run = run_and_capture(loaded.module, IMAGE, check=True)
    assert run.same_output
    assert run.notes == (OPERATIONS_NOTE,)
    found = {layer.key: layer for layer in run.layers}
    kinds = {layer.kind for layer in run.layers}
    assert kinds >= {"conv", "norm", "relu", "pool", "linear"}
    layouts = {"stem.0": "NCHW", "stem.1": "NCHW", "mix": "NCHW", "norm": "NHWC", "head": "NC"}
    for name, layout in layouts.items():
        assert torch.equal(torch.as_tensor(found[name].values), eager[name]), name
        assert found[name].layout == layout
    pooled = next(layer for layer in run.layers if layer.kind == "pool")
    assert torch.equal(torch.as_tensor(pooled.values), eager["pool"])
    relus = [layer for layer in run.layers if layer.type == "relu"]
    assert torch.equal(torch.as_tensor(relus[0].values), eager["stem.2"])
    assert torch.equal(torch.as_tensor(relus[1].values), eager["relu"])
    assert torch.equal(run.output, eager["head"])
    assert hooks(loaded.module) == 0


def test_torchscript_is_surveyed_and_captured_again_by_the_same_names(folder: Path) -> None:
    loaded = load_model(str(folder / "scripted.pt"))
    surveyed = [layer.key for layer in survey(loaded.module, IMAGE).layers if layer.kind != "block"]
    for _ in range(2):
        assert [layer.key for layer in run_and_capture(loaded.module, IMAGE).layers] == surveyed


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_torchscript_loaded_by_torch_itself_is_run_by_its_operations(
    folder: Path, eager: dict[str, Tensor]
) -> None:
    script = torch.jit.load(folder / "scripted.pt")
    maps = feature_maps(script, IMAGE)
    assert (maps["mix"] == eager["mix"].numpy()).all()
    with cnnviz.capture(script) as capture:
        capture.run(IMAGE)
    assert (capture["mix"] == eager["mix"].numpy()).all()


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_part_in_torchscript_is_named_and_the_rest_is_captured(folder: Path) -> None:
    part = torch.jit.load(folder / "scripted.pt")
    run = run_and_capture(nn.Sequential(nn.ReLU(), part, nn.Tanh()), IMAGE)
    assert [layer.key for layer in run.layers[:2]] == ["0", "2"]
    assert {layer.reason for layer in run.layers[2:]} == {
        "TorchScript, whose parts nothing can listen to"
    }


def test_exported_program_has_the_models_layers_by_their_names(
    folder: Path, eager: dict[str, Tensor], net: Net
) -> None:
    loaded = load_model(str(folder / "exported.pt2"))
    run = run_and_capture(loaded.module, IMAGE, check=True, wants=lambda layer: True)
    assert run.same_output
    ours = {layer.key: (layer.type, layer.kind, layer.layout) for layer in run.layers}
    assert ours == {
        layer.key: (layer.type, layer.kind, layer.layout)
        for layer in run_and_capture(net, IMAGE, wants=lambda layer: True).layers
    }
    for layer in run.layers:
        assert torch.equal(torch.as_tensor(layer.values), eager[layer.key]), layer.key


def test_exported_program_states_the_only_size_that_it_takes(folder: Path) -> None:
    loaded = load_model(str(folder / "exported.pt2"))
    assert (loaded.source.input_size, loaded.source.fixed_size) == ((3, 8, 8), True)
    with pytest.raises(CnnvizError, match="the model failed") as caught:
        run_and_capture(loaded.module, IMAGE[:, :, :7])
    assert "\n" not in str(caught.value)
    assert hooks(loaded.module) == 0


def test_torchscript_that_fails_on_an_input_says_so_in_one_line(folder: Path) -> None:
    loaded = load_model(str(folder / "traced.pt"))
    with pytest.raises(CnnvizError, match=r"the model failed: .*to have 3 channels") as caught:
        run_and_capture(loaded.module, IMAGE[:, :2])
    assert "\n" not in str(caught.value)
    assert hooks(loaded.module) == 0


def test_model_in_data_parallel_has_the_names_of_the_model() -> None:
    inner = seeded(nn.Conv2d(3, 4, 3), nn.ReLU())
    wrapped = nn.DataParallel(inner)
    run = run_and_capture(wrapped, IMAGE, check=True)
    assert [layer.key for layer in run.layers] == ["0", "1"]
    assert run.notes == ("DataParallel left out: what is inside is shown",)
    with cnnviz.capture(wrapped) as maps:
        wrapped(IMAGE)
    assert list(maps) == ["0", "1"]
    assert hooks(wrapped) == 0


def test_compiled_models_and_parts_run_as_their_code_says_and_stay_compiled() -> None:
    compiled: Any = torch.compile(seeded(nn.Conv2d(3, 4, 3), nn.ReLU()), backend="eager")
    part: Any = torch.compile(nn.Tanh(), backend="eager")
    model = nn.Sequential(nn.ReLU(), part)
    model[0].compile(backend="eager")
    for one, names in ((compiled, ["0", "1"]), (model, ["0", "1._orig_mod"])):
        run = run_and_capture(one, IMAGE, check=True)
        assert [layer.key for layer in run.layers] == names
        assert run.same_output
    with cnnviz.capture(compiled) as maps:
        compiled(IMAGE)
    assert list(maps) == ["0", "1"]
    assert model[1] is part
    assert model[0]._compiled_call_impl is not None


DETECTORS = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("backbone.body.0.0", "rpn.head.cls_logits", 64),
    "retinanet_resnet50_fpn": ("backbone.body.conv1", "head.classification_head.cls_logits", 64),
    "ssdlite320_mobilenet_v3_large": (
        *("backbone.features.0.0.0", "head.classification_head.module_list.0.1", 64),
    ),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_layers_of_a_detector_are_captured_by_its_own_names(name: str) -> None:
    torch.manual_seed(0)
    first, score, side = DETECTORS[name]
    build = getattr(load_torchvision().models.detection, name)
    detector = build(weights=None, weights_backbone=None, num_classes=3).eval()
    module, _ = runnable(detector)
    run = run_and_capture(module, torch.rand(1, 3, side, side), check=True)
    assert run.same_output
    keys = [layer.key for layer in run.layers]
    assert len(keys) == len(set(keys))
    found = {layer.key: layer for layer in run.layers}
    assert found[first].shape is not None
    assert found[score].shape is not None
    names = {layer.name for layer in run.layers if layer.type != "function"}
    assert names <= dict(detector.named_modules()).keys()
    assert hooks(detector) == 0
    levels = [key for key in keys if key.startswith("rpn.head.cls_logits")]
    assert levels[1:2] in ([], ["rpn.head.cls_logits#2"])


def test_mode_of_a_detector_in_a_view_is_restored() -> None:
    load = load_torchvision().models.detection.ssdlite320_mobilenet_v3_large
    detector = load(weights=None, weights_backbone=None, num_classes=2).train()
    module, _ = runnable(detector)
    with cnnviz.capture(module):
        assert not detector.backbone.training
    assert detector.training
    assert module.training
    assert all(part.training for part in detector.modules())


def test_model_that_takes_a_dict_is_captured() -> None:
    model = Does(lambda batch: model.relu(batch["pixels"]))
    model.relu = nn.ReLU()
    assert list(feature_maps(model, {"pixels": IMAGE})) == ["relu"]
