"""Pickles made to run code, to eat memory or time, or to crash: each is refused."""

from __future__ import annotations

import io
import pickle
import random
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnviz.models.weights.places import RefusedError
from cnnviz.models.weights.sealed.archives import read_archive
from cnnviz.models.weights.sealed.choice import choose

from . import torchfiles as made
from .hostile import (
    FORMS,
    GOOD,
    GREEDY,
    PROTO,
    ZIPS,
    refused,
    refused_inside,
    runs_code,
    state,
)
from .torchfiles import MARKER, Token, legacy, pickled, tensor, zipped

NAMES = list(runs_code(Path("folder")))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_no_pickle_runs_code(tmp_path: Path, name: str, form: str) -> None:
    content = FORMS[form](runs_code(tmp_path)[name])
    refused_inside(content)
    assert not (tmp_path / MARKER).exists()


def test_the_marker_would_be_made(tmp_path: Path) -> None:
    pickle.loads(runs_code(tmp_path)["os.system"])  # noqa: S301 (it touches a file)
    assert (tmp_path / MARKER).exists()


@pytest.mark.parametrize("form", FORMS)
def test_what_a_pickle_needs_and_how_to_convert_it_is_said(tmp_path: Path, form: str) -> None:
    said = refused(tmp_path, FORMS[form](runs_code(tmp_path)["inside a state dict"]))
    assert "needs 'posix.system', and no code is run for a file; where it was made: " in said
    assert said.endswith('safetensors.torch.save_file(model.state_dict(), "weights.safetensors")')
    assert "weights_only" not in said


def test_the_class_of_a_whole_model_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, made.saved(torch.nn.Linear(1, 1)))
    assert "needs 'torch.nn.modules.linear.Linear'" in said


@pytest.mark.parametrize("part", [0, 1, 2, 4])
def test_every_pickle_of_the_old_form_is_followed_as_data(tmp_path: Path, part: int) -> None:
    shell = pickled(made.shell(tmp_path))
    whole = legacy(GOOD)
    ends = [i + 1 for i in range(len(whole)) if _ends_pickle(whole, i)]
    begins = [0, *ends]
    refused_inside(whole[: begins[part]] + shell + whole[ends[part] :])
    assert not (tmp_path / MARKER).exists()


def _ends_pickle(data: bytes, index: int) -> bool:
    return data[index : index + 1] == b"." and data[index + 1 : index + 3] in {PROTO, b"\x04\0"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GREEDY)
def test_what_asks_for_memory_or_time_gets_none(tmp_path: Path, name: str, form: str) -> None:
    refused_inside(FORMS[form](GREEDY[name]))


WRONG = {
    "beyond its storage": ({"shape": (5,)}, "claims 20 bytes, but its storage has 16"),
    "behind its storage": ({"offset": 1}, "claims 20 bytes, but its storage has 16"),
    "strided out": ({"shape": (2,), "stride": (4,)}, "claims 20 bytes"),
    "negative size": ({"shape": (-4,)}, "has a size or stride that none can have"),
    "negative stride": ({"stride": (-1,)}, "has a size or stride that none can have"),
    "negative offset": ({"offset": -1}, "has a size or stride that none can have"),
    "size of text": ({"shape": ("4",)}, "has a size or stride that none can have"),
    "size of truth": ({"shape": (True,)}, "has a size or stride that none can have"),
    "fraction": ({"shape": (4.0,)}, "has a size or stride that none can have"),
    "no size": ({"shape": 4}, "has no sizes"),
    "strides missing": ({"stride": ()}, "do not go together"),
    "storage missing": ({"storage": Token(key="9")}, "are not in it"),
    "storage too short": ({"storage": Token(count=5)}, "are not all there"),
    "complex": ({"storage": Token(2, "0", torch.ComplexFloatStorage)}, "complex64"),
    "quantised": ({"storage": Token(4, "0", torch.QInt8Storage)}, "qint8"),
}


@pytest.mark.parametrize(("claims", "said"), WRONG.values(), ids=WRONG.keys())
def test_tensors_that_cannot_be_are_refused(claims: dict[str, Any], said: str) -> None:
    assert said in refused_inside(zipped(pickled({"a": tensor(**claims)})))


def sparse() -> torch.Tensor:
    indices = torch.tensor([[0, 10**9], [0, -7]])
    return torch.sparse_coo_tensor(indices, torch.ones(2), (2, 2), check_invariants=False)


def quantised() -> torch.Tensor:
    return torch._empty_affine_quantized([2], scale=1.0, zero_point=0, dtype=torch.qint8)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (sparse, "sparse"),
        (quantised, "quantised"),
        (lambda: torch.empty(10**12, device="meta"), "without values"),
    ],
    ids=["sparse", "quantised", "meta"],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_not_dense_are_refused(build: Callable[[], Any], kind: str) -> None:
    said = refused_inside(made.saved({"state_dict": {"layer": build()}}))
    assert f"holds 'layer', which is {kind}" in said


@pytest.mark.parametrize(("build", "said"), ZIPS.values(), ids=ZIPS.keys())
def test_zips_that_torch_does_not_write_are_refused(build: Callable[[], bytes], said: str) -> None:
    assert said in refused_inside(build())


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_truncated_pickle_is_refused_wherever_it_ends(new: bool) -> None:
    whole = made.saved(state(), _use_new_zipfile_serialization=new)
    for end in [*range(4, len(whole), 29), len(whole) - 1]:
        refused_inside(whole[:end])


def test_a_changed_byte_is_refused_or_changes_nothing() -> None:
    whole, dice = made.saved(state()), random.Random(5)
    archive = read_archive(io.BytesIO(whole))
    right = choose(archive, len(whole))
    numbers = {
        name: whole[start : start + size] for name, (start, size) in archive.storages.items()
    }
    kept = 0
    for _ in range(600):
        changed = bytearray(whole)
        changed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        try:
            read = read_archive(io.BytesIO(changed))
            assert choose(read, len(whole)) == right
        except RefusedError:
            continue
        kept += 1
        for name, (start, size) in read.storages.items():
            assert changed[start : start + size] == numbers[name]
    assert 0 < kept < 400  # most of those are in padding


@pytest.mark.filterwarnings("ignore")  # of Python's and torch's readers, on what was changed
def test_a_changed_pickle_is_read_as_torch_reads_it_or_refused() -> None:
    dice = random.Random(7)
    data, records = made.parts(made.saved({"state_dict": state(), "sizes": torch.Size([1])}))
    both = 0
    for _ in range(3000):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] = dice.choice([dice.randrange(256), dice.randrange(6)])
        content = zipped(bytes(changed), records)
        try:
            places, _ = choose(read_archive(io.BytesIO(content)), len(content))
            theirs = torch.load(io.BytesIO(content), weights_only=True)
        except (RefusedError, *made.TORCH_REFUSES):
            continue
        (tensors,) = [value for value in theirs.values() if type(value) in {dict, OrderedDict}]
        assert [place.name for place in places] == list(tensors)
        for place, tensor_ in zip(places, tensors.values(), strict=True):
            assert made.numbers(content, place).tolist() == tensor_.tolist()
        both += 1
    assert both > 100
