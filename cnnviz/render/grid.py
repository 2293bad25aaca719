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
    TEXT_SIZE,
    TITLE_SIZE,
    Canvas,
    legible_on,
    text_width,
    viridis,
)
from cnnviz.render.levels import short, to_levels
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.floating]
    ColorMap = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

TILE_SIDE = 128  # a map is enlarged by the whole factor that comes nearest
LARGE_TILE_SIDE = 256  # where there are few
FEW = 3
THINNEST = 12  # a map of a single row would be a line that nobody sees
GAP = 10
CAPTION = 18
HEADER = 58  # with one line under the title
LINE = 18
LEGEND = 34
CELL_WIDTH, CELL_HEIGHT = 50, 40  # wider where a number or a name is longer
CELL_GAP = 2


@dataclass(frozen=True)
class Caption:
    """What stands above a grid; ``marks`` names what is wrong with a channel, by index."""

    title: str
    subtitle: str
    marks: dict[int, str]


def draw_maps(maps: Values, caption: Caption, colors: ColorMap = viridis) -> bytes:
    """A PNG of (C, H, W) maps as tiles, each on its own scale, with its range printed.

    Small maps are enlarged by whole factors without smoothing, so that a block is a value: a
    square, except in maps so thin that they are enlarged more across. Values that are not
    finite are red.
    """
    count, height, width = maps.shape
    down, right = _factors(count, height, width)
    ranges = [finite_range(one) or (0.0, 0.0) for one in maps]
    numbers = [str(n) if count > 1 else "" for n in range(count)]
    said = [
        "  ".join(filter(None, (caption.marks.get(n), _extent(*ends))))
        for n, ends in enumerate(ranges)
    ]
    longest = max(
        text_width(f"{number}   {words}", SMALL_SIZE)
        for number, words in zip(numbers, said, strict=True)
    )
    step_right = max(width * right, longest) + GAP
    step_down = height * down + CAPTION + GAP
    columns = _columns(count, step_down / step_right)
    rows = math.ceil(count / columns)
    canvas, top = _titled(caption, rows * step_down + LEGEND, columns * step_right - GAP)
    for n, (low, high) in enumerate(ranges):
        row, column = divmod(n, columns)
        x, y = MARGIN + column * step_right, top + row * step_down
        tile = _colored(maps[n], low, high, colors).repeat(down, axis=0).repeat(right, axis=1)
        canvas.paste(tile, x, y + CAPTION)
        canvas.text(numbers[n], x, y, SMALL_SIZE)
        if n in caption.marks:
            canvas.frame(x, y + CAPTION, width * right, height * down, ALARM)
        color = ALARM if n in caption.marks else FAINT
        if longest > width * right:  # flush right it would stand beside the next tile's number
            canvas.text(
                said[n], x + text_width(f"{numbers[n]}   ", SMALL_SIZE), y, SMALL_SIZE, color
            )
        else:
            canvas.text(said[n], x + width * right, y, SMALL_SIZE, color, "ra")
    ends = ("each map’s smallest value", "its largest") if count > 1 else _ends(*ranges[0])
    _legend(canvas, top + rows * step_down, ends, colors)
    return canvas.png()


