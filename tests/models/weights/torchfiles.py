"""Files as ``torch.save`` writes them, and files that it would never write."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cnnviz.models.weights.places import Place

MARKER = "cnnviz-was-here"

# What torch's reader raises on pickles that it does not take.
TORCH_REFUSES = (
    *(pickle.UnpicklingError, RuntimeError, ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, AssertionError, EOFError, OverflowError, MemoryError),
)


@dataclass(frozen=True)
class Token:
    """Stands for a storage while a pickle is made."""

    count: Any = 4
    key: Any = "0"
    kind: Any = torch.FloatStorage


@dataclass(frozen=True)
class Made:
    """Pickled as a call of ``function`` with ``arguments``."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


class Pickler(pickle.Pickler):
    """Writes tokens as persistent identifiers, as torch writes storages."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Token):
            return ("storage", obj.kind, obj.key, "cpu", obj.count)
        return None


def tensor(
    shape: Any = (4,), stride: Any = (1,), offset: Any = 0, storage: Any = None, tail: Any = None
) -> Made:
    """A tensor that claims these sizes."""
    rebuild = torch._utils._rebuild_tensor_v2
    end = (False, OrderedDict()) if tail is None else tail
    return Made(rebuild, (storage or Token(), offset, shape, stride, *end))


def pickled(content: Any, protocol: int = 2) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, protocol).dump(content)
    return buffer.getvalue()


def zipped(data: bytes, records: dict[str, bytes] | None = None, compression: int = 0) -> bytes:
    """A zip with ``data`` as its pickle, and with 16 bytes of numbers under 0."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in ({"data/0": bytes(16)} if records is None else records).items():
            archive.writestr(f"archive/{name}", content)
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def legacy(
    content: bytes, keys: bytes = pickle.dumps(["0"], 2), tail: bytes | None = None
) -> bytes:
    """The form before torch 1.6, around the pickle ``content``."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, system)]
    numbers = struct.pack("<q", 4) + bytes(16) if tail is None else tail
    return b"".join([*head, content, keys, numbers])


def saved(content: Any, **options: Any) -> bytes:
    """What ``torch.save`` writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def parts(whole: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The pickle in what ``torch.save`` wrote, and the numbers beside it."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        records = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    return records["data.pkl"], {n: data for n, data in records.items() if n.startswith("data/")}


def numbers(whole: bytes, place: Place) -> torch.Tensor:
    """The tensor at a place, made by torch's own means."""
    storage = torch.frombuffer(bytearray(whole[place.start :][: place.size]), dtype=torch.uint8)
    typed = storage.view(getattr(torch, place.dtype))
    return typed.as_strided(place.shape, place.stride, place.offset)


def safetensors(header: Any, data: bytes = bytes(8), length: int | None = None) -> bytes:
    """A file with this header, or these bytes as its header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(begin: int, end: int, shape: Any = None, dtype: Any = "F32") -> dict[str, Any]:
    """A tensor in a header; by default as many float32 as the bytes hold."""
    sizes = [(end - begin) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": sizes, "data_offsets": [begin, end]}


def shell(folder: Path) -> Made:
    """Makes the marker file in ``folder`` when a pickle with it is loaded."""
    return Made(os.system, (f"touch '{folder / MARKER}'",))
