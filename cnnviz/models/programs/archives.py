"""Files that hold a whole model, looked at before torch opens them; nothing in them is run."""

from __future__ import annotations

import json
import math
import os
import pickletools
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_TEXT = 24 * 2**20  # bytes of code, unpacked; a large network has one or two million

TORCHSCRIPT, EXPORT = "torchscript", "export"
WEIGHTS = (
    "{path} holds weights, or a pickled module, and not a program; name the model and give"
    " --weights {path} (of a pickled module, save its state_dict() where it was made)"
)
OLD = "{path} was exported by an old torch; load it there and torch.export.save it by a new one"
COMPILED = "{path} is compiled code, which shows no layers; save it by torch.export.save instead"

# What a network's graph is made of. torch would look up any name in itself, and call it.
OPERATORS = re.compile(r"torch\.ops\.\w+\.\w+(\.\w+)?|_operator\.\w+|math\.\w+|torch\._?sym_\w+")
# Sizes that vary are formulas, which sympy reads with Python's eval. So: numbers, names, and calls
# of the functions that torch writes; powers only of small numbers, or they never end.
SYMBOL = re.compile(r"Symbol\('\w+'(, \w+=(True|False))*\)")
TOKEN = re.compile(r"\d+\.\d*|\w+\s*\(|\w+|.", re.DOTALL)
SIGNS = frozenset(" ()+-*/<>=!,%&|~")
FUNCTIONS = re.compile(
    "Add|Mul|Pow|Integer|Rational|Float|Max|Min|Mod|Eq|Ne|Ge|Gt|Le|Lt|And|Or|Not|FloorDiv|CleanDiv"
    "|CeilDiv|PythonMod|ModularIndexing|CeilToInt|FloorToInt|TruncToInt|RoundToInt|ToFloat"
    "|IntTrueDiv|FloatTrueDiv|Identity|Where"
)
# What zipfile, zlib and the shape of a document that is not as it should be make Python raise.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError, struct.error),
)
LARGEST_INPUT = 2**28  # numbers: a gigabyte
LONGEST_FORMULA, MOST_POWERS = 10_000, 3
ON_FILES = re.compile(rb"\b(?:torch|ops\.aten|aten)\.(?:save|from_file)\(|aten::(?:save|from_file)")


def kind_of(path: Path) -> str:
    """``torchscript`` or ``export``.

    Raises:
        ModelError: the file is missing, damaged, or holds something else, which is named.
    """
    if not os.path.isfile(path):  # noqa: PTH113 (pathlib raises for names that are too long)
        raise ModelError(f"there is no file {path}")
    with path.open("rb") as file:
        start = file.read(64)
    if not start.startswith(b"PK"):
        raise ModelError(_what_else(path, start))
    with opened(path) as archive:
        inside = {name.partition("/")[2] for name in archive.namelist()}
    if any(name.startswith("data/aotinductor/") for name in inside):
        raise ModelError(COMPILED.format(path=path))
    if "archive_format" in inside and any(name.startswith("models/") for name in inside):
        return EXPORT
    if "constants.pkl" in inside and "data.pkl" in inside:
        return TORCHSCRIPT
    if "data.pkl" in inside:
        raise ModelError(WEIGHTS.format(path=path))
    if any(name.startswith("serialized_exported_program") for name in inside | _names(path)):
        raise ModelError(OLD.format(path=path))
    raise ModelError(f"{path} is a zip file, but neither TorchScript nor a torch.export archive")


def _names(path: Path) -> set[str]:
    with opened(path) as archive:
        return set(archive.namelist())


def _what_else(path: Path, start: bytes) -> str:
    if start.startswith(b"\x80"):
        return WEIGHTS.format(path=path)
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS; git lfs pull fetches the file itself"
    what = "empty" if not start else "neither TorchScript nor a torch.export archive"
    return f"{path} is {what}"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The file as a zip archive whose records are no larger than they can be.

    torch stores tensors as they are, and compresses text at most.

    Raises:
        ModelError: it is cut off or damaged, or a record unpacks to more than it should.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            if min((each.header_offset for each in records), default=0) > 0:
                # what was found is an archive inside it, whose end is the last that is left
                raise zipfile.BadZipFile("its end is missing")
            packed = [each for each in records if each.compress_type != zipfile.ZIP_STORED]
            if any("/code/" not in f"/{each.filename}" for each in packed):
                raise ModelError(f"{path} has compressed tensors, which torch does not write")
            text = sum(each.file_size for each in packed)
            if text > MOST_TEXT or sum(e.compress_size for e in records) > path.stat().st_size:
                raise ModelError(f"{path} unpacks to more than a model's file does; not opened")
            yield archive
    except DAMAGE as error:
        raise ModelError(f"{path} is cut off or damaged ({error}); copy or save it again") from None