def draw_values(values: Values, caption: Caption, names: tuple[str, ...] = ()) -> bytes:
    """A PNG of (C,) numbers as coloured cells on one scale, each with its number printed.

    ``names`` stand in place of the channels' numbers. Values that are not finite are red.
    """
    count = len(values)
    labels = names or tuple(map(str, range(count)))
    numbers = [short(float(value)) for value in values]
    needed = max(
        *(text_width(label, SMALL_SIZE) for label in labels),
        *(text_width(number, TEXT_SIZE) for number in numbers),
    )
    cell_width = max(CELL_WIDTH, needed + 8)
    step_right, step_down = cell_width + CELL_GAP, CELL_HEIGHT + CELL_GAP
    ideal = math.sqrt(count * 1.7 * step_down / step_right)
    columns = _divisor_near(count, ideal) if count > 12 else count
    rows = math.ceil(count / columns)
    canvas, top = _titled(caption, rows * step_down + GAP + LEGEND, columns * step_right - CELL_GAP)
    low, high = finite_range(values) or (0.0, 0.0)
    colors = _colored(values, low, high, viridis)
    for n, number in enumerate(numbers):
        row, column = divmod(n, columns)
        x, y = MARGIN + column * step_right, top + row * step_down
        red, green, blue = colors[n].tolist()
        canvas.box(x, y, cell_width, CELL_HEIGHT, (red, green, blue))
        ink = legible_on((red, green, blue))
        canvas.text(labels[n], x + 4, y + 3, SMALL_SIZE, ink)
        canvas.text(number, x + cell_width - 4, y + CELL_HEIGHT - 17, color=ink, anchor="ra")
    _legend(canvas, top + rows * step_down + GAP, _ends(low, high), viridis)
    return canvas.png()


def _factors(count: int, height: int, width: int) -> tuple[int, int]:
    """By how much each value is enlarged, down and to the right."""
    side = LARGE_TILE_SIDE if count <= FEW else TILE_SIDE
    factor = max(1, round(side / max(height, width)))
    return max(factor, THINNEST // height), max(factor, THINNEST // width)


def _colored(values: Values, low: float, high: float, colors: ColorMap) -> NDArray[np.uint8]:
    """RGB (…, 3) of ``values`` on the scale from ``low`` to ``high``."""
    colored = colors(to_levels(values, low, high))
    colored[~np.isfinite(values)] = ALARM
    return colored


def _extent(low: float, high: float) -> str:
    """What stands above a tile: its range, or its one value."""
    return f"{short(low)} to {short(high)}" if high > low else short(low)


def _ends(low: float, high: float) -> tuple[str, str]:
    """What the ends of the one scale of a picture stand for; no scale where all is one value."""
    return (short(low), short(high)) if high > low else ("", "")


def _titled(caption: Caption, height: int, width: int) -> tuple[Canvas, int]:
    """A canvas for ``height`` x ``width`` pixels below a title, and where these begin."""
    width = max(width, text_width(caption.title, TITLE_SIZE), 370)
    lines = _wrapped(caption.subtitle, width)
    width = max(width, *(text_width(line, TEXT_SIZE) for line in lines))
    top = HEADER + (len(lines) - 1) * LINE
    canvas = Canvas(top + height + MARGIN // 2, width + 2 * MARGIN)
    canvas.text(caption.title, MARGIN, 10, TITLE_SIZE)
    for n, line in enumerate(lines):
        canvas.text(line, MARGIN, 34 + n * LINE, color=FAINT)
    return canvas, top


def _wrapped(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` pixels, broken between words."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer, TEXT_SIZE) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _legend(canvas: Canvas, y: int, ends: tuple[str, str], colors: ColorMap) -> None:
    """The colour map from left to right between two words; nothing without words."""
    low, high = ends
    if not low:
        return
    x = MARGIN
    canvas.text(low, x, y + 12, SMALL_SIZE, FAINT, "lm")
    x += text_width(low, SMALL_SIZE) + 8
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis, ::2].repeat(10, axis=0)
    canvas.paste(colors(ramp), x, y + 7)
    canvas.text(high, x + ramp.shape[1] + 8, y + 12, SMALL_SIZE, FAINT, "lm")


def _columns(count: int, step_ratio: float) -> int:
    """Columns that make the sheet about 4:3, and leave the last row as full as can be."""
    ideal = math.sqrt(count * 4 / 3 * step_ratio)
    return _divisor_near(count, ideal)


def _divisor_near(count: int, ideal: float) -> int:
    """The divisor of ``count`` nearest to ``ideal``; where none is near, ``ideal`` rounded."""
    near = [n for n in range(1, count + 1) if count % n == 0 and 0.6 <= n / ideal <= 1.6]
    return min(near, key=lambda n: abs(n - ideal), default=min(count, max(1, round(ideal))))
