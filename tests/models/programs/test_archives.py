"""TorchScript and torch.export files that are damaged or made to do harm: each is refused."""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz.errors import ModelError
from cnnviz.models.naming import find_source
from cnnviz.models.programs.archives import _is_formula


@pytest.mark.parametrize("file", ["weights.pt", "module.pt", "old.pth"])
def test_weights_are_no_program(folder: Path, file: str) -> None:
    with pytest.raises(ModelError, match=r"holds weights, or a pickled module, .* --weights"):
        find_source(str(folder / file))


Change = Callable[[bytes], bytes]


def rewritten(source: Path, target: Path, changes: dict[str, Change]) -> Path:
    """The archive with some records changed, by the ends of their names."""
    changed = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = was = old.read(name)
            for end, change in changes.items():
                data = change(data) if name.endswith(end) else data
            changed += data != was
            new.writestr(name, data)
    assert changed == len(changes)
    return target


class Marks:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


def hostile_pickle(marker: Path) -> bytes:
    file = io.BytesIO()
    torch.save(((Marks(marker),), {}), file)
    return file.getvalue()


def in_json(change: Callable[[dict[str, Any]], Any]) -> Change:
    def changed(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode()

    return changed


def first(config: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = next(iter(config["config"].values()))
    return payload


def sizes_of(document: dict[str, Any]) -> list[Any]:
    sizes: list[Any] = document["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
    return sizes


def node(document: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = document["graph_module"]["graph"]["nodes"][0]
    return one


FORMULA = "__import__('os').system('touch MARKER')"

HOSTILE_EXPORTS: dict[str, tuple[str, Change, str]] = {
    "a weight that is a pickle": (
        "weights_config.json",
        in_json(lambda config: first(config).update(use_pickle=True)),
        "holds pickled objects, which can run code",
    ),
    "a constant that is an object": (
        "constants_config.json",
        in_json(lambda c: c["config"].update(a={"path_name": "opaque_obj_0", "use_pickle": True})),
        "holds pickled objects",
    ),
    "a function that is no operation": (
        "models/model.json",
        in_json(lambda document: node(document).update(target="torch.os.system")),
        "calls 'torch.os.system', which is no operation",
    ),
    "an operation on files": (
        "models/model.json",
        in_json(lambda document: node(document).update(target="torch.ops.aten.from_file.default")),
        "which is no operation of a network",
    ),
    "a size that is code": (
        "models/model.json",
        in_json(lambda d: sizes_of(d).insert(0, {"as_expr": {"expr_str": FORMULA, "hint": None}})),
        "for a size",
    ),
    "a weight that asks for gigabytes": (
        "weights_config.json",
        in_json(
            lambda config: first(config).update(
                path_name="weight_99",
                tensor_meta=first(config)["tensor_meta"] | {"sizes": [{"as_int": 2**40}]},
            )
        ),
        "asks for 1,099,511,627,776 numbers",
    ),
    "a document of another shape": (
        "weights_config.json",
        in_json(lambda config: first(config).update(tensor_meta={"sizes": [{"as_int": "9"}]})),
        "is cut off or damaged",
    ),
    "JSON that ends too soon": ("models/model.json", lambda data: data[:-9], "is damaged: "),
}


@pytest.mark.parametrize("kind", HOSTILE_EXPORTS)
def test_hostile_exports_are_refused_before_torch_sees_them(
    folder: Path, tmp_path: Path, kind: str
) -> None:
    end, change, said = HOSTILE_EXPORTS[kind]
    file = rewritten(folder / "exported.pt2", tmp_path / "bad.pt2", {end: change})
    with pytest.raises(ModelError, match=said):
        find_source(str(file))


def test_example_inputs_that_run_code_are_not_unpickled(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = hostile_pickle(marker)
    changes = {"sample_inputs/model.pt": lambda _: data}
    file = rewritten(folder / "exported.pt2", tmp_path / "bad.pt2", changes)
    with pytest.raises(ModelError, match="holds pickled objects"):
        find_source(str(file)).build()
    assert not marker.exists()
    torch.load(io.BytesIO(data), weights_only=False)  # what torch.export.load falls back to
    assert marker.exists(), "the pickle is one that runs code"


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("Symbol('s31', positive=True, integer=True)", True),
        ("Add(Symbol('s0', integer=True), Integer(-1))", True),
        ("FloorDiv(s0 + 3, 2)*4", True),
        ("Pow(s0, Integer(2))", True),
        ("s0**2", True),
        ("Max(1, 0.5*s0) >= 3", True),
        ("exec(chr(112))", False),
        ("__import__('os')", False),
        ("Symbol('x').__class__", False),
        ("x.y", False),
        ("Pow(99999, 99999)", False),
        ("9**99**99**99**99", False),
        ("S('x')", False),
        ("[x]", False),
        ("lambda: 0", False),
        ("1+" * 9_000 + "1", False),
    ],
)
def test_formulas_of_sizes_are_arithmetic(text: str, fine: bool) -> None:
    assert _is_formula(text) is fine


@pytest.mark.parametrize(
    "body",
    ['\n  torch.save(x, "file")\n', '\n  _1 = torch.from_file("file", True, 10)\n'],
    ids=["writes", "reads"],
)
def test_torchscript_that_works_on_files_is_refused(tmp_path: Path, body: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(nn.ReLU(), torch.zeros(1)).save(tmp_path / "plain.pt")
    changes: dict[str, Change] = {".py": lambda data: data + body.encode()}
    file = rewritten(tmp_path / "plain.pt", tmp_path / "own.pt", changes)
    with pytest.raises(ModelError, match="reads or writes files as it runs"):
        find_source(str(file)).build()


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/constants.pkl", b")", zipfile.ZIP_STORED)
        archive.writestr("m/data.pkl", b")", zipfile.ZIP_STORED)
        with archive.open("m/code/bomb.py", "w") as record:
            for _ in range(100):
                record.write(b"\0" * 2**20)
    return path


def compressed(path: Path, source: Path) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.pt", b"", "is empty"),
        ("text.pt", b"hello", "is neither TorchScript nor"),
        ("lfs.pt", b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        ("protocol.pt", pickle.dumps({"a": 1}, protocol=2), "holds weights"),
        ("start.pt2", b"PK\x03\x04" + b"\0" * 40, "is cut off or damaged"),
    ],
)
def test_other_files_are_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        find_source(str(tmp_path / name))


@pytest.mark.parametrize("file", ["traced.pt", "exported.pt2"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_file_that_is_cut_off_is_refused(
    folder: Path, tmp_path: Path, file: str, share: float
) -> None:
    whole = (folder / file).read_bytes()
    cut = tmp_path / file
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="is cut off or damaged"):
        find_source(str(cut))


@pytest.mark.parametrize("file", ["scripted.pt", "exported.pt2"])
def test_flipped_bytes_are_refused_or_harmless(folder: Path, tmp_path: Path, file: str) -> None:
    whole = (folder / file).read_bytes()
    refused = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        flipped = bytearray(whole)
        for _ in range(random.choice([1, 5, 50])):
            flipped[random.integers(len(whole))] = random.integers(256)
        (tmp_path / file).write_bytes(flipped)
        try:
            find_source(str(tmp_path / file)).build()
        except ModelError:
            refused += 1
    assert refused > 30


def test_a_tensor_of_gigabytes_in_a_small_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """torch itself would take the memory."""
    changes: dict[str, Change] = {
        "data.pkl": lambda d: d.replace(b"K\x04K\x01K\x03K\x03", b"K\xffK\xffK\xffK\xff", 1)
    }
    file = rewritten(folder / "traced.pt", tmp_path / "bad.pt", changes)
    with pytest.raises(ModelError, match=r"asks for a tensor of [0-9,]+ numbers and holds"):
        find_source(str(file)).build()


def test_archives_that_unpack_to_more_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unpacks to more"):
        find_source(str(bomb(tmp_path / "bomb.pt")))
    with pytest.raises(ModelError, match="compressed tensors"):
        find_source(str(compressed(tmp_path / "packed.pt", folder / "traced.pt")))


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"m/data/aotinductor/model/x.so": b"", "m/archive_format": b"pt2"}, "is compiled code"),
        ({"serialized_exported_program.json": b"{}", "version": b"4"}, "exported by an old torch"),
        ({"a.txt": b""}, "is a zip file, but neither"),
    ],
    ids=["compiled", "old", "zip"],
)
def test_other_archives_are_named(tmp_path: Path, inside: dict[str, bytes], said: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt2", "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match=said):
        find_source(str(tmp_path / "x.pt2"))