def check_script(path: Path) -> None:
    """Raise a ``ModelError`` where TorchScript names operations on files, or too large tensors.

    torch makes a tensor's memory as large as its size asks for, whatever the file holds of it.
    """
    with opened(path) as archive:
        for record in archive.infolist():
            if "/code/" in record.filename and ON_FILES.search(archive.read(record)):
                raise ModelError(
                    f"{path} reads or writes files as it runs, which no network needs; not opened"
                )
        (pickled,) = [n for n in archive.namelist() if n.partition("/")[2] == "data.pkl"]
        if archive.getinfo(pickled).file_size > MOST_TEXT:
            raise ModelError(f"{path} describes more tensors than a network has; not opened")
        reach = max(_reaches(archive.read(pickled)), default=0)
        if reach > (held := tensor_bytes(archive)):
            raise ModelError(
                f"{path} asks for a tensor of {reach:,} numbers and holds {held:,} bytes of them;"
                " not opened"
            )


def _reaches(pickled: bytes) -> Iterator[int]:
    """How many numbers of its memory each tensor reaches over, by what the pickle writes of it.

    After its memory it names where it begins, its sizes, its strides, and whether it is trained.
    """
    numbers: list[int] | None = None
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name == "BINPERSID":
            numbers = []
        elif numbers and operation.name in {"NEWTRUE", "NEWFALSE"}:
            axes = len(numbers) // 2
            sizes, strides = numbers[1 : 1 + axes], numbers[1 + axes :]
            steps = ((size - 1) * stride for size, stride in zip(sizes, strides, strict=False))
            yield numbers[0] + sum(steps) + 1 if min(sizes, default=1) > 0 else 0
            numbers = None
        elif numbers is not None and isinstance(argument, int) and "INT" in operation.name:
            numbers.append(argument)


def tensor_bytes(archive: zipfile.ZipFile) -> int:
    """The bytes of all tensors together."""
    records = [each for each in archive.infolist() if "/data/" in f"/{each.filename}"]
    return sum(each.file_size for each in records)


def check_export(path: Path) -> None:
    """Raise a ``ModelError`` where a torch.export archive holds more than operations and tensors.

    torch would unpickle some of it without limits, and evaluate formulas as Python.
    """
    with opened(path) as archive:
        for record in archive.infolist():
            if not record.filename.endswith(".json"):
                continue
            if record.file_size > MOST_TEXT:
                raise ModelError(f"{path} has {record.file_size:,} bytes of JSON; not opened")
            try:
                found = json.loads(archive.read(record))
            except (ValueError, RecursionError) as error:
                raise ModelError(f"{path} is damaged: {record.filename}: {error}") from None
            sizes = {each.filename.partition("/")[2]: each.file_size for each in archive.infolist()}
            for refused in _refused(found, sizes):
                raise ModelError(f"{path} {refused}; not opened")


def _refused(found: Any, sizes: dict[str, int]) -> Iterator[str]:
    """What a JSON document asks torch for, that a network needs not."""
    pending = [found]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        if not isinstance(node, dict):
            continue
        pending += node.values()
        if node.get("use_pickle") or str(node.get("path_name", "")).startswith(
            ("opaque", "custom")
        ):
            yield "holds pickled objects, which can run code"
        for key in ("target", "as_operator"):
            name = node.get(key)
            if isinstance(name, str) and (
                not OPERATORS.fullmatch(name) or ".from_file" in name or "__" in name
            ):
                yield f"calls {name[:60]!r}, which is no operation of a network"
        formula = node.get("expr_str", "")
        if not isinstance(formula, str) or not _is_formula(formula):
            yield f"has {formula[:60]!r} for a size"
        if "path_name" in node and (asked := _asked(node)) > 1 and not _size(node, sizes):
            yield f"asks for {asked:,} numbers that it does not hold"


def _is_formula(text: str) -> bool:
    if len(text) > LONGEST_FORMULA:
        return False
    plain = SYMBOL.sub("x", text)
    powers = plain.count("**") + plain.count("Pow")
    if powers > MOST_POWERS or (powers and re.search(r"\d{3}", plain)):
        return False
    return all(
        token in SIGNS
        or bool(FUNCTIONS.fullmatch(token[:-1].strip()) if token[-1] == "(" else token[0].isalnum())
        for token in TOKEN.findall(plain)
    )


def _asked(payload: dict[str, Any]) -> int:
    """How many numbers a tensor has, by its own account."""
    sizes = [size["as_int"] for size in (payload.get("tensor_meta") or {}).get("sizes", [])]
    if not all(isinstance(size, int) for size in sizes):
        raise TypeError("a size is no number")
    return math.prod(sizes)


def _size(payload: dict[str, Any], sizes: dict[str, int]) -> int:
    """The bytes that the archive holds for a tensor."""
    name = str(payload["path_name"])
    return max(sizes.get(f"data/{folder}/{name}", 0) for folder in ("weights", "constants"))


def exported_size(path: Path) -> tuple[int, ...] | None:
    """The size of the one image that an exported program takes; None where that is not fixed."""
    with opened(path) as archive:
        (name,) = [n for n in archive.namelist() if n.partition("/")[2].startswith("models/")][:1]
        graph = json.loads(archive.read(name))["graph_module"]
    try:
        specs = [spec.get("user_input") for spec in graph["signature"]["input_specs"]]
        (given,) = [spec["arg"]["as_tensor"]["name"] for spec in specs if spec]
        written = graph["graph"]["tensor_values"][given]["sizes"][1:]
        size = tuple(int(each["as_int"]) for each in written)
        return size if 0 < math.prod(size) <= LARGEST_INPUT else None
    except (KeyError, TypeError, ValueError):  # several inputs, or sizes that vary
        return None
