"""All captured values in one file, exactly: ``maps.safetensors`` or ``maps.npz``."""

from __future__ import annotations

import json
import tempfile
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from cnnviz.storage import write_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 1 << 22


class RawMaps:
    """Values that arrive one after the other and wait on disk; ``save`` writes the file."""

    def __init__(self, folder: Path, kind: str, about: dict[str, str]) -> None:
        self.path = folder / f"maps.{kind}"
        self.kind, self.about = kind, about
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting = tempfile.TemporaryFile(dir=folder, prefix=".cnnviz-")  # noqa: SIM115
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._zip = zipfile.ZipFile(self._waiting, "w") if kind == "npz" else None

    def add(self, key: str, values: NDArray[np.float32]) -> None:
        """Keep the values of one layer."""
        self._shapes[key] = values.shape
        data = np.ascontiguousarray(values, "<f4")
        if self._zip is None:
            self._waiting.write(data.data)
            return
        with self._zip.open(f"{key}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, data)

    def save(self) -> str:
        """Write the file, and return its name.

        Raises:
            OutputError: it cannot be written.
        """
        if self._zip is not None:
            self._zip.close()
        write_chunks(self.path, self._chunks())
        return self.path.name

    def close(self) -> None:
        """Give the waiting values up."""
        self._waiting.close()

    def _chunks(self) -> Iterator[bytes]:
        if self._zip is None:
            yield self._header()
        yield from _read(self._waiting)

    def _header(self) -> bytes:
        """The beginning of a safetensors file: a length, and what lies where.

        Source: the format's description, https://github.com/huggingface/safetensors.
        """
        entries: dict[str, Any] = {"__metadata__": self.about}
        start = 0
        for key, shape in self._shapes.items():
            end = start + 4 * int(np.prod(shape))
            entries[key] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
            start = end
        text = json.dumps(entries, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text


def _read(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk
