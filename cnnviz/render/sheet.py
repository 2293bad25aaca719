"""What stands around the tiles of a sheet: title, subtitle, and a legend that wraps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.render import colors
from cnnviz.render.canvas import (
    ALARM,
    FAINT,
    INK,
    MARGIN,
    RULE,
    SMALL_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    Canvas,
)
from cnnviz.render.lettering import legible, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnviz.render.canvas import Color

NARROWEST = 420
LONGEST_TITLE = 900  # pixels, from which on it is broken
TITLE_LINE, LINE, LEGEND_LINE = 24, 18, 22
SAMPLE = 10  # the side of a colour beside its meaning
RAMP = 128
APART = 22  # between two things in the legend


@dataclass(frozen=True)
class Caption:
    """What stands above a grid.

    ``marks`` names what is wrong with a channel, by its number; ``choice`` says how the channels
    were chosen where not all of a layer's are shown: "the most active".
    """

    title: str
    subtitle: str = ""
    marks: dict[int, str] = field(default_factory=dict)
    choice: str = ""


@dataclass(frozen=True)
class Note:
    """Words in a legend, after a sample of a colour or a frame if there is one."""

    text: str
    fill: Color | None = None
    frame: Color | None = None

    @property
    def width(self) -> int:
        """In pixels."""
        return text_width(self.text, SMALL_SIZE) + (SAMPLE + 8 if self.fill or self.frame else 0)

    def draw(self, canvas: Canvas, x: int, y: int) -> None:
        """At ``x``, with its middle at ``y``."""
        if self.frame:
            canvas.frame(x + 2, y - 3, SAMPLE - 4, SAMPLE - 4, self.frame)
        elif self.fill:
            canvas.box(x, y - SAMPLE // 2, SAMPLE, SAMPLE, self.fill)
        left = x + SAMPLE + 8 if self.fill or self.frame else x
        canvas.text(self.text, left, y, SMALL_SIZE, FAINT, "lm")


@dataclass(frozen=True)
class Ramp:
    """The colour map from left to right between what its ends, and its middle, stand for."""

    ends: tuple[str, ...]
    cmap: str

    @property
    def _right(self) -> str:
        return f"{self.ends[2]}, middle {self.ends[1]}" if len(self.ends) == 3 else self.ends[1]

    @property
    def width(self) -> int:
        """In pixels."""
        left, right = (text_width(word, SMALL_SIZE) for word in (self.ends[0], self._right))
        return left + 8 + RAMP + 8 + right

    def draw(self, canvas: Canvas, x: int, y: int) -> None:
        """At ``x``, with its middle at ``y``."""
        canvas.text(self.ends[0], x, y, SMALL_SIZE, FAINT, "lm")
        x += text_width(self.ends[0], SMALL_SIZE) + 8
        ramp = np.linspace(0, 255, RAMP).round().astype(np.uint8)
        canvas.paste(colors.colored(ramp[np.newaxis].repeat(10, axis=0), self.cmap), x, y - 5)
        if len(self.ends) == 3:
            canvas.box(x + RAMP // 2, y - 9, 1, 3, INK)
            canvas.box(x + RAMP // 2, y + 6, 1, 3, INK)
        canvas.text(self._right, x + RAMP + 8, y, SMALL_SIZE, FAINT, "lm")


Item = Note | Ramp


def legend_notes(
    ends: tuple[str, ...],
    cmap: str,
    *notes: str,
    whole: bool = True,
    flat: bool = False,
    marked: str = "",
) -> list[Item]:
    """The legend's items: the colour bar if it has ends, what the signs mean, and notes."""
    items: list[Item] = [Ramp(ends, cmap)] if ends else []
    if not whole:
        items.append(Note("NaN or infinite", fill=colors.not_finite(cmap)))
    if flat:
        items.append(Note("all values equal", fill=RULE))
    if marked:
        items.append(Note(marked, frame=ALARM))
    return items + [Note(note) for note in notes if note]


def part_shown(shown: int, total: int | None, caption: Caption, what: str = "channels") -> str:
    """Of how many the sheet shows how many, and which; nothing where it shows all."""
    if total is None or total <= shown:
        return ""
    return ", ".join(filter(None, [f"{shown:,} of {total:,} {what}", caption.choice]))


def open_sheet(
    caption: Caption, height: int, width: int, legend: Sequence[Item], least: int = NARROWEST
) -> tuple[Canvas, int]:
    """A canvas with ``height`` x ``width`` pixels between its title and its legend.

    The second value is the row where these pixels begin.
    """
    title_width = text_width(legible(caption.title)[:400], TITLE_SIZE)
    widest_item = max((item.width for item in legend), default=0)
    width = max(width, min(title_width, LONGEST_TITLE), widest_item, least)
    titles = wrapped(caption.title, width, TITLE_SIZE)
    lines = wrapped(caption.subtitle, width, TEXT_SIZE) if caption.subtitle else []
    top = 10 + len(titles) * TITLE_LINE + len(lines) * LINE + 6
    rows = list(_rows(legend, width))
    tall = top + height + (len(rows) * LEGEND_LINE + 8 if rows else 0) + MARGIN // 2
    canvas = Canvas(tall, width + 2 * MARGIN)
    for n, line in enumerate(titles):
        canvas.text(line, MARGIN, 10 + n * TITLE_LINE, TITLE_SIZE)
    for n, line in enumerate(lines):
        canvas.text(line, MARGIN, 10 + len(titles) * TITLE_LINE + n * LINE, color=FAINT)
    for n, row in enumerate(rows):
        x = MARGIN
        for item in row:
            item.draw(canvas, x, top + height + 4 + n * LEGEND_LINE + LEGEND_LINE // 2)
            x += item.width + APART
    return canvas, top


def _rows(items: Iterable[Item], width: int) -> Iterable[list[Item]]:
    """The items in rows of at most ``width`` pixels."""
    row: list[Item] = []
    used = 0
    for item in items:
        if row and used + item.width > width:
            yield row
            row, used = [], 0
        row.append(item)
        used += item.width + APART
    if row:
        yield row
