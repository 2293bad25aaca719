"""Files of weights made to run code, to eat memory or time, or to crash."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.models.weights import read_weights
from cnnviz.models.weights.places import RefusedError
from cnnviz.models.weights.sealed.archives import read_archive
from cnnviz.models.weights.sealed.choice import choose

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


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"conv.weight": torch.rand(4, 3, 3, 3), "conv.bias": torch.rand(4)}


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
