"""Files of weights: what they hold is found, checked and handed over as tensors by name."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError, WeightsError
from cnnviz.models.weights.headers import read_header
from cnnviz.models.weights.kinds import SAFETENSORS, format_of
from cnnviz.models.weights.places import Place, RefusedError, brief, named

if TYPE_CHECKING:
    from io import BufferedReader

    from torch import Tensor

LARGEST_FILE = 32 << 30  # bytes; torchvision's largest has 2.5 GB
LONGEST_INDEX = 16 << 20  # bytes

# In a folder as Hugging Face keeps it, the first that is there.
IN_FOLDER = (
    *("model.safetensors", "model.safetensors.index.json"),
    *("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json"),
    *("open_clip_model.safetensors", "pytorch_model.bin"),
)
WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True)
class WeightsFile:
    """Tensors by name, on the CPU, from the file (or Hugging Face folder) at ``path``.

    Wrappers' prefixes are dropped from the names. ``metadata`` is what a safetensors file says of
    itself. ``format`` is "safetensors" or "pickle", ``sha256`` that of the file, or of the parts of
    a folder one after the other. ``notes`` tell what was done, for the reader. The tensors are
    views of the file: it has to stay as it is until they are copied into a module.
    """

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    format: str
    sha256: str
    notes: tuple[str, ...]


def read_weights(path: Path) -> WeightsFile:
    """The weights in a ``.safetensors`` file, a file of ``torch.save``, or a folder with one.

    What a file is shows in its bytes, not in its name. Nothing in it is run.

    Raises:
        ModelError: there is no such file, or it is something else than weights.
        WeightsError: it cannot be read, is damaged, or is not taken for safety's sake.
    """
    try:
        parts = _parts(path)
        read = [_read_part(part) for part in parts]
        tensors = _merged(read)
        notes = [note for part in read for note in part.notes]
    except RefusedError as error:
        kind = ModelError if error.is_usage else WeightsError
        raise kind(f"{named(path)} {error}") from None
    except OSError as error:
        raise WeightsError(f"{named(path)} cannot be read: {error.strerror or error}") from error
    digest = read[0].sha256 if len(parts) == 1 else _digest(parts)
    tensors, dropped = _unwrapped(tensors)
    notes += dropped + _nonfinite(tensors)
    return WeightsFile(path, tensors, read[0].metadata, read[0].format, digest, tuple(notes))


def _parts(path: Path) -> list[Path]:
    """The files that ``path`` stands for: itself, or those of a folder."""
    if not path.is_dir():
        return [path]
    found = next((path / name for name in IN_FOLDER if (path / name).exists()), None)
    if found is None:
        files = sorted(path.glob("*.safetensors"))
        if len(files) == 1:
            return files
        what = f"{len(files)} of them" if files else "none"
        raise RefusedError(
            f"is a folder without model.safetensors; name a .safetensors file in it, it has {what}",
            is_usage=True,
        )
    return _shards(found) if found.suffix == ".json" else [found]


def _shards(index: Path) -> list[Path]:
    with _opened(index) as file:
        text = file.read(LONGEST_INDEX + 1)
    try:
        if len(text) > LONGEST_INDEX:
            raise ValueError
        names = sorted(set(json.loads(text)["weight_map"].values()))
        if not names or not all(re.fullmatch(r"[\w-][\w.-]*\.safetensors", name) for name in names):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError(f"has an {index.name} that names no files beside it") from None
    return [index.with_name(name) for name in names]


def _opened(path: Path) -> BufferedReader:
    """An open regular file; nothing else is opened, so that nothing waits or acts."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise RefusedError(f"is not there{_absent(path)}", is_usage=True) from None
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("is not a regular file", is_usage=True)
    if status.st_size > LARGEST_FILE:
        raise RefusedError(f"has {status.st_size:,} bytes; at most {LARGEST_FILE:,} are read")
    nonblocking = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, os.O_RDONLY | nonblocking), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise RefusedError("is not a regular file", is_usage=True)
    return file


def _absent(path: Path) -> str:
    if path.is_symlink():
        return ": the link leads nowhere"
    return "" if path.parent.is_dir() else f": there is no folder {named(path.parent)}"


@dataclass(frozen=True)
class _Part:
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    format: str
    sha256: str
    notes: list[str]


def _read_part(path: Path) -> _Part:
    with _opened(path) as file:
        format_ = format_of(file.read(512), path)
        file.seek(0)
        places: list[Place]
        if format_ == SAFETENSORS:
            notes: list[str] = []
            places, metadata = read_header(file)
        else:
            from cnnviz.models.weights.pickles import read_places  # subprocess: only for a pickle

            metadata = {}
            places, notes = read_places(file)
        if not places:
            raise RefusedError("holds no tensors")
        from cnnviz.models.weights.mapped import tensors_at  # torch: not on the way to a refusal

        tensors = tensors_at(file, places)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _Part(tensors, metadata, format_, digest, notes)


def _digest(parts: list[Path]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    return whole.hexdigest()


def _merged(parts: list[_Part]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for part in parts:
        if twice := tensors.keys() & part.tensors.keys():
            raise RefusedError(f"has {brief(min(twice))} in two of its files")
        tensors |= part.tensors
    return tensors


def _unwrapped(tensors: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The tensors under the names that they have in the model, without those of its wrappers."""
    notes: list[str] = []
    while prefix := next((p for p in WRAPPERS if all(n.startswith(p) for n in tensors)), None):
        shorter = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        if not all(shorter):
            break
        notes.append(f"dropped the prefix {prefix!r} of {len(tensors):,} names")
        tensors = shorter
    inside = {name.replace("._orig_mod.", "."): tensor for name, tensor in tensors.items()}
    if len(inside) == len(tensors) and inside.keys() != tensors.keys():
        notes.append("dropped '_orig_mod.' from within the names")
        tensors = inside
    return tensors, notes


def _nonfinite(tensors: dict[str, Tensor]) -> list[str]:
    counts = {name: _count_nonfinite(tensor) for name, tensor in tensors.items()}
    bad = {name: count for name, count in counts.items() if count}
    if not bad:
        return []
    more = "" if len(bad) == 1 else f" and {len(bad) - 1} more tensors"
    first = brief(next(iter(bad)))
    return [f"{sum(bad.values()):,} values are NaN or infinite, in {first}{more}"]


def _count_nonfinite(tensor: Tensor) -> int:
    if not tensor.is_floating_point() or tensor.itemsize == 1:
        return 0
    # The sum is finite only where all are, and takes a twentieth of the time, and no memory.
    if tensor.sum().isfinite():
        return 0
    return tensor.numel() - int(tensor.isfinite().sum())
