"""Many maps on one sheet: each channel a tile with its number and range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.render.canvas import (
    ALARM,
    FAINT,
    MARGIN,
    SMALL_SIZE,
    TITLE_SIZE,
    Canvas,
    legible_on,
    text_width,
    viridis,
)
from cnnviz.render.levels import finite_range, short, to_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.floating]
    ColorMap = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

TILE_SIDE = 128  # a map is enlarged by the whole factor that comes nearest
GAP = 10
CAPTION = 16
HEADER = 58
LEGEND = 34
CELL_WIDTH, CELL_HEIGHT = 50, 40
CELL_GAP = 2


@dataclass(frozen=True)
class Caption:
    """What stands above a grid; ``marks`` names what is wrong with a channel, by index."""

    title: str
    subtitle: str
    marks: dict[int, str]


def draw_maps(maps: Values, caption: Caption, colors: ColorMap = viridis) -> bytes:
    """A PNG of (C, H, W) maps as tiles, each on its own scale, with its range printed.

    Small maps are enlarged by a whole factor without smoothing, so that a square is a value.
    """
    count, height, width = maps.shape
    factor = max(1, round(TILE_SIDE / max(height, width)))
    tile_height, tile_width = height * factor, width * factor
    step_right = max(tile_width, _caption_width(maps)) + GAP
    step_down = tile_height + CAPTION + GAP
    columns = _columns(count, step_down / step_right)
    rows = math.ceil(count / columns)
    canvas = _titled(caption, rows * step_down + LEGEND, columns * step_right - GAP)
    for channel in range(count):
        row, column = divmod(channel, columns)
        x, y = MARGIN + column * step_right, HEADER + row * step_down
        low, high = finite_range(maps[channel])
        levels = to_levels(maps[channel], low, high)
        tile = colors(levels.repeat(factor, axis=0).repeat(factor, axis=1))
        canvas.paste(tile, x, y + CAPTION)
        canvas.text(str(channel), x, y, SMALL_SIZE)
        mark = caption.marks.get(channel)
        if mark:
            canvas.frame(x, y + CAPTION, tile_width, tile_height, ALARM)
        said = mark or f"{short(low)} … {short(high)}"
        right = x + max(tile_width, step_right - GAP)
        canvas.text(said, right, y, SMALL_SIZE, ALARM if mark else FAINT, "ra")
    _legend(canvas, HEADER + rows * step_down, ("each map’s smallest value", "its largest"), colors)
    return canvas.png()


def draw_values(values: Values, caption: Caption, names: tuple[str, ...] = ()) -> bytes:
    """A PNG of (C,) numbers as coloured cells on one scale, each with its number printed.

    ``names`` stand in place of the channels' numbers.
    """
    count = len(values)
    columns = _divisor_near(count, math.sqrt(count * 1.4)) if count > 12 else count
    rows = math.ceil(count / columns)
    step_right, step_down = CELL_WIDTH + CELL_GAP, CELL_HEIGHT + CELL_GAP
    canvas = _titled(caption, rows * step_down + GAP + LEGEND, columns * step_right)
    low, high = finite_range(values)
    colors = viridis(to_levels(values, low, high))
    for index, value in enumerate(values):
        row, column = divmod(index, columns)
        x, y = MARGIN + column * step_right, HEADER + row * step_down
        red, green, blue = colors[index].tolist()
        canvas.box(x, y, CELL_WIDTH, CELL_HEIGHT, (red, green, blue))
        ink = legible_on((red, green, blue))
        canvas.text(names[index] if names else str(index), x + 4, y + 3, SMALL_SIZE, ink)
        canvas.text(
            short(float(value)), x + CELL_WIDTH - 4, y + CELL_HEIGHT - 17, color=ink, anchor="ra"
        )
    _legend(canvas, HEADER + rows * step_down + GAP, (short(low), short(high)), viridis)
    return canvas.png()


def _titled(caption: Caption, height: int, width: int) -> Canvas:
    """A canvas for ``height`` x ``width`` pixels below a title that fits on it."""
    needed = max(text_width(caption.title, TITLE_SIZE), text_width(caption.subtitle, 13), 330)
    canvas = Canvas(HEADER + height + MARGIN // 2, max(width, needed) + 2 * MARGIN)
    canvas.text(caption.title, MARGIN, 10, TITLE_SIZE)
    canvas.text(caption.subtitle, MARGIN, 34, color=FAINT)
    return canvas


def _legend(canvas: Canvas, y: int, ends: tuple[str, str], colors: ColorMap) -> None:
    """The colour map from left to right between two words."""
    low, high = ends
    x = MARGIN
    canvas.text(low, x, y + 12, SMALL_SIZE, FAINT, "lm")
    x += text_width(low, SMALL_SIZE) + 8
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis, ::2].repeat(10, axis=0)
    canvas.paste(colors(ramp), x, y + 7)
    canvas.text(high, x + ramp.shape[1] + 8, y + 12, SMALL_SIZE, FAINT, "lm")


def _caption_width(maps: Values) -> int:
    """What the longest "12  −0.31 … 0.94" takes."""
    longest = max(
        (f"{short(low)} … {short(high)}" for low, high in map(finite_range, maps)), key=len
    )
    return text_width(f"{len(maps)}  {longest}", SMALL_SIZE)


def _columns(count: int, step_ratio: float) -> int:
    """Columns that make the sheet about 4:3, and leave the last row as full as can be."""
    ideal = math.sqrt(count * 4 / 3 * step_ratio)
    return _divisor_near(count, ideal) or min(count, max(1, round(ideal)))


def _divisor_near(count: int, ideal: float) -> int:
    """The divisor of ``count`` nearest to ``ideal``; where none is near, ``ideal`` rounded."""
    near = [n for n in range(1, count + 1) if count % n == 0 and 0.6 <= n / ideal <= 1.6]
    return min(near, key=lambda n: abs(n - ideal), default=min(count, max(1, round(ideal))))
