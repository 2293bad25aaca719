"""The header of a safetensors file, read strictly: where each tensor lies, and what it tells.

The package of that name checks the same, but takes a name that stands twice, needs a path that is
text, and reads headers of any length up to 100 MB.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

from cnnviz.models.weights.places import (
    LARGEST,
    Place,
    RefusedError,
    brief,
    check_all,
    check_count,
    contiguous,
)

if TYPE_CHECKING:
    from typing import BinaryIO

LONGEST_HEADER = 8 << 20  # bytes; a network of 1,000 tensors has 100,000

# The format's names of types and torch's.
DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "BF16": "bfloat16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
}


def read_header(file: BinaryIO) -> tuple[list[Place], dict[str, str]]:
    """Where the tensors lie, in the file's order, and the file's metadata.

    Raises:
        RefusedError: the header is not as the format wants it.
    """
    end = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if end < 8 or length > end - 8:
        raise RefusedError("is damaged: it is shorter than its header says")
    if length > LONGEST_HEADER:
        raise RefusedError(f"has a header of {length:,} bytes; at most {LONGEST_HEADER:,} are read")
    header = _parsed(file.read(length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(type(v) is str for v in metadata.values()):
        raise RefusedError("is damaged: its metadata is not made of names and text")
    check_count(len(header))
    places = [_place(name, entry, 8 + length) for name, entry in header.items()]
    places.sort(key=lambda place: (place.start, place.size))  # empty ones before what follows
    check_all(places, end)
    position = 8 + length
    for place in places:
        if place.start != position or place.size != math.prod(place.shape) * place.item_size:
            raise RefusedError(
                f"is damaged: {brief(place.name)} is not where or as long as it must"
            )
        position += place.size
    if position != end:
        raise RefusedError(f"is damaged: {end - position:,} bytes in it belong to no tensor")
    return places, metadata


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise RefusedError("is damaged: its header is not JSON in UTF-8") from None
    if not isinstance(header, dict):
        raise RefusedError("is damaged: its header names no tensors")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise RefusedError("is damaged: a name stands twice in its header")
    return made


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _place(name: str, entry: Any, begin: int) -> Place:
    try:
        dtype, shape, (first, last) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        numbers = (first, last, *shape)
        if len(entry) != 3 or not all(type(n) is int and 0 <= n <= LARGEST for n in numbers):
            raise TypeError
    except (TypeError, ValueError, KeyError):
        raise RefusedError(f"is damaged: its header describes {brief(name)} wrongly") from None
    known = DTYPES.get(dtype, dtype) if type(dtype) is str else "?"
    return Place(name, known, begin + first, last - first, 0, shape, contiguous(shape))
