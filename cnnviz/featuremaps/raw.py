"""All captured values in one file, exactly: ``maps.safetensors`` or ``maps.npz``."""

from __future__ import annotations

import json
import zipfile
import zlib
from math import prod
from typing import IO, TYPE_CHECKING, Any

from numpy.lib import format as npy

from cnnviz.featuremaps.waiting import SINGLE, Waiting
from cnnviz.storage import writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ABOUT = "__metadata__"  # safetensors' own name
LONGEST_COMMENT = (1 << 16) - 1  # bytes, of a ZIP file


class RawMaps:
    """Values that arrive one after the other and wait on disk; ``save`` writes the file.

    Raises:
        OutputError: the disk does not take them; here, in ``add`` and in ``save``.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.path, self.kind = folder / f"maps.{kind}", kind
        self._waiting = Waiting(folder)

    def add(self, key: str, values: NDArray[np.float32]) -> None:
        """Keep the values of one layer."""
        self._waiting.add(key, values)

    def save(self, about: Mapping[str, str]) -> str:
        """Write the file with what it says ``about`` itself, and return its name."""
        with writing(self.path) as file:
            if self.kind == "npz":
                self._write_npz(file, about)
            else:
                self._write_safetensors(file, about)
        return self.path.name

    def close(self) -> None:
        """Give the waiting values up."""
        self._waiting.close()

    def _write_safetensors(self, file: IO[bytes], about: Mapping[str, str]) -> None:
        """A length, a header that says what lies where, and the values.

        Source: the format's description, https://github.com/huggingface/safetensors.
        """
        entries: dict[str, Any] = {ABOUT: dict(about)}
        start = 0
        for key, shape in self._waiting.shapes.items():
            end = start + SINGLE.itemsize * prod(shape)
            entries[key] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
            start = end
        text = json.dumps(entries, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        file.write(len(text).to_bytes(8, "little") + text)
        for key in self._waiting.shapes:
            file.writelines(self._waiting.chunks(key))

    def _write_npz(self, file: IO[bytes], about: Mapping[str, str]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for key, shape in self._waiting.shapes.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as entry:
                    header = {"descr": SINGLE.str, "fortran_order": False, "shape": shape}
                    npy.write_array_header_1_0(entry, header)
                    entry.writelines(self._waiting.chunks(key))
            archive.comment = _comment(about)


def _comment(about: Mapping[str, str]) -> bytes:
    """What is kept in an npz, whose entries are all maps: as much as a ZIP comment holds."""
    for left_out in ((), ("seen",)):
        kept = {key: text for key, text in about.items() if key not in left_out}
        packed = zlib.compress(json.dumps(kept).encode(), 9)
        if len(packed) <= LONGEST_COMMENT:
            return packed
    return b""
