"""Two runs side by side, against torch and planted differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.featuremaps.against import Against, Divergence
from cnnviz.featuremaps.compare import Comparer
from cnnviz.featuremaps.folder import FeatureMaps, key_of
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.models.asked import Asked
from cnnviz.models.loading import LoadedModel
from cnnviz.render.look import Look
from tests.albums import noise
from tests.featuremaps.nets import tiny


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    noise(1, 20, 17).convert("L").save(tmp_path / "a.png")
    noise(2, 20, 17).convert("L").save(tmp_path / "b.png")
    return tiny(tmp_path)


def compared(
    model: LoadedModel, folder: Path, text: str, limit: Divergence | None = None
) -> FeatureMaps:
    comparer = Comparer.of(model, Asked(), Against.read(text), limit)
    return comparer.save(folder / "a.png", folder / "out", [], MapOptions())


def errors_of(result: FeatureMaps) -> dict[str, Any]:
    """By layers' keys, of those that were drawn."""
    layers = result.manifest["layers"]
    return {key_of(layer): layer["compare"] for layer in layers if layer["file"]}


def test_first_layer_that_diverges_is_the_one_that_was_changed(
    model: LoadedModel, tmp_path: Path
) -> None:
    state = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    state["second.weight"][1] *= 1.5
    state["first.bias"][0] += 1e-8  # which rounding swallows
    save_file(state, tmp_path / "other.safetensors")
    result = compared(model, tmp_path, str(tmp_path / "other.safetensors"), Divergence())
    said = result.manifest["compare"]
    assert said["first_divergent"] == "second"
    errors = errors_of(result)
    assert errors["first"]["relative"] < 1e-6
    assert errors["second"]["relative"] > 1e-3
    failed = result.manifest["failed_limits"]
    assert failed[0] == "diverges>0.000244 in second"
    assert not any("first" in one or "pool" in one for one in failed)
    written = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert written == json.loads(json.dumps(result.manifest))


def test_errors_are_those_of_two_runs_of_torch(model: LoadedModel, tmp_path: Path) -> None:
    result = compared(model, tmp_path, str(tmp_path / "b.png"))
    with torch.inference_mode():
        one, other = (
            model.module.get_submodule("first")(read_input(tmp_path / name, model).tensor)[0]
            for name in ("a.png", "b.png")
        )
    gaps = (one.double() - other.double()).abs()
    found = result.manifest["layers"][0]["compare"]
    assert found["max_abs_diff"] == float(gaps.max())
    assert found["mean_abs_diff"] == pytest.approx(float(gaps.mean()), rel=1e-12)
    like = np.corrcoef(one.double().numpy().ravel(), other.double().numpy().ravel())[0, 1]
    assert found["correlation"] == pytest.approx(like, rel=1e-9)
    assert result.manifest["compare"]["names"] == ["a.png", str(Path("b.png"))]
    assert result.manifest["compare"]["first_divergent"] is None


def test_double_precision_differs_by_rounding_alone(model: LoadedModel, tmp_path: Path) -> None:
    before = {name: tensor.dtype for name, tensor in model.module.state_dict().items()}
    result = compared(model, tmp_path, "precision:float64", Divergence())
    assert result.manifest["compare"]["first_divergent"] is None
    assert result.manifest["compare"]["names"] == ["float32", "float64"]
    assert result.manifest["failed_limits"] == []
    gaps = [one["relative"] for one in errors_of(result).values()]
    assert 0 < max(gaps) < 1e-5
    assert {name: tensor.dtype for name, tensor in model.module.state_dict().items()} == before


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_stored_maps_of_the_same_run_are_equal_bit_for_bit(
    model: LoadedModel, kind: str, tmp_path: Path
) -> None:
    options = MapOptions(raw=kind)
    save_feature_maps(tmp_path / "a.png", model, tmp_path / "kept", options=options)
    result = compared(model, tmp_path, f"maps:{tmp_path / 'kept' / f'maps.{kind}'}")
    errors = errors_of(result).values()
    assert len(errors) > 5
    assert {(one["max_abs_diff"], one["nonfinite"]) for one in errors} == {(0, 0)}
    assert sorted(path.name for path in (tmp_path / "out").glob(".*")) == []