@pytest.mark.parametrize(
    ("end", "change"),
    [
        # (4, 1, 3, 3), the size of a kernel, as a pickle writes it
        ("data.pkl", lambda d: d.replace(b"K\x04K\x01K\x03K\x03", b"K\xffK\xffK\xffK\xff", 1)),
        ("data.pkl", lambda data: data[: len(data) // 2]),
        ("constants.pkl", lambda data: b"\x80\x02cos\nsystem\n(S'true'\ntR."),
    ],
    ids=["more than its memory", "half a pickle", "a pickle that runs code"],
)
def test_damaged_torchscript_is_refused(
    folder: Path, tmp_path: Path, end: str, change: Change
) -> None:
    file = rewritten(folder / "traced.pt", tmp_path / "bad.pt", {end: change})
    with pytest.raises(ModelError, match=r"not TorchScript that torch|damaged|asks for") as e:
        find_source(str(file)).build()
    assert "\n" not in str(e.value)


@pytest.mark.skipif(sys.platform != "linux", reason="reads a process's memory from /proc")
def test_a_bomb_takes_little_time_and_memory(tmp_path: Path) -> None:
    bomb(tmp_path / "bomb.pt")
    began, kilobytes = time.monotonic(), 0
    with (tmp_path / "out").open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "cnnviz", "summary", str(tmp_path / "bomb.pt")],
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
        # The system's own account of a child begins with what its parent had.
        status = Path(f"/proc/{child.pid}/status")
        while child.poll() is None:
            peaks = re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text("ascii"), re.MULTILINE)
            kilobytes = max([kilobytes, *map(int, peaks)])
            time.sleep(0.01)
    assert (child.returncode, (tmp_path / "out").read_bytes()) == (2, b"")
    assert time.monotonic() - began < 20
    assert kilobytes > 2**13  # it was seen
    assert kilobytes < 2**20
