"""A forward pass of the user's own gives the folder that the command gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import cnnviz
from cnnviz.errors import UsageError


class TwoImages(nn.Module):
    """Takes two images and a flag, and uses one activation twice."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.act = nn.ReLU()

    def forward(self, x: Tensor, y: Tensor, *, again: bool = False) -> Tensor:
        z: Tensor = self.act(self.left(x) + self.right(y))
        return self.act(1 - z) if again else z


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_two_inputs_and_a_flag_are_drawn_with_ledger_figures_and_page(
    image: Tensor, tmp_path: Path
) -> None:
    model = TwoImages()
    with cnnviz.capture(model) as maps:
        model(image, image.flip(3), again=True)
    options = cnnviz.MapOptions(page=cnnviz.PageOptions())
    saved = cnnviz.save_capture(maps, tmp_path / "out", image, options)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest == saved.manifest
    ledger = {(x["name"], x["call"]): x["status"] for x in manifest["layers"]}
    assert ledger == {
        ("left", 1): "captured",
        ("right", 1): "captured",
        ("add", 1): "skipped",
        ("act", 1): "captured",
        ("rsub", 1): "skipped",
        ("act", 2): "captured",
    }
    names = {path.name for path in (tmp_path / "out").iterdir()}
    drawn = {x["file"] for x in manifest["layers"] if x["file"]}
    assert names == drawn | {"00_input.png", "overview.png", "index.html", "manifest.json"}
    second = next(x for x in manifest["layers"] if (x["name"], x["call"]) == ("act", 2))
    with torch.inference_mode():
        expected = (1 - (model.left(image) + model.right(image.flip(3))).relu()).relu()[0]
    assert second["stats"]["max"] == float(expected.max())
    assert "TwoImages" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_without_an_image_there_are_the_grids_alone(image: Tensor, tmp_path: Path) -> None:
    model = TwoImages()
    with cnnviz.capture(model) as maps:
        model(image, image)
    saved = cnnviz.save_capture(maps, tmp_path, options=cnnviz.MapOptions(layers=("left",)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01_left.png", "manifest.json"]
    assert saved.manifest["overview"] is None
    with pytest.raises(UsageError, match="no layer in the file matches 'lefd'"):
        cnnviz.save_capture(maps, tmp_path, options=cnnviz.MapOptions(layers=("lefd",)))
