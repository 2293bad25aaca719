"""Files of maps: what they say of themselves, and their values, read without torch."""

from __future__ import annotations

import base64
import json
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.lib import format as npy

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.models.weights.headers import read_header
from cnnviz.models.weights.places import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.models.weights.places import Place

LONGEST_ABOUT = 16 << 20  # bytes
MOST_VALUES = 256_000_000  # of a layer, as many as an image may have pixels
SMALL_PNG = 24_000  # bytes; a larger picture of the input is kept as a JPEG,
KEPT_SIDE = 300  # so many pixels a side, for a ZIP comment has to hold it
FIGURES = ("channels", "stats", "file", "overlay", "filters")  # which are made anew, or not at all
DTYPES = {
    **{name: name for name in ("float16", "float32", "float64", "uint8", "int8", "bool")},
    **{name: name for name in ("int16", "uint16", "int32", "uint32", "int64", "uint64")},
    "bfloat16": "<u2",  # which NumPy has not: the upper half of a float32
}
HEADERS: dict[tuple[int, int], Callable[[Any], tuple[tuple[int, ...], bool, np.dtype[Any]]]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def about_maps(manifest: Mapping[str, Any], title: str, seen: NDArray[np.uint8]) -> dict[str, str]:
    """What a file of maps says of itself, so that it can be drawn without the model.

    ``manifest`` without the figures, what a reader calls the model, and a picture of the input as
    it was ``seen``, in base64.
    """
    layers = [{k: v for k, v in one.items() if k not in FIGURES} for one in manifest["layers"]]
    return {
        "cnnviz": "maps",
        "model": str(manifest["model"]),
        "title": title,
        "manifest": json.dumps({**manifest, "layers": layers}),
        "seen": base64.b64encode(_copy(seen)).decode(),
    }


def _copy(seen: NDArray[np.uint8]) -> bytes:
    """The input as a PNG, or if that is large as a small JPEG."""
    bgr = np.ascontiguousarray(seen[:, :, ::-1])
    png = cv2.imencode(".png", bgr)[1].tobytes()
    if len(png) <= SMALL_PNG:
        return png
    share = min(1.0, KEPT_SIDE / max(seen.shape[:2]))
    height, width = (max(1, round(length * share)) for length in seen.shape[:2])
    small = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small)[1].tobytes()


class Source(Protocol):
    """Where the values of layers are had from."""

    def get(self, key: str) -> NDArray[np.float32] | None:
        """(C, …) values of a layer; None where there are none."""


@dataclass
class StoredMaps:
    """The maps in a file: shapes by key in the file's order, and what it says of itself.

    ``manifest`` and ``seen``, the input as (H, W, 3) or (H, W, 1), are None in files of others.
    """

    path: Path
    shapes: dict[str, tuple[int, ...]]
    title: str
    manifest: dict[str, Any] | None = None
    seen: NDArray[np.uint8] | None = None
    places: dict[str, Place] = field(default_factory=dict)

    def get(self, key: str) -> NDArray[np.float32] | None:
        """(C, …) values of a layer; None where there are none.

        Raises:
            CnnvizError: they cannot be read.
        """
        if key not in self.shapes:
            return None
        with _told(self.path):
            values = self._placed(self.places[key]) if self.places else self._zipped(key)
        return np.asarray(values, np.float32).reshape(self.shapes[key])

    def _placed(self, place: Place) -> NDArray[Any]:
        with self.path.open("rb") as file:
            file.seek(place.start)
            values = np.frombuffer(file.read(place.size), DTYPES[place.dtype])
        if place.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values

    def _zipped(self, key: str) -> NDArray[Any]:
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{key}.npy") as entry:
            return np.asarray(npy.read_array(entry, allow_pickle=False))


def read_maps(path: Path) -> StoredMaps:
    """The maps in a ``.safetensors`` or ``.npz`` file; values are read when they are asked for.

    Nothing in it is run. Of a file that is not of this tool, axes are taken as (C, …), and a
    first axis of one before (C, H, W) as that of the batch.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        CnnvizError: it is damaged or has numbers that cannot be drawn.
    """
    if not path.is_file():
        raise UsageError(f"{path} is not there; name a file that --raw has written")
    with _told(path):
        read = _read_npz if zipfile.is_zipfile(path) else _read_safetensors
        stored, about = read(path)
        _check(stored)
        _describe(stored, about)
    return stored


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Within, whatever a reader of files raises becomes one of our errors."""
    try:
        yield
    except CnnvizError:
        raise
    except RefusedError as error:
        raise CnnvizError(f"{path} {error}") from None
    except OSError as error:
        raise CnnvizError(f"{path} cannot be read: {error.strerror or error}") from error
    except MemoryError:
        raise CnnvizError(f"{path} has more values than there is memory for") from None
    except Exception as error:  # zipfile and NumPy raise many things for damaged files
        raise CnnvizError(f"{path} is no whole file of maps: {error}") from error


def _read_safetensors(path: Path) -> tuple[StoredMaps, dict[str, str]]:
    with path.open("rb") as file:
        if file.read(9)[8:] != b"{":
            raise CnnvizError(f"{path} is neither safetensors nor npz; --raw writes such files")
        file.seek(0)
        places, about = read_header(file)
    shapes = {place.name: place.shape for place in places}
    bad = next((place for place in places if place.dtype not in DTYPES), None)
    if bad is not None:
        raise CnnvizError(f"{path} has {bad.name} as {bad.dtype}, which cannot be drawn")
    return StoredMaps(path, shapes, path.name, places={one.name: one for one in places}), about


def _read_npz(path: Path) -> tuple[StoredMaps, dict[str, str]]:
    shapes = {}
    with zipfile.ZipFile(path) as archive:
        about = _unpacked(archive.comment)
        for name in archive.namelist():
            key = name.removesuffix(".npy")
            with archive.open(name) as entry:
                shapes[key], _, dtype = HEADERS[npy.read_magic(entry)](entry)
            if dtype.kind not in "biuf":
                raise CnnvizError(f"{path} has {key} as {dtype}, which cannot be drawn")
    return StoredMaps(path, shapes, path.name), about


def _unpacked(comment: bytes) -> dict[str, str]:
    """What a ZIP file says of itself; nothing where its comment is somebody else's."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(comment, LONGEST_ABOUT)
        found = json.loads(text) if text and unpacker.eof else {}
    except (zlib.error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check(stored: StoredMaps) -> None:
    if not stored.shapes:
        raise CnnvizError(f"{stored.path} holds no maps")
    for key, shape in stored.shapes.items():
        if prod(shape) > MOST_VALUES:
            raise CnnvizError(
                f"{stored.path} has {prod(shape):,} values in {key}; at most {MOST_VALUES:,} are"
                " drawn"
            )


def _describe(stored: StoredMaps, about: dict[str, str]) -> None:
    """Fill in what the file says of itself, if it is one of ours."""
    if about.get("cnnviz") != "maps":
        stored.shapes = {
            key: shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
            for key, shape in stored.shapes.items()
        }
        return
    stored.title = about["title"]
    stored.manifest = json.loads(about["manifest"])
    if "seen" not in about:
        return
    picture = np.frombuffer(base64.b64decode(about["seen"]), np.uint8)
    seen = np.asarray(cv2.imdecode(picture, cv2.IMREAD_UNCHANGED), np.uint8)
    stored.seen = seen[:, :, np.newaxis] if seen.ndim == 2 else seen[:, :, ::-1]
