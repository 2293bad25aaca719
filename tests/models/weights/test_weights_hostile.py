"""Files of weights made to run code, to eat memory or time, or to crash: each is refused."""

from __future__ import annotations

import importlib
import io
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnviz.errors import CnnvizError, ModelError, WeightsError
from cnnviz.models.weights import pickles, read_weights
from cnnviz.models.weights.places import RefusedError
from cnnviz.models.weights.sealed.archives import read_archive
from cnnviz.models.weights.sealed.choice import choose
from tests.conftest import ROOT

from . import torchfiles as made
from .torchfiles import MARKER, Made, Token, entry, legacy, pickled, safetensors, tensor, zipped

PROTO, GOOD = b"\x80\x02", pickled({"a": tensor()})
LARGE = 2**40


class Instance:
    """Pickled by its class's name, with attributes."""

    def __init__(self) -> None:
        self.weight = 3


def runs_code(folder: Path) -> dict[str, bytes]:
    """Pickles that make the marker file when they are loaded the usual way."""
    shell = made.shell(folder)
    path = str(folder / MARKER)
    command = f"touch '{path}'".encode()
    return {
        "os.system": pickled(shell),
        "protocol 4": pickled(shell, 4),
        "protocol 0": pickled(shell, 0),
        "inside a state dict": pickled(OrderedDict(a=tensor(), b=shell)),
        "deep in a checkpoint": pickled({"state_dict": {"a": tensor()}, "x": [[{"y": (shell,)}]]}),
        "as a key": PROTO + b"}" + pickled(shell, 0)[:-1] + b"K\x01s.",
        "as a tensor's size": pickled({"a": tensor(shape=shell)}),
        "as a tensor's hook": pickled({"a": tensor(tail=(False, shell))}),
        "as a storage": pickled({"a": tensor(storage=Token(key=shell))}),
        "eval": pickled(Made(eval, (f"open({path!r}, 'w')",))),
        "exec": pickled(Made(exec, (f"open({path!r}, 'w')",))),
        "open": pickled(Made(open, (path, "w"))),
        "import": pickled(Made(importlib.import_module, ("antigravity",))),
        "subprocess": pickled(Made(subprocess.Popen, (["touch", path],))),
        "getattr": pickled(Made(getattr, ("text", "upper"))),
        "apply": pickled(Made(map, (os.mkdir, [path]))),
        "torch.load": pickled(Made(torch.load, (path, None, None))),
        "pickle in a storage": pickled(Made(torch.storage._load_from_bytes, (pickled(shell),))),
        "opcode INST": b"(S'" + command.replace(b"'", b"") + b"'\nios\nsystem\n.",
        "opcode OBJ": b"(cos\nsystem\nS'" + command.replace(b"'", b"") + b"'\no.",
        "opcode EXT1": PROTO + b"\x82\x01.",
        "opcode PERSID": b"Pstorage\n.",
        "opcode NEWOBJ_EX": b"\x80\x04ccollections\nOrderedDict\n)}\x92.",
        "by memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x01x\x85R.",
        "renamed by Python 3": b"c__builtin__\neval\n(S'1'\ntR.",
        "a dotted name": b"\x80\x04\x8c\x05torch\x8c\x09os.system\x93\x8c\x01x\x85R.",
        "a class of its own": pickled(Instance()),
        "a whole model": pickled(torch.nn.Linear(1, 1)),
        "setstate of a known class": PROTO + b"ccollections\nOrderedDict\n}b.",
        "call of a type": PROTO + b"ctorch\nFloatStorage\nctorch\nSize\nR.",
        "call of a tensor": PROTO + b"K\x01)R.",
    }


NAMES = list(runs_code(Path("folder")))
FORMS: dict[str, Callable[[bytes], bytes]] = {"zip": zipped, "legacy": legacy, "bare": bytes}


def refused(folder: Path, content: bytes, name: str = "w.pth") -> str:
    """What is said when a file of these bytes is read."""
    (folder / name).write_bytes(content)
    with pytest.raises(CnnvizError) as caught:
        read_weights(folder / name)
    said = str(caught.value).replace(str(folder), "")
    assert "\n" not in said
    assert len(said) < 300
    assert not (folder / MARKER).exists()
    return said


def refused_inside(content: bytes) -> str:
    """The same without a process of its own, for what is tried many times."""
    with pytest.raises(RefusedError) as caught:
        choose(read_archive(io.BytesIO(content)), len(content))
    return str(caught.value)


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


def nested(depth: int, opcode: bytes) -> bytes:
    return PROTO + b")" * 1 + opcode * depth + b"."


