"""What files of weights hold, compared with what torch and safetensors read from them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cnnviz.errors import CnnvizError, ModelError, WeightsError
from cnnviz.models.weights import WeightsFile, read_weights


def net() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(4, 2))


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert ours[name].shape == tensor.shape
        assert torch.equal(ours[name].to(torch.float64), tensor.to(torch.float64))
    return True


def unusual() -> dict[str, Tensor]:
    """Tensors of every type, shared, transposed, empty, a single number."""
    base = torch.arange(24.0).reshape(4, 6)
    types = (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int16, torch.int32)
    newer = (torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2)
    return {
        "row": base[1],
        "transposed": base.t(),
        "every other": base[:, ::2],
        "tied": base[1],
        "empty": torch.empty(0, 3),
        "one": torch.tensor(7.5),
        "truth": torch.tensor([True, False, True]),
        "bytes": torch.arange(3, dtype=torch.uint8),
        "expanded once": torch.ones(1, 5).expand(1, 5),
        **{str(dtype): torch.tensor([1, 2, 3]).to(dtype) for dtype in (*types, *newer)},
    }


def saved_and_read(path: Path, content: Any, **options: Any) -> tuple[WeightsFile, Any]:
    torch.save(content, path, **options)
    return read_weights(path), torch.load(path, weights_only=True)


def test_tensors_are_those_that_torch_reads(tmp_path: Path) -> None:
    read, theirs = saved_and_read(tmp_path / "w.pth", unusual())
    assert read.format == "pickle"
    assert len(theirs) == 20
    assert same(read.tensors, theirs)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_tensors_of_later_protocols_are_those_that_were_saved(
    tmp_path: Path, protocol: int
) -> None:
    torch.save(unusual(), tmp_path / "w.pth", pickle_protocol=protocol)
    assert same(read_weights(tmp_path / "w.pth").tensors, unusual())


def test_the_form_before_torch_1_6_is_read(tmp_path: Path) -> None:
    content = {name: tensor for name, tensor in unusual().items() if "uint" not in name}
    content |= {"parts": torch.ones(3, 4)[1:], "nothing": torch.empty(0)}
    floats = {name: tensor for name, tensor in content.items() if "float8" not in name}
    read, theirs = saved_and_read(tmp_path / "w.pth", floats, _use_new_zipfile_serialization=False)
    assert same(read.tensors, theirs)


def test_a_pickle_without_check_sums_is_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        read, theirs = saved_and_read(tmp_path / "w.pth", net().state_dict())
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(read.tensors, theirs)


def test_safetensors_are_those_that_were_saved(tmp_path: Path) -> None:
    tensors = {name: tensor.clone().contiguous() for name, tensor in unusual().items()}
    path = tmp_path / "w.safetensors"
    save_file(tensors, path, metadata={"dataset": "MNIST"})
    read = read_weights(path)
    assert same(
        {n: read.tensors[n] for n in sorted(tensors)}, {n: tensors[n] for n in sorted(tensors)}
    )
    assert read.metadata == {"dataset": "MNIST"}
    assert (read.format, read.notes, read.path) == ("safetensors", (), path)
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [1, 5_000, 100_000])
def test_the_digest_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.arange(size)}, path)
    assert read_weights(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_writing_to_a_tensor_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.zeros(4)}, path)
    before = path.read_bytes()
    read_weights(path).tensors["a"].fill_(3)
    assert path.read_bytes() == before


STATE = net().state_dict()
OTHERS: dict[Any, Any] = {
    "epoch": 3,
    "lr": 1e-3,
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "counts": Counter("aab"),
    "set": {1, 2},
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "complex": 1 + 2j,
    "nested": {"list": [1, (2, 3), None, True]},
    ("a", "tuple"): "as a key",
    "big": 1 << 90,
}


def of_optimizer() -> dict[str, Any]:
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(1, 3, 4, 6)).sum().backward()
    optimizer.step()
    return {**OTHERS, "optimizer": optimizer.state_dict()}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ({**OTHERS, "state_dict": STATE}, "'state_dict'"),
        ({**of_optimizer(), "model_state_dict": STATE}, "'model_state_dict'"),
        ({"model": {"state_dict": STATE}}, "'model.state_dict'"),
        ({"ema": {"0.weight": torch.zeros(1)}, "model": STATE}, "'model'"),
        ({"my_own_key": STATE, "epoch": 1}, "'my_own_key'"),
    ],
    ids=["beside others", "beside an optimizer", "two levels", "beside averages", "own key"],
)
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_nested_weights_are_found(tmp_path: Path, content: Any, note: str, new: bool) -> None:
    path = tmp_path / "w.ckpt"
    torch.save(content, path, _use_new_zipfile_serialization=new)
    torch.load(path, weights_only=True)  # which takes the same
    read = read_weights(path)
    assert same(read.tensors, dict(STATE))
    assert read.notes == (f"took the tensors under {note}",)


def test_parameters_and_entries_that_are_no_tensors(tmp_path: Path) -> None:
    content: OrderedDict[str, Any] = OrderedDict(net().named_parameters())
    content["version"] = 3
    read, theirs = saved_and_read(tmp_path / "w.pt", content)
    assert read.notes == ("left out 'version': no tensors",)
    del theirs["version"]
    assert same(read.tensors, {name: parameter.data for name, parameter in theirs.items()})


@pytest.mark.parametrize(
    ("prefix", "notes"),
    [
        ("module.", ("dropped the prefix 'module.' of 9 names",)),
        ("_orig_mod.", ("dropped the prefix '_orig_mod.' of 9 names",)),
        (
            "_orig_mod.module.",
            (
                "dropped the prefix '_orig_mod.' of 9 names",
                "dropped the prefix 'module.' of 9 names",
            ),
        ),
    ],
)
def test_the_prefixes_of_wrappers_are_dropped(tmp_path: Path, prefix: str, notes: Any) -> None:
    path = tmp_path / "w.pt"
    torch.save({prefix + name: tensor for name, tensor in STATE.items()}, path)
    read = read_weights(path)
    assert list(read.tensors) == list(STATE)
    assert read.notes == notes


def test_the_names_of_compiled_parts_are_their_own(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"features._orig_mod.0.weight": torch.ones(1), "fc.bias": torch.ones(1)}, path)
    assert list(read_weights(path).tensors) == ["features.0.weight", "fc.bias"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_what_is_not_finite_is_counted(tmp_path: Path, dtype: torch.dtype) -> None:
    bad = torch.ones(3, 3, dtype=dtype)
    bad[0, 1], bad[2, 2] = float("nan"), -float("inf")
    large = torch.full((9,), torch.finfo(dtype).max, dtype=dtype)  # whose sum is beyond its type
    save_file({"fine": large, "layer": bad}, tmp_path / "w.safetensors")
    read = read_weights(tmp_path / "w.safetensors")
    assert read.notes == ("2 values are NaN or infinite, in 'layer'",)


def test_a_folder_of_hugging_face_is_read(tmp_path: Path) -> None:
    save_file(dict(STATE), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    assert read_weights(tmp_path).tensors.keys() == STATE.keys()


def test_shards_are_put_together(tmp_path: Path) -> None:
    names = list(STATE)
    files = {"model-1.safetensors": names[:4], "model-2.safetensors": names[4:]}
    for file, part in files.items():
        save_file({name: STATE[name] for name in part}, tmp_path / file)
    index = {"weight_map": {name: file for file, part in files.items() for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    read = read_weights(tmp_path)
    assert read.tensors.keys() == STATE.keys()
    whole = b"".join((tmp_path / file).read_bytes() for file in files)
    assert read.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", 3])
def test_an_index_names_files_beside_it_only(tmp_path: Path, name: Any) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(WeightsError, match="names no files beside it"):
        read_weights(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_link_and_a_name_that_is_not_text_are_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"w\xff.safetensors")
    save_file(dict(STATE), tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").rename(path)
    (tmp_path / "link.pt").symlink_to(path)
    assert read_weights(tmp_path / "link.pt").tensors.keys() == STATE.keys()


def program(path: Path) -> None:
    torch.jit.save(torch.jit.trace(net().eval(), torch.zeros(1, 3, 4, 6)), path)


def exported(path: Path) -> None:
    torch.export.save(torch.export.export(net().eval(), (torch.zeros(1, 3, 4, 6),)), path)


@pytest.mark.filterwarnings("ignore")  # torch deprecates its own TorchScript
@pytest.mark.parametrize(
    ("make", "said"), [(program, "TorchScript"), (exported, "exported")], ids=["script", "export"]
)
def test_a_program_is_no_file_of_weights(tmp_path: Path, make: Any, said: str) -> None:
    make(tmp_path / "w.pt2")
    (tmp_path / "w.pt2").rename(tmp_path / "w.pt")
    with pytest.raises(ModelError, match=f"{said} program, not weights; name it as the model"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", WeightsError, "is empty"),
        (b"\n<!DOCTYPE html><html>", WeightsError, "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", WeightsError, "git lfs pull"),
        (b"Entry not found", WeightsError, "error message"),
        (b'{"error":"Repository not found"}', WeightsError, "web service"),
        (b"\x89HDF\r\n\x1a\n", ModelError, "HDF5"),
        (b"\x93NUMPY\x01\x00", ModelError, "NumPy"),
        (b"\x1f\x8b\x08\x00", ModelError, "unpack it first"),
        (bytes(257) + b"ustar\x0000", WeightsError, "tar archive"),
        (b"just some text", WeightsError, "begins like neither"),
    ],
    ids=["empty", "html", "lfs", "404", "json", "hdf5", "numpy", "gzip", "tar", "text"],
)
def test_what_a_file_is_instead_is_said(
    tmp_path: Path, content: bytes, error: type[CnnvizError], said: str
) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(error, match=said) as caught:
        read_weights(tmp_path / "w.pth")
    assert caught.type is error


def test_a_missing_file_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not there$"):
        read_weights(tmp_path / "w.pth")
    with pytest.raises(ModelError, match="is not there: there is no folder"):
        read_weights(tmp_path / "folder" / "w.pth")
    (tmp_path / "w.pth").symlink_to("nowhere")
    with pytest.raises(ModelError, match="the link leads nowhere"):
        read_weights(tmp_path / "w.pth")


def test_a_folder_without_weights_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"folder without model\.safetensors"):
        read_weights(tmp_path)


@pytest.mark.parametrize("content", [torch.ones(3), [torch.ones(3)], {"a": 1}, {1: torch.ones(3)}])
def test_what_has_no_names_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="weights"):
        read_weights(tmp_path / "w.pt")


def test_a_file_larger_than_any_network_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "w.safetensors").open("wb") as file:
        file.truncate(1 << 40)  # holes, which take no space
    with pytest.raises(WeightsError, match=r"1,099,511,627,776 bytes; at most 34,359,738,368"):
        read_weights(tmp_path / "w.safetensors")
