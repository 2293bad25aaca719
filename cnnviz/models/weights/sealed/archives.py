"""The two forms in which ``torch.save`` writes: a zip, and before torch 1.6 a row of pickles."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz.models.weights.places import RefusedError, brief
from cnnviz.models.weights.sealed.meanings import WIDTHS, Storage, call, known, storage_of
from cnnviz.models.weights.sealed.opcodes import Machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

MOST_PICKLED = 16 << 20  # bytes; ResNet-152's pickle has 120,000
MOST_RECORDS = 60_000
BLOCK = 1 << 20

LEGACY_MAGIC, LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
LOCAL_HEADER = struct.Struct("<4s22xHH")

# What a zip holds that is something else, by the ends of its records' names.
OTHER_ZIPS = {
    r"/code/|/constants\.pkl$": (
        "is a TorchScript program, not weights; name it as the model itself"
    ),
    r"/archive_format$|serialized_exported_program": (
        "is an exported program, not weights; name it as the model itself"
    ),
    r"\.npy$": "is NumPy's archive of arrays; save them with safetensors.numpy.save_file",
    r"^config\.json$|model\.weights\.h5$": "is a Keras model, which torch cannot be filled with",
    r"^META-INF/|^word/|\.(py|pth|pt|ckpt|safetensors|bin)$": "is a zip of files; unpack it first",
}


@dataclass(frozen=True)
class Archive:
    """What the pickle describes, and where in the file (start, bytes) each storage lies by key."""

    content: Any
    storages: dict[str, tuple[int, int]]


def read_archive(file: BinaryIO) -> Archive:
    """The content of a file of ``torch.save``, without the numbers in it.

    Raises:
        RefusedError: it is no such file, damaged, or holds what is not taken.
    """
    file.seek(0)  # wherever another process left the descriptor
    start = file.read(4)
    file.seek(0)
    return _read_zip(file) if start == b"PK\x03\x04" else _read_legacy(file)


def _machine(storage: Callable[[Any], Any] = storage_of) -> Machine:
    return Machine(known, call, storage)


def _read_zip(file: BinaryIO) -> Archive:
    records = _records(file)
    pickles = [name for name in records if name.count("/") == 1 and name.endswith("/data.pkl")]
    for pattern, sentence in OTHER_ZIPS.items():
        if any(re.search(pattern, name) for name in records):
            raise RefusedError(sentence, is_usage=True)
    if len(pickles) != 1:
        raise RefusedError("is a zip without weights in it", is_usage=True)
    folder = pickles[0].removesuffix("data.pkl")
    order = records.get(f"{folder}byteorder")
    if order and _content(file, order).strip() != b"little":
        raise RefusedError("was saved on a big-endian machine; convert it to safetensors there")
    content = _machine().run(io.BytesIO(_content(file, records[pickles[0]])))
    beginning = f"{folder}data/"
    places = {
        name.removeprefix(beginning): place
        for name, place in records.items()
        if name.startswith(beginning)
    }
    return Archive(content, places)


def _content(file: BinaryIO, place: tuple[int, int]) -> bytes:
    start, size = place
    if size > MOST_PICKLED:
        raise RefusedError(
            f"has a pickle of {size:,} bytes beside its numbers; at most {MOST_PICKLED:,} are read"
        )
    file.seek(start)
    return file.read(size)


def _records(file: BinaryIO) -> dict[str, tuple[int, int]]:
    """Start and length of each record: stored as it is, apart from the others, undamaged."""
    try:
        entries = zipfile.ZipFile(file).infolist()
    except Exception:  # zipfile raises what its parts raise on what they did not expect
        raise RefusedError("is damaged: a zip that ends too early, or is wrong inside") from None
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_RECORDS or len(set(names)) != len(names):
        raise RefusedError("is a zip with too many records, or two of one name")
    is_torch = any(name.endswith("/data.pkl") for name in names)
    is_program = any(re.search(next(iter(OTHER_ZIPS)), name) for name in names)
    places = {}
    for entry in entries:
        if is_torch and not is_program:
            places[entry.filename] = _place(file, entry)
        else:
            places[entry.filename] = (0, 0)  # not weights anyway, and only the names tell of what
    _refuse_overlaps(list(places.values()))
    return places


def _place(file: BinaryIO, entry: zipfile.ZipInfo) -> tuple[int, int]:
    name = brief(entry.filename)
    if entry.compress_type or entry.compress_size != entry.file_size or entry.flag_bits & 1:
        raise RefusedError(
            f"has {name} compressed or encrypted, which torch.save never does;"
            " unpack it and save it again"
        )
    begin = max(entry.header_offset, 0)  # zipfile may make it negative
    file.seek(begin)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
        raise RefusedError(f"is damaged: {name} is not where the zip says")
    _, name_length, extra_length = LOCAL_HEADER.unpack(header)
    start = begin + LOCAL_HEADER.size + name_length + extra_length
    file.seek(start)
    if entry.CRC and _check_sum(file, entry.file_size) != entry.CRC:  # 0 where torch left it out
        raise RefusedError(f"is damaged: {name} does not have the check sum that the zip states")
    return start, entry.file_size


def _check_sum(file: BinaryIO, size: int) -> int:
    total = 0
    while size > 0 and (block := file.read(min(size, BLOCK))):
        total = zlib.crc32(block, total)
        size -= len(block)
    if size > 0:
        raise RefusedError("is damaged: it ends too early")
    return total


def _refuse_overlaps(places: list[tuple[int, int]]) -> None:
    end = 0
    for start, size in sorted(places):
        if start < end and size:
            raise RefusedError("is damaged: two records of its zip lie on top of each other")
        end = max(end, start + size)


def _read_legacy(file: BinaryIO) -> Archive:
    """The form before torch 1.6: five pickles, then each storage after its count of elements."""
    beginning = io.BytesIO(file.read(MOST_PICKLED))
    used: dict[str, Storage] = {}

    def remembered(identifier: Any) -> Storage:
        storage = storage_of(identifier)
        used[storage.key] = storage
        return storage

    if _machine().run(beginning) != LEGACY_MAGIC or _machine().run(beginning) != LEGACY_PROTOCOL:
        raise RefusedError("is a pickle, but not one that torch.save wrote")
    system = _machine().run(beginning)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise RefusedError("was saved on a big-endian machine; convert it to safetensors there")
    content = _machine(remembered).run(beginning)
    keys = _machine().run(beginning)
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise RefusedError("is damaged: its list of storages cannot be read")
    return Archive(content, _storages(file, beginning.tell(), keys, used))


def _storages(
    file: BinaryIO, position: int, keys: list[str], used: dict[str, Storage]
) -> dict[str, tuple[int, int]]:
    places = {}
    end = file.seek(0, io.SEEK_END)
    for key in keys:
        file.seek(position)
        head = file.read(8)
        size = int.from_bytes(head, "little", signed=True)
        size *= WIDTHS[used[key].dtype] if key in used else -1
        position += 8
        if len(head) < 8 or size < 0 or position + size > end:
            raise RefusedError("is damaged: its numbers end before the last tensor")
        places[key] = (position, size)
        position += size
    return places