GREEDY = {
    "bytes": b"\x80\x04\x8e" + LARGE.to_bytes(8, "little") + b"x.",
    "bytearray": b"\x80\x05\x96" + LARGE.to_bytes(8, "little") + b"x.",
    "text": b"\x80\x04\x8d" + LARGE.to_bytes(8, "little") + b"x.",
    "a frame": b"\x80\x04\x95" + LARGE.to_bytes(8, "little") + b"N.",
    "a number": PROTO + b"\x8b\xff\xff\xff\x7f\x01.",
    "digits": b"L" + b"9" * 100_000 + b"L\n.",
    "a memo": PROTO + b"Nr\xff\xff\xff\xff.",
    "a negative memo": b"Np-1\n.",
    "tuples hashed for ever": PROTO + b"})" + b"2\x86" * 200 + b"Ns.",
    "tuples printed for ever": PROTO + b")" + b"2\x86" * 200 + b"Q.",
    "deep tuples": nested(50_000, b"\x85"),
    "deep lists": PROTO + b"]" * 50_000 + b"a" * 49_999 + b".",
    "marks": PROTO + b"(" * 50_000 + b".",
    "deep dictionaries": PROTO + b"}" * 900 + b"U\x01aN" + b"s" * 800 + b".",
    "a storage": pickled({"a": tensor(storage=Token(count=LARGE))}),
    "expanded": pickled({"a": tensor(shape=(LARGE,), stride=(0,))}),
    "expanded twice": pickled({"a": tensor(shape=(LARGE, LARGE), stride=(0, 0))}),
    "a size beyond all": pickled({"a": tensor(shape=(1 << 3000,))}),
    "many axes": pickled({"a": tensor(shape=(1,) * 10_000, stride=(1,) * 10_000)}),
}


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


def overlapping() -> bytes:
    """Two records of a zip that share their bytes."""
    content = bytearray(zipped(GOOD, {"data/0": bytes(16), "data/1": bytes(16)}))
    entries = [i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"]
    content[entries[2] + 42 : entries[2] + 46] = content[entries[1] + 42 : entries[1] + 46]
    return bytes(content)


def twice() -> bytes:
    buffer = io.BytesIO(zipped(GOOD))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data/0", bytes(16))
    return buffer.getvalue()


def declared(size: int) -> bytes:
    """A zip whose record claims to have ``size`` bytes."""
    content = bytearray(zipped(GOOD))
    where = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))
    content[where + 20 : where + 28] = size.to_bytes(4, "little") * 2
    return bytes(content)


ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "compressed": (lambda: zipped(GOOD, {"data/0": bytes(10**7)}, 8), "compressed"),
    "overlapping": (overlapping, "on top of each other"),
    "twice": (twice, "two of one name"),
    "declared larger": (lambda: declared(2**31), "ends too early"),
    "other files": (lambda: zipped(b"").replace(b"data.pkl", b"file.txt"), "without weights"),
    "a file inside": (lambda: zipped(GOOD, {"w.pth": b"x"}), "unpack it first"),
    "big-endian": (lambda: zipped(GOOD, {"byteorder": b"big"}), "big-endian"),
    "changed": (lambda: zipped(GOOD).replace(b"X\x01\0\0\0a", b"X\x01\0\0\0b"), "check sum"),
}


@pytest.mark.parametrize(("build", "said"), ZIPS.values(), ids=ZIPS.keys())
def test_zips_that_torch_does_not_write_are_refused(build: Callable[[], bytes], said: str) -> None:
    assert said in refused_inside(build())


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"conv.weight": torch.rand(4, 3, 3, 3), "conv.bias": torch.rand(4)}


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_truncated_pickle_is_refused_wherever_it_ends(new: bool) -> None:
    whole = made.saved(state(), _use_new_zipfile_serialization=new)
    for end in [*range(4, len(whole), 29), len(whole) - 1]:
        refused_inside(whole[:end])


def test_truncated_safetensors_are_refused_wherever_they_end(tmp_path: Path) -> None:
    from safetensors.torch import save

    whole = save(state())
    for end in range(0, len(whole), 5):
        refused(tmp_path, whole[:end], "w.safetensors")


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


ONE = {"a": entry(0, 8)}
HEADERS = {
    "not JSON": (safetensors(b"{{{"), "not JSON"),
    "not UTF-8": (safetensors(b'{"\xff": 1}'), "not JSON in UTF-8"),
    "NaN": (safetensors(b'{"a": NaN}'), "not JSON"),
    "deep": (safetensors(b'{"a":' + b"[" * 100_000), "not JSON"),
    "no names": (safetensors(b"[1]"), "shorter|names no tensors|header|begins"),
    "longer than the file": (safetensors(ONE, length=2**62), "shorter than its header says"),
    "huge": (safetensors(b"{" + b" " * (9 << 20) + b"}"), "at most 8,388,608 are read"),
    "twice": (safetensors(b'{"a":1,"a":2}'), "a name stands twice"),
    "a field twice": (safetensors(b'{"a":{"dtype":"F32","dtype":"F32"}}'), "a name stands twice"),
    "overlap": (safetensors({**ONE, "b": entry(0, 8)}), "'b' is not where"),
    "hole": (safetensors({"a": entry(4, 8)}), "'a' is not where"),
    "beyond the end": (safetensors({"a": entry(0, 16)}), "behind the end"),
    "backwards": (safetensors({"a": entry(8, 0)}), "describes 'a' wrongly"),
    "more bytes": (safetensors(ONE, bytes(12)), "4 bytes in it belong to no tensor"),
    "larger than its bytes": (safetensors({"a": entry(0, 8, [3])}), "claims 12 bytes"),
    "smaller than its bytes": (safetensors({"a": entry(0, 8, [1])}), "is not where or as long"),
    "beyond all": (safetensors({"a": entry(0, 8, [2**62, 2**62])}), "claims over 10"),
    "negative": (safetensors({"a": entry(0, 8, [-2])}), "describes 'a' wrongly"),
    "fraction": (safetensors({"a": entry(0, 8, [2.0])}), "describes 'a' wrongly"),
    "truth": (safetensors({"a": entry(0, 8, [True, 2])}), "describes 'a' wrongly"),
    "unknown type": (safetensors({"a": entry(0, 8, [1], "C64")}), "of type 'C64'"),
    "type of no text": (safetensors({"a": entry(0, 8, [1], [])}), "of type"),
    "no offsets": (safetensors({"a": {"dtype": "F32", "shape": []}}), "describes 'a' wrongly"),
    "more fields": (safetensors({"a": {**entry(0, 8), "x": 1}}), "describes 'a' wrongly"),
    "metadata of numbers": (safetensors({"__metadata__": {"x": 1}, **ONE}), "names and text"),
    "no tensors": (safetensors({}, b""), "holds no tensors"),
    "many": (safetensors({str(i): entry(0, 0, [0]) for i in range(50_001)}), "at most 50,000"),
}


