from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cnnviz.errors import ImageError
from cnnviz.models.preparing.tensors import is_tensor_file, read_tensor

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def saved(path: Path, array: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        save_file({"input": torch.as_tensor(np.ascontiguousarray(array))}, path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
@pytest.mark.parametrize("array", [VALUES, VALUES[np.newaxis]], ids=["image", "batch"])
def test_tensor_is_taken_as_it_is(tmp_path: Path, suffix: str, array: Any) -> None:
    prepared = read_tensor(saved(tmp_path / f"input{suffix}", array))
    assert torch.equal(prepared.tensor, torch.from_numpy(VALUES)[None])
    assert prepared.steps == ["2x3x4 taken as the model's input as it is"]


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8", "int64", "bool"])
def test_other_numbers_become_float32_and_that_is_said(
    tmp_path: Path, suffix: str, dtype: str
) -> None:
    array = VALUES.astype(dtype)
    prepared = read_tensor(saved(tmp_path / f"input{suffix}", array))
    assert prepared.tensor.dtype == torch.float32
    assert np.array_equal(prepared.tensor[0].numpy(), array.astype(np.float32))
    assert prepared.steps[1] == f"{dtype} made float32"


@pytest.mark.parametrize(
    "array",
    [VALUES.astype(">f4"), np.asfortranarray(VALUES), VALUES[:, ::-1]],
    ids=["big endian", "column first", "reversed"],
)
def test_values_lie_where_numpy_has_them(tmp_path: Path, array: Any) -> None:
    prepared = read_tensor(saved(tmp_path / "input.npy", array))
    assert np.array_equal(prepared.tensor[0].numpy(), array)


def test_nan_and_inf_stay(tmp_path: Path) -> None:
    array = np.array([[[np.nan, np.inf, -np.inf]]], np.float32)
    assert np.array_equal(
        read_tensor(saved(tmp_path / "a.npy", array)).tensor[0].numpy(), array, equal_nan=True
    )


@pytest.mark.parametrize(
    ("shape", "axes", "made"),
    [
        ((100,), 2, (1, 100)),
        ((1, 100), 2, (1, 100)),
        ((3, 4, 5, 6), 5, (1, 3, 4, 5, 6)),
        ((100, 1, 1), 4, (1, 100, 1, 1)),
    ],
    ids=["vector", "batch of vectors", "clip", "latent"],
)
def test_model_of_other_axes(
    tmp_path: Path, shape: tuple[int, ...], axes: int, made: tuple[int, ...]
) -> None:
    assert read_tensor(saved(tmp_path / "a.npy", np.ones(shape)), axes).tensor.shape == made


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((4, 5)), r"shape is \(4, 5\); the model takes \(C, H, W\) or \(1, C, H, W\)"),
        (np.ones((2, 3, 4, 5)), r"shape is \(2, 3, 4, 5\); .* one at a time"),
        (np.ones((1, 1, 3, 4, 5)), r"shape is \(1, 1, 3, 4, 5\)"),
        (np.ones((3, 0, 5)), r"shape is \(3, 0, 5\); it must hold from 1"),
        (np.ones(1), r"shape is \(1\)"),
    ],
    ids=["two axes", "several", "five axes", "empty", "one axis"],
)
def test_shape_that_is_no_input_is_refused(
    tmp_path: Path, suffix: str, array: Any, message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        read_tensor(saved(tmp_path / f"input{suffix}", array))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[[{"a": 1}]]], dtype=object), r"values are object"),
        (np.ones((1, 2, 2), np.complex64), r"values are complex64; save real numbers"),
        (np.zeros((1, 2, 2), "U3"), r"values are <U3"),
        (np.zeros((1, 2, 2), [("r", "u1")]), r"values are \[\('r', 'u1'\)\]"),
        (np.zeros((1, 2, 2), "M8[s]"), r"values are datetime64"),
    ],
    ids=["objects", "complex", "text", "records", "dates"],
)
def test_values_that_are_no_real_numbers_are_refused(
    tmp_path: Path, array: Any, message: str
) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(ImageError, match=message):
        read_tensor(tmp_path / "a.npy")


def test_complex_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1, 2, 2, dtype=torch.complex64)}, tmp_path / "a.safetensors")
    with pytest.raises(ImageError, match="values are complex"):
        read_tensor(tmp_path / "a.safetensors")


def header(text: str, version: int = 1) -> bytes:
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text.encode()


def npy(array: Any = VALUES) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 9000, 9000)}\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"not a .npy file that can be read"),
        (b"PK\3\4" + bytes(100), r"not a .npy file that can be read"),
        (b"\x80\x04N.", r"not a .npy file that can be read"),
        (npy()[:-1], r"promises 96 bytes and the file holds 95"),
        (npy() + b"more", r"promises 96 bytes and the file holds 100"),
        (header(HUGE), r"promises 972,000,000 bytes and the file holds 0"),
        (header(HUGE.replace("9000", "90000")), r"it must hold from 1 to 256,000,000 values"),
        (header(HUGE.replace("9000", "-9000")), r"it must hold from 1"),
        (header(HUGE.replace("(", "((")), r"not a .npy file that can be read"),
        (header("(" * 9000), r"not a .npy file that can be read"),
        (header(HUGE.replace("<f4", "V999999999")), r"save real numbers"),
        (header(HUGE, version=9), r"version 9.0 holds no plain numbers"),
    ],
    ids=[
        "empty",
        "zip",
        "pickle",
        "short",
        "long",
        "promises",
        "many",
        "negative",
        "syntax",
        "deep",
        "void",
        "version",
    ],
)
def test_damaged_npy_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(ImageError, match=message):
        read_tensor(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 62) + b'{"a":{"dtype":"F32","shape":[9000,9000],"data_offsets":[0,4]}}',
    ],
    ids=["empty", "long header", "no header", "promises"],
)
def test_damaged_safetensors_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(ImageError, match=r"not a \.safetensors file that can be read"):
        read_tensor(tmp_path / "a.safetensors")


def test_several_tensors_are_refused_by_name(tmp_path: Path) -> None:
    save_file({name: torch.ones(1, 2, 2) for name in "abcd"}, tmp_path / "a.safetensors")
    with pytest.raises(ImageError, match=r"holds 4 tensors \(a, b, c, …\); save the input alone"):
        read_tensor(tmp_path / "a.safetensors")


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no such file"):
        read_tensor(tmp_path / "a.npy")


@pytest.mark.parametrize(("name", "is_one"), [("a.NPY", True), ("a.safetensors", True)])
def test_tensor_file_is_known_by_its_name(name: str, is_one: bool) -> None:
    assert is_tensor_file(name) is is_one
    assert not is_tensor_file(f"{name}.png")
