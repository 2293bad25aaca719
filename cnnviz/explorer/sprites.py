"""A layer's maps as one gray picture: 256 levels, each channel on its own scale, side by side."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnnviz.render.levels import to_levels
from cnnviz.render.tiles import block_means
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Levels = NDArray[np.uint8]

PNG, WEBP = "image/png", "image/webp"
MAPS, STRIPS, VOLUMES = "maps", "strips", "volumes"
LONGEST = 512  # values of a sequence that are kept side by side
LARGE = 2**18  # pixels; larger sheets are WebP unless lossless is asked for,
LOSSLESS = 2_200_000  # and so are the largest of those that have more together: about 2 MB as PNG
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
    kind, size, reduced = _kind(values.shape, cell)
    maps = values.reshape(len(values), *size)
    return Cells(kind, np.stack([_levels(one, reduced) for one in maps]), size, reduced)


def _kind(shape: Sequence[int], cell: int | None) -> tuple[str, tuple[int, int], tuple[int, int]]:
    """How a layer's channels are shown: as what, of which size, and reduced by which block."""
    if len(shape) == 2:
        kind, size, most = STRIPS, (1, shape[1]), (1, LONGEST)
    elif len(shape) == 3:
        kind, size, most = MAPS, (shape[1], shape[2]), (cell or shape[1], cell or shape[2])
    else:  # slices below each other
        size = (math.prod(shape[1:-1]), shape[-1])
        kind, most = VOLUMES, (size[0], cell or size[1])
    return kind, size, (math.ceil(size[0] / most[0]), math.ceil(size[1] / most[1]))


def most_lossless(shapes: Iterable[Sequence[int]], cell: int | None) -> int:
    """The pixels up to which sheets of layers of these (C, …) shapes are kept without loss."""
    total = 0
    for pixels in sorted(_pixels(shape, cell) for shape in shapes if len(shape) > 1):
        total += pixels
        if total > LOSSLESS:
            return min(pixels - 1, LARGE)  # and none of that size, of which there may be many
    return LARGE


def _pixels(shape: Sequence[int], cell: int | None) -> int:
    _, size, reduced = _kind(shape, cell)
    return shape[0] * math.ceil(size[0] / reduced[0]) * math.ceil(size[1] / reduced[1])


def _levels(values: NDArray[np.float32], reduced: tuple[int, int]) -> Levels:
    low, high = finite_range(values) or (0.0, 0.0)
    if reduced != (1, 1):
        values = block_means(values, *reduced)
    return to_levels(values, low, high)


def sheet_of(cells: Cells, *, lossless: bool | None, most: int = LARGE) -> Sheet:
    """The cells as one PNG, or WebP above ``most`` pixels; ``lossless`` decides otherwise."""
    arranged, columns = _arranged(cells.levels)
    if lossless or (lossless is None and cells.levels.size <= most):
        return Sheet(_png(arranged), PNG, columns, arranged.shape)
    return _approximate(arranged, columns)


def _approximate(arranged: Levels, columns: int) -> Sheet:
    """A WebP of the lowest quality that is good enough, by measurement on a part of it."""
    some = arranged[: max(1, SAMPLE // arranged.shape[1])]
    for quality in QUALITIES:
        data = _webp(some, quality)
        off = _off(some, data)
        if off[0] <= ALLOWED:
            break
    if len(some) < len(arranged):
        data = _webp(arranged, quality)
        off = _off(arranged, data)
    return Sheet(data, WEBP, columns, arranged.shape, off)


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
