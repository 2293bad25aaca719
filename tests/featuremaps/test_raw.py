"""Files of maps are exact, named by layers, and whole or not there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from cnnviz.errors import OutputError
from cnnviz.featuremaps import waiting
from cnnviz.featuremaps.job import read_input, save_feature_maps
from cnnviz.featuremaps.options import MapOptions
from cnnviz.featuremaps.raw import RawMaps
from tests.albums import noise
from tests.featuremaps.nets import tiny

KINDS = ("safetensors", "npz")


def read(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays, as the formats' own libraries read them."""
    if path.suffix == ".safetensors":
        return load_file(path)
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_torchs_own_hooks_bit_for_bit(kind: str, tmp_path: Path) -> None:
    model = tiny(tmp_path)
    noise(1, 21, 18).convert("L").save(tmp_path / "a.png")
    result = save_feature_maps(
        tmp_path / "a.png", model, tmp_path / "out", options=MapOptions(raw=kind)
    )
    found = read(tmp_path / "out" / f"maps.{kind}")
    expected: dict[str, NDArray[Any]] = {}

    def keep(name: str) -> Any:
        def hook(_: Any, __: Any, output: torch.Tensor) -> None:
            key = f"{name}#2" if name in expected else name
            expected[key] = output[0].clone().numpy()

        return hook

    for name, module in model.module.named_children():
        module.register_forward_hook(keep(name))
    with torch.inference_mode():
        model.module(read_input(tmp_path / "a.png", model).tensor)
    assert result.manifest["raw"] == f"maps.{kind}"
    assert {"relu", "relu#2"} <= found.keys()
    assert found.keys() - expected.keys() <= {"mean"}  # a function, of which there is no hook
    for key, values in expected.items():
        assert found[key].dtype == np.float32
        np.testing.assert_array_equal(found[key], values)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_any_size_and_value_come_back(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CHUNK", 64)  # so that these are large
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], np.float32)
    arrays = {
        "a": np.random.default_rng(0).normal(size=(3, 7, 5)).astype(np.float32),
        "b.c#2": special,
        "empty": np.zeros((2, 0, 3), np.float32),
        "strided": np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2],
    }
    raw = RawMaps(tmp_path, kind)
    for key, values in arrays.items():
        raw.add(key, values)
    assert raw.save({"cnnviz": "maps", "x": "y" * 100_000}) == f"maps.{kind}"
    raw.close()
    found = read(tmp_path / f"maps.{kind}")
    assert list(found) == list(arrays)
    for key, values in arrays.items():
        assert found[key].tobytes() == np.ascontiguousarray(values).tobytes()
        assert found[key].shape == values.shape
    assert [path.name for path in tmp_path.iterdir()] == [f"maps.{kind}"]


class Full:
    """A file that takes so many writes, and no more."""

    def __init__(self, file: Any, writes: int) -> None:
        self.file, self.writes = file, writes

    def write(self, data: Any) -> Any:
        self.writes -= 1
        if self.writes < 0:
            raise OSError(28, "No space left on device")
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("writes", [0, 3])
def test_full_disk_while_the_model_runs_is_told_and_leaves_no_file(
    kind: str, writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(tmp_path)
    noise(1, 12, 12).convert("L").save(tmp_path / "a.png")
    usual = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **how: Full(usual(**how), writes))
    with pytest.raises(OutputError, match="No space left"):
        save_feature_maps(tmp_path / "a.png", model, tmp_path / "out", options=MapOptions(raw=kind))
    left = [path.name for path in (tmp_path / "out").iterdir()]
    assert not [name for name in left if name.startswith((".cnnviz", "maps", "manifest"))]


@pytest.mark.parametrize("kind", KINDS)
def test_failure_while_it_is_written_leaves_the_file_that_was_there(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"maps.{kind}").write_bytes(b"before")
    raw = RawMaps(tmp_path, kind)
    raw.add("a", np.ones((2, 3), np.float32))

    def broken(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(raw._waiting, "chunks", broken)
    with pytest.raises(OutputError, match="No space left"):
        raw.save({})
    raw.close()
    assert (tmp_path / f"maps.{kind}").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == [f"maps.{kind}"]