def test_picture_has_each_channel_of_both_sides_on_one_scale(
    model: LoadedModel, tmp_path: Path
) -> None:
    noise(1, 9, 40).convert("L").save(tmp_path / "a.png")  # unlike anything else on the sheet
    comparer = Comparer.of(model, Asked(), Against.read("random"))
    options = MapOptions(("first",), look=Look(cmap="gray", tile=40))
    comparer.save(tmp_path / "a.png", tmp_path / "out", [], options)
    image = read_input(tmp_path / "a.png", model).tensor
    with torch.inference_mode():
        sides = [one.module.get_submodule("first")(image)[0] for one in (model, comparer.other)]
    with Image.open(tmp_path / "out" / "01_first.png") as picture:
        sheet = np.asarray(picture)[:, :, 0].astype(int)
    for left, right in zip(*(side.numpy() for side in sides), strict=True):
        low, high = min(left.min(), right.min()), max(left.max(), right.max())
        if low == high:
            continue  # the dead channel
        places = [
            place_of(np.rint((one - low) / (high - low) * 255).astype(int), sheet)
            for one in (left, right)
        ]
        assert places[0][0] == places[1][0]
        assert 0 < places[1][1] - places[0][1] - 40 < 10
    assert (tmp_path / "out" / "compare.png").is_file()


def place_of(tile: NDArray[Any], sheet: NDArray[Any]) -> tuple[int, int]:
    """Row and column where the tile lies in the sheet, within a level."""
    height, width = tile.shape
    near = np.abs(sheet[: 1 - height, : 1 - width] - tile[0, 0]) <= 1
    found = [
        (int(row), int(column))
        for row, column in np.argwhere(near)
        if (np.abs(sheet[row : row + height, column : column + width] - tile) <= 1).all()
    ]
    assert len(found) == 1
    return found[0]


def test_plain_run_says_nothing_of_a_comparison(model: LoadedModel, tmp_path: Path) -> None:
    manifest = save_feature_maps(tmp_path / "a.png", model, tmp_path / "plain").manifest
    assert "compare" not in manifest
    assert all("compare" not in layer for layer in manifest["layers"])


def test_image_of_another_size_is_told_of_layer_by_layer(
    model: LoadedModel, tmp_path: Path
) -> None:
    noise(2, 20, 23).convert("L").save(tmp_path / "b.png")
    result = compared(model, tmp_path, str(tmp_path / "b.png"))
    errors = errors_of(result)
    assert errors["first"]["reason"] == "4x20x17 here and 4x20x23 there"
    assert errors["scores"]["reason"] is None


def test_what_cannot_be_compared_is_refused_before_anything_is_written(
    model: LoadedModel, tmp_path: Path
) -> None:
    save_file({"x": torch.zeros(1, 2, 2)}, tmp_path / "x.safetensors")
    with pytest.raises(UsageError, match="none of the layers"):
        compared(model, tmp_path, f"maps:{tmp_path / 'x.safetensors'}")
    with pytest.raises(CnnvizError, match=r"none\.png"):
        compared(model, tmp_path, str(tmp_path / "none.png"))
    assert not (tmp_path / "out").exists()


def test_other_image_is_never_replaced(model: LoadedModel, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    taken = tmp_path / "out" / "compare.png"
    taken.write_bytes((tmp_path / "b.png").read_bytes())
    with pytest.raises(UsageError, match=r"compare\.png is an input"):
        compared(model, tmp_path, str(taken))
    assert taken.read_bytes() == (tmp_path / "b.png").read_bytes()
