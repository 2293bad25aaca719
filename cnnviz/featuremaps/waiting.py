"""Values of layers that wait on disk until they are wanted again."""

from __future__ import annotations

import tempfile
from math import prod
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.storage import named_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 1 << 22
SINGLE = np.dtype("<f4")


class Waiting:
    """Float32 arrays by key, in a file in ``folder`` that is gone when it is closed.

    Raises:
        OutputError: the disk does not take them; here and in ``add``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._starts: dict[str, int] = {}
        self._end = 0
        self._lock = Lock()
        with named_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 (closed by close)
                dir=folder, prefix=".cnnviz-"
            )

    def add(self, key: str, values: NDArray[np.float32]) -> None:
        """Keep the values of one layer."""
        data = np.ascontiguousarray(values, SINGLE)
        with self._lock, named_error(self.folder):
            self._file.seek(self._end)
            self._file.write(data.data)
        self.shapes[key], self._starts[key] = values.shape, self._end
        self._end += data.nbytes

    def get(self, key: str) -> NDArray[np.float32] | None:
        """The values of a layer; None where there are none."""
        if key not in self.shapes:
            return None
        data = b"".join(self.chunks(key))
        return np.frombuffer(data, SINGLE).reshape(self.shapes[key])

    def chunks(self, key: str) -> Iterator[bytes]:
        """The bytes of a layer's values, a few megabytes at a time."""
        start = self._starts[key]
        end = start + SINGLE.itemsize * prod(self.shapes[key])
        for place in range(start, end, CHUNK):
            with self._lock:
                self._file.seek(place)
                data = self._file.read(min(CHUNK, end - place))
            yield data

    def close(self) -> None:
        """Give the values up."""
        self._file.close()
