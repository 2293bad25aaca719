"""A number per channel: cells with the numbers in them, or, of many, a compact grid of colours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import ALARM, FAINT, MARGIN, RULE, SMALL_SIZE, TEXT_SIZE, legible_on
from cnnviz.render.layout import counted, divisor_near
from cnnviz.render.lettering import shortened, text_width
from cnnviz.render.levels import short
from cnnviz.render.look import Look
from cnnviz.render.scales import scaling
from cnnviz.render.sheet import Caption, Note, legend_notes, open_sheet, part_shown
from cnnviz.render.tiles import colored_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.sheet import Item

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]

CELL_WIDTH, CELL_HEIGHT = 50, 40  # wider where a number or a name is longer
CELL_GAP = 2
MOST_CELLS = 256  # beyond which nobody reads the numbers
SIDES = (20, 16, 12, 8, 6, 4, 3, 2, 1)  # of a cell without a number
WIDEST = 1600
NAMED = 5  # of the largest values
LONGEST_NAME = 220  # pixels


def draw_values(
    values: Values,
    caption: Caption,
    names: Sequence[str] = (),
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
) -> bytes:
    """A PNG of (C,) numbers as coloured cells on one scale.

    Up to 256 have their number printed, and ``names``, one each, in place of the channels'
    numbers. More are cells without words, and the largest values are named below. Values that
    are not finite have a colour of their own. ``channels`` and ``total`` as in ``draw_maps``.
    """
    look = look or Look("layer")
    numbers = range(len(values)) if channels is None else channels
    labels = [shortened(name, LONGEST_NAME, SMALL_SIZE) for name in names]
    labels = labels or [str(number) for number in numbers]
    scale = scaling(values[np.newaxis], look)
    marks = [caption.marks.get(number, "") for number in numbers]
    cells = len(values) <= MOST_CELLS
    notes = part_shown(len(values), total, caption), "" if cells else _largest(values, labels)
    dead = 0 if cells else sum(mark.startswith("dead") for mark in marks)
    framed = [mark for mark in marks if cells or not mark.startswith("dead")]
    legend = legend_notes(
        scale.ends,
        look.colors,
        *notes,
        whole=scale.whole,
        flat=scale.flat,
        marked=counted(framed, signs=False),
    )
    legend[1:1] = [Note(f"{dead:,} dead", fill=RULE)] if dead else []
    colors = colored_values(values, *scale.limits[0], look.colors)
    drawn = _Drawn(values, colors, labels, marks, caption, legend)
    return _cells(drawn) if cells else _compact(drawn)


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of (C,) values: ``colors`` (C, 3), a label and a mark each, what is around."""

    values: Values
    colors: Pixels
    labels: list[str]
    marks: list[str]
    caption: Caption
    legend: list[Item]


def _cells(drawn: _Drawn) -> bytes:
    count = len(drawn.values)
    numbers = [short(float(value)) for value in drawn.values]
    needed = max(
        *(text_width(label, SMALL_SIZE) for label in drawn.labels),
        *(text_width(number, TEXT_SIZE) for number in numbers),
    )
    cell_width = max(CELL_WIDTH, needed + 8)
    step_right, step_down = cell_width + CELL_GAP, CELL_HEIGHT + CELL_GAP
    ideal = math.sqrt(count * 1.7 * step_down / step_right)
    columns = divisor_near(count, ideal) if count > 12 else max(1, min(count, WIDEST // step_right))
    rows = math.ceil(count / columns)
    width, height = columns * step_right - CELL_GAP, rows * step_down + 8
    canvas, top = open_sheet(drawn.caption, height, width, drawn.legend)
    for n, number in enumerate(numbers):
        row, column = divmod(n, columns)
        x, y = MARGIN + column * step_right, top + row * step_down
        red, green, blue = drawn.colors[n].tolist()
        canvas.box(x, y, cell_width, CELL_HEIGHT, (red, green, blue))
        ink = legible_on((red, green, blue))
        canvas.text(drawn.labels[n], x + 4, y + 3, SMALL_SIZE, ink)
        canvas.text(number, x + cell_width - 4, y + CELL_HEIGHT - 17, color=ink, anchor="ra")
        if drawn.marks[n]:  # inside: the next cell is too near
            canvas.frame(x + 2, y + 2, cell_width - 4, CELL_HEIGHT - 4, ALARM)
    return canvas.png()


def _compact(drawn: _Drawn) -> bytes:
    """Rows of cells without words; at the left the number of each row's first."""
    count, marks = len(drawn.values), drawn.marks
    columns = divisor_near(count, math.sqrt(count * 1.7))
    rows = math.ceil(count / columns)
    side = next((side for side in SIDES if columns * (side + 1) <= WIDEST), 1)
    gap = 1 if side > 3 else 0
    step = side + gap
    left = text_width(str(count), SMALL_SIZE) + 8
    every = max(1, math.ceil(14 / step))
    width, height = left + columns * step, 18 + rows * step + 6
    canvas, top = open_sheet(drawn.caption, height, width, drawn.legend)
    pixels = drawn.colors.copy()
    pixels[[mark.startswith("dead") for mark in marks]] = RULE
    for n in range(count):
        row, column = divmod(n, columns)
        x, y = MARGIN + left + column * step, top + 18 + row * step
        canvas.pixels[y : y + side, x : x + side] = pixels[n]
        if marks[n] and not marks[n].startswith("dead") and side > 3:
            canvas.frame(x + 1, y + 1, side - 2, side - 2, ALARM, 1)
    for row in range(0, rows, every):
        middle = top + 18 + row * step + side / 2
        canvas.text(str(row * columns), MARGIN + left - 8, middle, SMALL_SIZE, FAINT, "rm")
    for column in range(0, columns, max(1, math.ceil(40 / step))):
        middle = MARGIN + left + column * step + side / 2
        canvas.text(f"+{column}", middle, top, SMALL_SIZE, FAINT, "ma")
    return canvas.png()


def _largest(values: Values, labels: list[str]) -> str:
    """The names and numbers of the largest values."""
    finite = np.flatnonzero(np.isfinite(values))
    best = finite[np.argsort(-values[finite], kind="stable")][:NAMED]
    said = ", ".join(f"{labels[n]}: {short(float(values[n]))}" for n in best)
    return f"largest: {said}" if said else "no finite value"