@pytest.mark.parametrize(("content", "said"), HEADERS.values(), ids=HEADERS.keys())
def test_bad_headers_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert re.search(said, refused(tmp_path, content, "w.safetensors"))


def test_names_with_anything_in_them_stay_on_one_short_line(tmp_path: Path) -> None:
    name = "\x1b[31m\n\u202e\0" + "n" * 900
    said = refused(tmp_path, safetensors({name: entry(0, 8, [3])}), "w.safetensors")
    assert said.isprintable()
    assert refused_inside(zipped(pickled({name: tensor(shape=(5,))}))).isprintable()
    far = tmp_path / ("f" * 100) / ("g" * 100)
    far.mkdir(parents=True)
    assert "\\x1b" in refused(far, zipped(b"c\x1b[31m" + b"\x1b" * 900 + b"\nsystem\n."))
    key = pickled({name: tensor()})
    assert refused_inside(zipped(key.replace(b"_rebuild_tensor_v2", b"\x1b[31m"))).isprintable()


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    for path in (tmp_path / "pipe.pth", Path("/dev/zero"), Path("/dev/null")):
        done = threading.Event()

        def read(path: Path = path, done: threading.Event = done) -> None:
            with pytest.raises(ModelError, match="is not a regular file"):
                read_weights(path)
            done.set()

        threading.Thread(target=read, daemon=True).start()
        assert done.wait(5), path


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(zipped(GOOD))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(WeightsError, match="cannot be read: Permission denied"):
        read_weights(path)


def test_a_file_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "SECONDS", 0.001)
    assert "took over 0 s to read" in refused(tmp_path, zipped(GOOD))


def test_a_reading_process_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "PROCESS", "cnnviz.no_such_module")
    assert "the process that reads it ended with code 1" in refused(tmp_path, zipped(GOOD))


LIMITS = """
import sys
sys.path.append(sys.argv[1])
from cnnviz.models.weights.sealed.process import limit_to
limit_to(300 << 20, 1)
{0}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits that only Linux keeps to")
@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("while True: pass", -signal.SIGKILL),
        ("x = bytes(400 << 20)", 1),
        ("with open(sys.argv[2], 'w') as file: file.write('x')", 1),
    ],
    ids=["time", "memory", "files"],
)
def test_the_limits_of_the_sealed_process_hold(tmp_path: Path, code: str, ended: int) -> None:
    root = str(ROOT)
    command = [sys.executable, "-I", "-S", "-c", LIMITS.format(code), root, str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == ended


MEASURED = """
import resource, sys, time
from pathlib import Path
from cnnviz.errors import CnnvizError
from cnnviz.models.weights import read_weights
for path in sorted(Path(sys.argv[1]).iterdir()):
    begin = time.monotonic()
    try:
        read_weights(path)
        print("taken", path.name)
    except CnnvizError as error:
        assert time.monotonic() - begin < 10, path
assert "torch" not in sys.modules
# Not ru_maxrss, which begins at that of the process that this one was forked from.
status = Path("/proc/self/status").read_text()
assert int(status.partition("VmHWM:")[2].split()[0]) < 300_000, status
assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 300_000
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in kilobytes")
def test_refusals_are_quick_small_and_need_no_torch(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    cases = {**GREEDY, "code": runs_code(tmp_path)["os.system"]}
    for name, content in cases.items():
        (folder / f"{name}.pth").write_bytes(zipped(content))
    for name, (build, _) in ZIPS.items():
        (folder / f"{name} zip.pth").write_bytes(build())
    for name, (content, _) in HEADERS.items():
        (folder / f"{name}.safetensors").write_bytes(content)
    command = [sys.executable, "-c", MEASURED, str(folder)]
    root = str(ROOT)
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=100
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert not (tmp_path / MARKER).exists()
