"""Learned kernels as pictures: what a convolution layer looks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render import colors
from cnnviz.render.canvas import FAINT, MARGIN, RULE, SMALL_SIZE, Canvas, legible_on
from cnnviz.render.layout import Words, draw_grid, plan_grid
from cnnviz.render.lettering import text_width
from cnnviz.render.levels import short, to_levels
from cnnviz.render.look import Look
from cnnviz.render.scales import extent
from cnnviz.render.sheet import Caption, Note, Ramp, legend_notes, open_sheet, part_shown
from cnnviz.render.strips import round_step
from cnnviz.render.tiles import THINNEST, Zoom, colored_values, enlarged
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.sheet import Item

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]

RGB = 3
DIVERGING = "RdBu"
MOST_NUMBERED = 32  # kernels whose weights are printed, none larger than this:
LARGEST_NUMBERED = 5
NUMBERED_CELL = 34
MATRIX_SIDE = 2000  # pixels a side, about; up to this a weight is several
EMPTY = (1, 1)


class KernelTiles:
    """Kernels (O, I, kh, kw) as pictures, one for each output channel.

    Three inputs are red, green and blue: mid gray is 0. One input is a diverging map around 0.
    Of more, each position shows the root of the sum of squares over the inputs: how much the
    layer looks there, whatever the sign. Each kernel has its own scale with ``scale`` "channel",
    else all have one.
    """

    def __init__(self, weights: Values, look: Look) -> None:
        self.weights = np.asarray(weights)
        inputs = self.weights.shape[1]
        self.kind = {RGB: "color", 1: "signed"}.get(inputs, "norm")
        self.shown = self.weights[:, 0] if self.kind == "signed" else self.weights
        if self.kind == "norm":
            self.shown = np.sqrt(np.square(self.weights.astype(np.float64)).sum(axis=1))
        self.largest = [_largest(one) for one in self.shown]
        common = max(self.largest, default=0.0)
        self.limits = self.largest if look.scale == "channel" else [common] * len(self.largest)
        self.cmap = look.cmap or ("viridis" if self.kind == "norm" else DIVERGING)
        self.own = look.scale == "channel" and len(self.largest) > 1

    def size(self, zoom: Zoom) -> tuple[int, int]:
        """Height and width of a tile."""
        return zoom.size(*self.weights.shape[2:])

    def pixels(self, index: int, zoom: Zoom) -> Pixels:
        """RGB (h, w, 3) of one kernel."""
        return enlarged(self.picture(index), zoom.down, zoom.right)

    def picture(self, index: int) -> Pixels:
        """RGB (kh, kw, 3) of one kernel, a pixel per position."""
        one, limit = self.shown[index], self.limits[index]
        if self.kind == "color":
            levels = to_levels(one, -limit, limit) if limit else np.full(one.shape, 128, np.uint8)
            pixels = np.ascontiguousarray(levels.transpose(1, 2, 0))
            pixels[~np.isfinite(one).all(axis=0)] = colors.NOT_FINITE[0]
            return pixels
        return colored_values(one, 0.0 if self.kind == "norm" else -limit, limit, self.cmap)

    def said(self) -> list[str]:
        """What stands above each kernel: its range, or by how much it goes around 0."""
        if self.kind == "norm":
            return [extent(finite_range(one)) for one in self.shown]
        return [f"± {short(largest)}" for largest in self.largest]

    def legend(self) -> list[Item]:
        """What the colours mean."""
        limit = max(self.limits, default=0.0)
        end = "plus each kernel’s largest weight" if self.own else short(limit)
        if self.kind == "color":
            scale = "each kernel by its largest weight" if self.own else f"gray ± {short(limit)}"
            words = f"inputs as red, green, blue; gray is 0, {scale}"
            items: list[Item] = [Note(words, fill=(128, 128, 128))]
        elif self.kind == "signed":
            items = [Ramp(("minus" if self.own else short(-limit), "0", end), self.cmap)]
        else:
            said = f"the norm over the {self.weights.shape[1]} inputs: signs are not shown"
            items = [Ramp(("0", "each kernel’s largest" if self.own else end), self.cmap)]
            items.append(Note(said))
        if self.kind != "color" and not all(self.limits):
            items.append(Note("all weights 0", fill=RULE))
        if not np.isfinite(self.weights).all():
            color = colors.NOT_FINITE[0] if self.kind == "color" else colors.not_finite(self.cmap)
            items.append(Note("NaN or infinite", fill=color))
        return items


class Thumbnails:
    """Kernels beside maps: as large as whole factors allow in a part of the map's height."""

    def __init__(self, kernels: KernelTiles, height: int, width: int) -> None:
        self.kernels, self._height, self._width = kernels, height, width

    def size(self, zoom: Zoom) -> tuple[int, int]:
        """Height and width of a tile."""
        factor = self._factor(zoom)
        return self.kernels.size(Zoom(factor, factor))

    def pixels(self, index: int, zoom: Zoom) -> Pixels:
        """RGB (h, w, 3) of one kernel."""
        factor = self._factor(zoom)
        return self.kernels.pixels(index, Zoom(factor, factor))

    def _factor(self, zoom: Zoom) -> int:
        side = min(zoom.size(self._height, self._width)) * 0.4
        longest: int = max(self.kernels.weights.shape[2:])
        return max(1, round(side / longest))


