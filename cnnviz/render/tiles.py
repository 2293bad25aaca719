"""Maps enlarged by whole factors, or shrunk to the mean of whole blocks, in their colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from cnnviz.render import colors
from cnnviz.render.canvas import RULE
from cnnviz.render.levels import to_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]

THINNEST = 12  # a map of a single row would be a line that nobody sees


class Zoom(NamedTuple):
    """How many pixels down and right a value takes, or how many values a pixel is the mean of."""

    down: int = 1
    right: int = 1
    rows: int = 1
    columns: int = 1

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a map on the sheet."""
        return math.ceil(height / self.rows) * self.down, math.ceil(width / self.columns) * (
            self.right
        )

    def __str__(self) -> str:
        """What the legend says of it; nothing where a value is a pixel."""
        if self.rows > 1 or self.columns > 1:
            return f"shrunk: a pixel is the mean of {self.rows}x{self.columns} values"
        if self.down > 1 or self.right > 1:
            return f"a value is a block of {self.down}x{self.right} pixels"
        return ""


def zooms(height: int, width: int, side: int) -> Iterator[Zoom]:
    """From the whole factor that brings the longer side nearest to ``side``, ever smaller."""
    largest = max(height, width)
    for factor in range(max(1, round(side / largest)), 0, -1):
        yield Zoom(max(factor, THINNEST // height), max(factor, THINNEST // width))
    for block in range(2, largest + 1):
        yield _shrunk(height, width, block)


def zoom_to(height: int, width: int, tile: int) -> Zoom:
    """What makes a map about ``tile`` pixels wide."""
    if width <= tile:
        factor = max(1, round(tile / width))
        return Zoom(max(factor, THINNEST // height), factor)
    return _shrunk(height, width, math.ceil(width / tile))


def _shrunk(height: int, width: int, block: int) -> Zoom:
    """Blocks of that side, but no thin map thinner than it must be."""
    thin = min(THINNEST, math.ceil(max(height, width) / block))
    rows, columns = (min(block, math.ceil(side / thin)) for side in (height, width))
    return Zoom(
        1 if rows > 1 else max(1, THINNEST // height),
        1 if columns > 1 else max(1, THINNEST // width),
        rows,
        columns,
    )


def block_means(values: Values, rows: int, columns: int) -> Values:
    """The mean of each block of (H, W) values; those at the far edges may have fewer values.

    A block with a value that is not finite is not finite.
    """
    if rows == columns == 1:
        return values
    size = math.ceil(values.shape[0] / rows), math.ceil(values.shape[1] / columns)
    sums, counts = np.zeros(size), np.zeros(size)
    with np.errstate(invalid="ignore"):  # Inf - Inf
        for down in range(rows):
            for right in range(columns):
                some = values[down::rows, right::columns]
                sums[: some.shape[0], : some.shape[1]] += some
                counts[: some.shape[0], : some.shape[1]] += 1
    return sums / counts


def enlarged(pixels: Pixels, down: int, right: int) -> Pixels:
    """Each pixel of (H, W, 3) as a block, without smoothing."""
    if down == right == 1:
        return pixels
    return resized(pixels, pixels.shape[0] * down, pixels.shape[1] * right)


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """(H, W, 3) at another size: larger without smoothing, or smaller as the mean of areas."""
    larger = height >= pixels.shape[0] and width >= pixels.shape[1]
    kind = cv2.INTER_NEAREST if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), np.uint8)


def colored_values(values: Values, low: float, high: float, cmap: str) -> Pixels:
    """RGB (…, 3) of ``values`` on the scale from ``low`` to ``high``.

    Values that are not finite have a colour that the map has not. Without a scale, where all
    values are equal, they are a light gray, which no one takes for the darkest value.
    """
    if high > low:
        pixels = colors.colored(to_levels(values, low, high), cmap)
    else:
        pixels = np.full((*values.shape, 3), RULE, np.uint8)
    bad = ~np.isfinite(values)
    if bad.any():
        pixels[bad] = colors.not_finite(cmap)
    return pixels


class MapTiles:
    """Maps (C, H, W) and the limits of each one's scale, as tiles."""

    def __init__(self, maps: Values, limits: list[tuple[float, float]], cmap: str) -> None:
        self._maps, self._limits, self._cmap = maps, limits, cmap

    def size(self, zoom: Zoom) -> tuple[int, int]:
        """Height and width of a tile."""
        return zoom.size(*self._maps.shape[1:])

    def pixels(self, index: int, zoom: Zoom) -> Pixels:
        """RGB (h, w, 3) of one tile."""
        values = block_means(self._maps[index], zoom.rows, zoom.columns)
        pixels = colored_values(values, *self._limits[index], self._cmap)
        return enlarged(pixels, zoom.down, zoom.right)
