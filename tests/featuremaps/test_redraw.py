"""Stored maps drawn again: the same pictures, without the model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.featuremaps.job import save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.featuremaps.redraw import redraw
from cnnviz.featuremaps.stored import read_maps
from cnnviz.models import load_model
from cnnviz.render.look import Look
from tests.conftest import ROOT
from tests.models.drawn import seven

KINDS = ("safetensors", "npz")
MADE_ONCE = {"predictions.png", "manifest.json"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with maps of LeNet-5 in both formats: safetensors/ and npz/."""
    folder = tmp_path_factory.mktemp("kept")
    Image.fromarray(seven()).save(folder / "seven.png")
    model = load_model("lenet")
    for kind in KINDS:
        options = MapOptions(raw=kind)
        save_feature_maps(folder / "seven.png", model, folder / kind, options=options)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_figures_are_those_of_the_run(kind: str, kept: Path, tmp_path: Path) -> None:
    again = redraw(kept / kind / f"maps.{kind}", tmp_path / "again")
    first = json.loads((kept / kind / "manifest.json").read_text("utf-8"))
    pictures = {path.name for path in (kept / kind).glob("*.png")} - MADE_ONCE
    assert {path.name for path in (tmp_path / "again").iterdir()} == {*pictures, "manifest.json"}
    for name in pictures:
        assert (tmp_path / "again" / name).read_bytes() == (kept / kind / name).read_bytes()
    assert again.manifest["layers"] == first["layers"]
    for key in ("model", "weights", "image", "preprocess", "predictions"):
        assert again.manifest[key] == first[key]
    written = json.loads((tmp_path / "again" / "manifest.json").read_text("utf-8"))
    assert written == again.manifest


def test_drawing_options_apply_and_the_rest_is_not_selected(kept: Path, tmp_path: Path) -> None:
    path = kept / "npz" / "maps.npz"
    options = MapOptions(("conv",), channels=2, sort="max", look=Look("symmetric", tile=40))
    result = redraw(path, tmp_path / "out", options)
    drawn = [layer for layer in result.manifest["layers"] if layer["file"]]
    assert [layer["name"] for layer in drawn] == ["features.0", "features.3", "features.6"]
    rest = {layer["reason"] for layer in result.manifest["layers"] if not layer["file"]}
    assert "not selected" in rest
    plain = (kept / "npz" / "04_features.3.png").read_bytes()
    assert (tmp_path / "out" / "04_features.3.png").read_bytes() != plain
    assert (result.manifest["scale"], result.manifest["colors"]) == ("symmetric", "RdBu")


def test_no_torch_is_imported(kept: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from cnnviz.featuremaps.redraw import redraw\n"
        f"redraw(Path({str(kept / 'npz' / 'maps.npz')!r}), Path({str(tmp_path / 'o')!r}))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_file_of_others_is_drawn_under_bare_names(tmp_path: Path) -> None:
    values = torch.randn(1, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    tensors = {
        "half": values.half(),
        "brain#2": values[0].bfloat16(),
        "whole": torch.arange(7),
        "weights": torch.zeros(2, 2, 2, 2, 2),
    }
    save_file(tensors, tmp_path / "a.safetensors")
    result = redraw(tmp_path / "a.safetensors", tmp_path / "out")
    layers = {layer["name"]: layer for layer in result.manifest["layers"]}
    assert layers["half"]["shape"] == [3, 6, 5]  # without the batch axis
    assert (layers["brain"]["call"], layers["whole"]["shape"]) == (2, [7])
    assert layers["weights"]["status"] == "skipped"
    assert layers["half"]["stats"]["max"] == float(values.half().max())
    assert layers["brain"]["stats"]["min"] == float(values.bfloat16().min())
    assert not (tmp_path / "out" / "00_input.png").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_in_a_sentence(kind: str, kept: Path, tmp_path: Path) -> None:
    data = (kept / kind / f"maps.{kind}").read_bytes()
    path = tmp_path / f"cut.{kind}"
    ends = {0, 5, 9, 200, len(data) // 2}
    for end in ends | ({len(data) - 1} if kind == "safetensors" else set()):
        path.write_bytes(data[:end])
        with pytest.raises(CnnvizError) as caught:
            redraw(path, tmp_path / "out")
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_objects_in_an_npz_are_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([print], dtype=object))
    with pytest.raises(CnnvizError, match="cannot be drawn"):
        read_maps(tmp_path / "a.npz")


def test_unknown_layer_and_file_are_usage_errors(kept: Path, tmp_path: Path) -> None:
    path = kept / "npz" / "maps.npz"
    with pytest.raises(UsageError, match=r"no layer in the file matches 'nix'; it has features\.0"):
        redraw(path, tmp_path / "out", MapOptions(("nix",)))
    with pytest.raises(UsageError, match="is not there"):
        redraw(tmp_path / "none.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()
