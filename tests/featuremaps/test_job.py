from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnviz.capturing import run_and_capture
from cnnviz.errors import ImageError, OutputError, UsageError
from cnnviz.explorer import PageOptions
from cnnviz.featuremaps.job import FeatureMaps, save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.images import read_image
from cnnviz.models import load_model
from cnnviz.models.loading import LoadedModel
from cnnviz.version import __version__
from tests.models.drawn import seven

LAYER_KEYS = {
    *("index", "name", "type", "call", "shape", "status", "reason", "file", "stats", "channels"),
    *("verified", "paper_name", "kind", "aliases", "layout", "overlay", "filters"),
}
PICTURES = [
    "00_input.png",
    "01_features.0.png",
    "02_features.1.png",
    "03_features.2.png",
    "04_features.3.png",
    "05_features.4.png",
    "06_features.5.png",
    "07_features.6.png",
    "08_features.7.png",
    "10_classifier.1.png",
    "11_classifier.2.png",
    "12_classifier.3.png",
    "overview.png",
    "predictions.png",
]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("lenet")


@pytest.fixture(scope="module")
def saved(model: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> FeatureMaps:
    folder = tmp_path_factory.mktemp("saved")
    Image.fromarray(seven()).save(folder / "seven.png")
    return save_feature_maps(folder / "seven.png", model, folder / "maps")


@pytest.fixture(scope="module")
def manifest(saved: FeatureMaps) -> dict[str, Any]:
    written = json.loads((saved.folder / "manifest.json").read_text("utf-8"))
    assert written == saved.manifest
    return dict(written)


def test_folder_has_a_picture_per_layer_and_the_manifest(saved: FeatureMaps) -> None:
    names = sorted(path.name for path in saved.folder.iterdir())
    assert names == sorted([*PICTURES, "manifest.json"])
    for name in PICTURES:
        with Image.open(saved.folder / name) as image:
            image.load()
            assert image.format == "PNG"


def test_manifest_says_what_was_run_on_what(saved: FeatureMaps, manifest: dict[str, Any]) -> None:
    assert {key: manifest[key] for key in ("cnnviz", "model", "image", "preprocess")} == {
        "cnnviz": __version__,
        "model": "lenet",
        "image": str(saved.input),
        "preprocess": {
            "recipe": None,  # a function of the table's
            "steps": ["28x28 centred in 32x32"],
            "input": [1, 32, 32],
            "blank": False,
        },
    }
    weights = manifest["weights"]
    assert (weights["source"], weights["dataset"]) == ("trained", "MNIST")
    assert set(manifest) - {"cnnviz", "model", "image", "preprocess"} == {
        *("weights", "predictions", "predictions_from", "layers", "notes", "selection", "raw"),
        *("hooks_change_nothing", "restored_buffers", "scale", "colors", "overview"),
        *("failed_limits", "device", "precision", "cam", "output", "page"),
    }


def test_predictions_are_the_softmax_of_the_scores_best_first(
    model: LoadedModel, saved: FeatureMaps, manifest: dict[str, Any]
) -> None:
    with torch.inference_mode():
        scores = model.module(model.prepare(read_image(saved.input)).tensor)[0].double().exp()
    shares = (scores / scores.sum()).tolist()
    predictions = manifest["predictions"]
    assert [p["index"] for p in predictions] == sorted(range(10), key=lambda i: -shares[i])
    assert predictions[0]["label"] == "7"
    assert [p["label"] for p in predictions] == [str(p["index"]) for p in predictions]
    assert [p["probability"] for p in predictions] == pytest.approx(sorted(shares)[::-1], rel=1e-5)
    assert sum(p["probability"] for p in predictions) == pytest.approx(1, abs=1e-6)


def test_every_layer_is_captured_with_its_file_or_skipped_with_a_reason(
    saved: FeatureMaps, manifest: dict[str, Any]
) -> None:
    layers = manifest["layers"]
    assert [layer["index"] for layer in layers] == list(range(1, 13))
    assert all(set(layer) == LAYER_KEYS for layer in layers)
    (flatten,) = (layer for layer in layers if layer["status"] == "skipped")
    assert (flatten["type"], flatten["file"], flatten["channels"]) == ("Flatten", None, [])
    assert flatten["reason"]
    captured = [layer for layer in layers if layer["status"] == "captured"]
    assert [layer["file"] for layer in captured] == PICTURES[1:-2]
    assert [layer["name"] for layer in layers if layer["verified"]] == [
        *("features.0", "features.3", "features.6")
    ]
    assert all((saved.folder / layer["file"]).is_file() for layer in captured)
    assert all(layer["reason"] is None and layer["call"] == 1 for layer in captured)


def test_statistics_are_those_of_the_layers_values(
    model: LoadedModel, saved: FeatureMaps, manifest: dict[str, Any]
) -> None:
    run = run_and_capture(model.module, model.prepare(read_image(saved.input)).tensor)
    for layer, output in zip(manifest["layers"], run.layers, strict=True):
        if layer["status"] == "skipped":
            continue
        assert output.values is not None
        assert layer["shape"] == list(output.values.shape)
        assert len(layer["channels"]) == layer["shape"][0]
        values = output.values.double()
        assert layer["stats"] == {
            "min": float(values.min()),
            "max": float(values.max()),
            "mean": pytest.approx(float(values.mean()), abs=1e-12),
            "std": pytest.approx(float(values.std(correction=0)), abs=1e-12),
            "sparsity": int((values == 0).sum()) / values.numel(),
        }
        last = layer["channels"][-1]
        assert set(last) == {"index", "min", "max", "mean", "sparsity", "flags"}
        assert (last["index"], last["max"]) == (len(values) - 1, float(values[-1].max()))


def test_blank_image_gives_constant_maps_and_still_a_whole_folder(
    model: LoadedModel, tmp_path: Path
) -> None:
    Image.new("L", (40, 30)).save(tmp_path / "blank.png")
    manifest = save_feature_maps(tmp_path / "blank.png", model, tmp_path / "maps").manifest
    assert len(list((tmp_path / "maps").iterdir())) == len(PICTURES) + 1
    flags = {layer["name"]: [c["flags"] for c in layer["channels"]] for layer in manifest["layers"]}
    assert flags["features.0"] == [["constant"]] * 6
    assert "all of one colour: nothing to read" in manifest["preprocess"]["steps"]


def test_weights_that_give_no_number_are_shown_as_such(tmp_path: Path) -> None:
    broken = load_model("lenet")
    broken.module.get_parameter("features.3.bias").data[2] = float("nan")
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    manifest = save_feature_maps(tmp_path / "seven.png", broken, tmp_path / "maps").manifest
    conv = next(layer for layer in manifest["layers"] if layer["name"] == "features.3")
    assert [c["index"] for c in conv["channels"] if "nonfinite" in c["flags"]] == [2]
    assert conv["channels"][2]["min"] is None
    assert {p["probability"] for p in manifest["predictions"]} == {None}
    assert json.loads((tmp_path / "maps" / "manifest.json").read_text("utf-8")) == manifest


@pytest.mark.parametrize("input_is_read", [True, False], ids=["the image", "another input"])
def test_picture_that_would_replace_an_input_is_refused_before_anything_is_written(
    model: LoadedModel, tmp_path: Path, input_is_read: bool
) -> None:
    taken = tmp_path / "predictions.png"
    Image.fromarray(seven()).save(taken)
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    before = taken.read_bytes()
    image = taken if input_is_read else tmp_path / "seven.png"
    with pytest.raises(UsageError, match=r"predictions\.png is an input"):
        save_feature_maps(image, model, tmp_path, [taken])
    assert taken.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.png", "seven.png"]


def test_old_manifest_is_gone_while_pictures_are_replaced(
    model: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    save_feature_maps(tmp_path / "seven.png", model, tmp_path / "maps")

    def full(path: Path, _: bytes) -> None:
        raise OutputError(f"{path} cannot be written: no space")

    monkeypatch.setattr("cnnviz.storage.write_bytes", full)
    with pytest.raises(OutputError, match="no space"):
        save_feature_maps(tmp_path / "seven.png", model, tmp_path / "maps")
    assert not (tmp_path / "maps" / "manifest.json").exists()
    assert (tmp_path / "maps" / "predictions.png").exists()


def test_file_that_is_no_image_leaves_no_folder(model: LoadedModel, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ImageError, match=r"text\.png"):
        save_feature_maps(tmp_path / "text.png", model, tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_input_picture_shows_what_the_model_sees(saved: FeatureMaps) -> None:
    with Image.open(saved.folder / "00_input.png") as image:
        pixels = np.asarray(image)
    # The lightest area of the sheet inside the picture's black ground is the 7, 14 times as large.
    black = (pixels == 0).all(axis=2)
    rows, columns = black.any(axis=1).nonzero()[0], black.any(axis=0).nonzero()[0]
    tile = pixels[rows[0] : rows[0] + 448, columns[0] : columns[0] + 448, 0]
    assert (tile[7::14, 7::14] == np.pad(seven(), 2)).all()


def test_a_notebook_shows_the_overview_and_the_page_in_a_sandbox(
    model: LoadedModel, tmp_path: Path
) -> None:
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    options = MapOptions(page=PageOptions())
    saved = save_feature_maps(tmp_path / "seven.png", model, tmp_path / "maps", options=options)
    shown = saved._repr_html_()
    assert shown is not None
    data = base64.b64decode(shown.partition("base64,")[2].partition('"')[0])
    assert data == (tmp_path / "maps" / "overview.png").read_bytes()
    frame = saved.explore(height=500)._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts" srcdoc="&lt;!doctype html')
    assert "height: 500px" in frame
    page = (tmp_path / "maps" / "index.html").read_text("utf-8")
    assert "LeNet-5 on seven.png" in page
    bare = save_feature_maps(tmp_path / "seven.png", model, tmp_path / "bare")
    with pytest.raises(UsageError, match="no page"):
        bare.explore()