def draw_kernels(
    weights: Values,
    caption: Caption,
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
) -> bytes:
    """A PNG of convolution weights (O, I, kh, kw): a tile per output channel.

    See ``KernelTiles`` for the colours. 1x1 kernels are one matrix, outputs down and inputs
    across. Few small kernels of one input have their weights printed. ``channels`` are the
    outputs' numbers where they are not 0, 1, 2 …, of ``total``.
    """
    look = look or Look()
    numbers = list(range(len(weights)) if channels is None else channels)
    if weights.shape[2:] == EMPTY:
        return _draw_matrix(weights[:, :, 0, 0], caption, look, numbers)
    tiles = KernelTiles(weights, look)
    size = weights.shape[2:]
    part = part_shown(len(weights), total, caption, "kernels")
    notes = [Note(part)] if part else []
    small = max(size) <= LARGEST_NUMBERED and len(weights) <= MOST_NUMBERED
    if tiles.kind == "signed" and small and not look.tile:
        return _draw_numbered(tiles, caption, numbers, [*tiles.legend(), *notes])
    marks = [caption.marks.get(number, "") for number in numbers]
    words = Words([str(number) for number in numbers], marks, tiles.said())
    plan = plan_grid([tiles], size, words, look)
    legend = [*tiles.legend(), *notes, Note(str(plan.zoom))]
    return draw_grid(caption, [tiles], words, plan, legend)


def _draw_numbered(
    tiles: KernelTiles, caption: Caption, numbers: list[int], legend: list[Item]
) -> bytes:
    """Kernels with their weights in the cells."""
    count, height, width = tiles.shown.shape
    said = [short(float(value)) for value in tiles.shown.flat]
    cell = max(NUMBERED_CELL, *(text_width(one, SMALL_SIZE) + 8 for one in said))
    right, down = width * cell + 16, height * NUMBERED_CELL + 30
    columns = min(count, max(1, round(math.sqrt(count * 1.6 * down / right))))
    size = math.ceil(count / columns) * down, columns * right - 16
    canvas, top = open_sheet(caption, *size, legend)
    for n, number in enumerate(numbers):
        row, column = divmod(n, columns)
        x, y = MARGIN + column * right, top + row * down
        canvas.text(str(number), x, y, SMALL_SIZE)
        _numbered(canvas, tiles, n, (x, y + 18), cell)
    return canvas.png()


def _numbered(
    canvas: Canvas, tiles: KernelTiles, n: int, corner: tuple[int, int], cell: int
) -> None:
    picture = tiles.picture(n)
    for (row, column), value in np.ndenumerate(tiles.shown[n]):
        x, y = corner[0] + column * cell, corner[1] + row * NUMBERED_CELL
        red, green, blue = picture[row, column].tolist()
        color = red, green, blue
        canvas.box(x, y, cell, NUMBERED_CELL, color)
        middle = x + cell / 2, y + NUMBERED_CELL / 2
        canvas.text(short(float(value)), *middle, SMALL_SIZE, legible_on(color), "mm")


def _draw_matrix(matrix: Values, caption: Caption, look: Look, numbers: list[int]) -> bytes:
    """Weights (O, I) around 0, outputs down and inputs across."""
    outputs, inputs = matrix.shape
    block = math.ceil(max(matrix.shape) / (2 * MATRIX_SIDE))
    shown = _farthest(matrix, block)
    factor = max(1, min(THINNEST * 2, MATRIX_SIDE // 2 // max(shown.shape)))
    limit = _largest(matrix)
    cmap = look.cmap or DIVERGING
    pixels = enlarged(colored_values(shown, -limit, limit, cmap), factor, factor)
    left = text_width(str(max(numbers, default=0)), SMALL_SIZE) + 8
    ends = (short(-limit), "0", short(limit)) if limit else ()
    most = f"a pixel is the weight farthest from 0 of {block}x{block}" if block > 1 else ""
    notes = "outputs down, inputs across", most, str(Zoom(factor, factor))
    legend = legend_notes(ends, cmap, *notes, whole=bool(np.isfinite(matrix).all()))
    canvas, top = open_sheet(caption, 18 + len(pixels) + 6, left + pixels.shape[1], legend)
    canvas.paste(pixels, MARGIN + left, top + 18)
    step = factor / block
    for n in range(0, outputs, round_step(16 / step)):
        y = top + 18 + (n + 0.5) * step
        canvas.text(str(numbers[n]), MARGIN + left - 8, y, SMALL_SIZE, FAINT, "rm")
    for n in range(0, inputs, round_step(44 / step)):
        x = MARGIN + left + (n + 0.5) * step
        canvas.text(str(n), x, top, SMALL_SIZE, FAINT, "ma")
    return canvas.png()


def _farthest(matrix: Values, block: int) -> Values:
    """Of each block of values the one farthest from 0; a mean would cancel the signs."""
    if block == 1:
        return matrix
    rows, columns = (math.ceil(side / block) for side in matrix.shape)
    padded = np.zeros((rows * block, columns * block), matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    blocks = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, -1)
    best = np.abs(blocks).argmax(axis=2)
    return np.take_along_axis(blocks, best[..., np.newaxis], axis=2)[..., 0]


def _largest(values: Values) -> float:
    """The largest finite magnitude; 0 without one."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0
