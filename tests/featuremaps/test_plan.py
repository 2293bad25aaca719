"""What a run would put out is found without computing it, and is what the run puts out."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnviz.capturing import run_and_capture
from cnnviz.errors import CnnvizError, UsageError
from cnnviz.featuremaps.plan import memory_of, plan
from cnnviz.models import load_model
from tests.conftest import Run
from tests.models.drawn import seven

IMAGE = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)


class Net(nn.Module):
    """Two layers, one of them twice, and a function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 2, 3), nn.ReLU()
        self.calls: list[torch.device] = []

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, 2, 6, 6)."""
        self.calls.append(x.device)
        y: Tensor = self.relu(self.relu(self.conv(x)) + 1)
        return y


class Looks(Net):
    """Looks at values."""

    def forward(self, x: Tensor) -> Tensor:
        """The same, or an error for what is negative."""
        return super().forward(x) if x.max() > 0 else x


@pytest.mark.parametrize("make", [Net, Looks])
def test_plan_lists_what_the_run_puts_out(make: type[Net]) -> None:
    model = make()
    planned = plan(model, [IMAGE])
    devices = {device.type for device in model.calls}
    assert devices == (set() if make is Net else {"cpu"})  # a copy of it ran on meta
    run = run_and_capture(model, IMAGE)
    assert [(x.key, x.shape) for x in planned.layers] == [(x.key, x.shape) for x in run.layers]
    assert [x.key for x in planned.shown] == ["conv", "relu", "relu#2"]
    assert planned.total == 4
    assert [memory_of(layer) for layer in planned.shown] == [4 * 2 * 36] * 3


def test_model_that_fails_is_named_in_the_plan() -> None:
    with pytest.raises(CnnvizError, match=r"in layer conv: .*to have 1 channels"):
        plan(Net(), [IMAGE.expand(1, 3, 8, 8)])


def test_pattern_without_a_layer_is_refused_by_the_plan() -> None:
    with pytest.raises(UsageError, match="did you mean conv"):
        plan(Net(), [IMAGE], ["conw"])


class Plain(nn.Module):
    """Net for TorchScript."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 2, 3), nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        y: Tensor = self.head(torch.relu(self.conv(x)).mean((2, 3)))
        return y


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    model, image = Plain().eval(), torch.zeros(1, 3, 28, 28)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(model).save(tmp_path / "net.pt")
        torch.export.save(torch.export.export(model, (image,)), tmp_path / "net.pt2")
    return tmp_path


@pytest.mark.parametrize("file", ["net.pt", "net.pt2"])
def test_programs_from_files_are_planned_as_they_run(programs: Path, file: str) -> None:
    module = load_model(str(programs / file)).module
    image = torch.rand(1, 3, 28, 28)
    planned = [x.key for x in plan(module, [image]).layers if x.kind != "block"]
    assert [x.key for x in run_and_capture(module, image).layers] == planned


@pytest.mark.parametrize("file", ["net.pt", "net.pt2"])
def test_command_draws_the_layers_of_programs_from_files(
    run: Run, programs: Path, file: str
) -> None:
    asked = ("--model", file, "-o", "maps", "--layers", "all", "-q")
    result = run("featuremaps", "seven.png", *asked)
    assert (result.exit_code, result.stderr) == (0, "")
    manifest = json.loads((programs / "maps" / "manifest.json").read_text("utf-8"))
    drawn = {layer["name"]: layer["shape"] for layer in manifest["layers"] if layer["file"]}
    assert {"conv": [2, 26, 26], "relu": [2, 26, 26], "head": [3]}.items() <= drawn.items()
    assert manifest["hooks_change_nothing"] is True
    assert manifest["predictions_from"] == "softmax of the model's scores"
