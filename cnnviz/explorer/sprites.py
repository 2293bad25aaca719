"""A layer's maps as one gray picture: 256 levels, each channel on its own scale, side by side."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnnviz.render.levels import to_levels
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Levels = NDArray[np.uint8]

PNG, WEBP = "image/png", "image/webp"
MAPS, STRIPS, VOLUMES = "maps", "strips", "volumes"
LONGEST = 512  # values of a sequence that are kept side by side
LARGE = 2**18  # pixels; larger sheets are WebP unless lossless is asked for
QUALITIES = (65, 75, 80, 85, 90)
SAMPLE = 2**17  # pixels by which the quality is chosen
ALLOWED = 3.3  # levels of 255 that a pixel may be off on average: 1.3 % of a channel's range


@dataclass(frozen=True)
class Cells:
    """Channels as levels (C, h, w), each from its smallest to its largest finite value.

    A cell's pixel is the mean of a block of ``reduced`` rows and columns of the map, of which
    there are ``size``. ``kind`` says what the rows and columns are.
    """

    kind: str
    levels: Levels
    size: tuple[int, int]
    reduced: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Sheet:
    """An encoded picture of cells, ``columns`` of them side by side.

    Where it is approximate, ``off`` says by how many levels a pixel is off: on average, and at
    the most; both are measured.
    """

    data: bytes
    mime: str
    columns: int
    size: tuple[int, int]
    off: tuple[float, int] | None = None


def cells_of(values: NDArray[np.float32], cell: int | None) -> Cells | None:
    """The levels of (C, …) values; None for those that are one number per channel."""
    if values[0].size == 1:
        return None
    if values.ndim == 2:
        kind, maps, most = STRIPS, values[:, np.newaxis], (1, LONGEST)
    elif values.ndim == 3:
        kind, maps, most = MAPS, values, (cell or values.shape[1], cell or values.shape[2])
    else:  # slices below each other
        maps = values.reshape(len(values), -1, values.shape[-1])
        kind, most = VOLUMES, (maps.shape[1], cell or maps.shape[2])
    height, width = maps.shape[1:]
    reduced = (math.ceil(height / most[0]), math.ceil(width / most[1]))
    levels = np.stack([_levels(one, reduced) for one in maps])
    return Cells(kind, levels, (height, width), reduced)


def _levels(values: NDArray[np.float32], reduced: tuple[int, int]) -> Levels:
    low, high = finite_range(values) or (0.0, 0.0)
    if reduced != (1, 1):
        values = block_means(values, reduced)
    return to_levels(values, low, high)


def block_means(values: NDArray[np.float32], block: tuple[int, int]) -> NDArray[np.float32]:
    """Means of (H, W) over blocks of so many rows and columns; those at the far ends are smaller.

    >>> block_means(np.array([[1, 3, 5]], np.float32), (1, 2)).tolist()
    [[2.0, 5.0]]
    """
    for axis, length in enumerate(block):
        starts = np.arange(0, values.shape[axis], length)
        counts = np.diff(np.append(starts, values.shape[axis]))
        sums = np.add.reduceat(values, starts, axis=axis, dtype=np.float64)
        values = sums / np.expand_dims(counts, 1 - axis)
    return values.astype(np.float32)


def sheet_of(cells: Cells, *, lossless: bool | None) -> Sheet:
    """The cells as one PNG, or WebP where they are large; ``lossless`` decides otherwise."""
    arranged, columns = _arranged(cells.levels)
    if lossless or (lossless is None and arranged.size <= LARGE):
        return Sheet(_png(arranged), PNG, columns, arranged.shape)
    return _approximate(arranged, columns)


def as_webp(sheet: Sheet) -> Sheet:
    """The same sheet as WebP, if that is smaller."""
    other = _approximate(_decoded(sheet.data, "PNG"), sheet.columns)
    return other if len(other.data) < len(sheet.data) else sheet


def _approximate(arranged: Levels, columns: int) -> Sheet:
    """A WebP of the lowest quality that is good enough, by measurement on a part of it."""
    some = arranged[: max(1, SAMPLE // arranged.shape[1])]
    quality = next(
        (q for q in QUALITIES if _off(some, _webp(some, q))[0] <= ALLOWED), QUALITIES[-1]
    )
    data = _webp(arranged, quality)
    return Sheet(data, WEBP, columns, arranged.shape, _off(arranged, data))


def _arranged(levels: Levels) -> tuple[Levels, int]:
    """Cells in rows of so many that the whole is about square; what is left over is 0."""
    count, height, width = levels.shape
    columns = max(1, min(count, round(math.sqrt(count * height / width))))
    rows = math.ceil(count / columns)
    whole = np.zeros((rows * columns, height, width), np.uint8)
    whole[:count] = levels
    grid = whole.reshape(rows, columns, height, width).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width), columns


def _off(levels: Levels, data: bytes) -> tuple[float, int]:
    """By how much a picture differs from its levels: on average, and at the most."""
    apart = np.abs(_decoded(data, "WEBP").astype(np.int16) - levels)
    return float(apart.mean()), int(apart.max())


def _decoded(data: bytes, kind: str) -> Levels:
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        return np.asarray(image.convert("L"))


def _webp(levels: Levels, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(levels).convert("RGB").save(out, "WEBP", quality=quality, method=2)
    return out.getvalue()


def _png(levels: Levels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "PNG", optimize=levels.size <= LARGE)
    return out.getvalue()


def picture_png(pixels: Levels) -> bytes:
    """A PNG of a picture (H, W, 3) or (H, W, 1)."""
    return _png(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
