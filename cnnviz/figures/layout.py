"""Where each panel of a figure stands, in inches: sizes in, places out, nothing drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 40 / 3
HEIGHT, TALLEST = 7.5, 10.0  # a slide of 16:9; or of 4:3, where that is worth it
WORTH = 1.15
COLOR_BAR = 0.95  # with its numbers
MARGIN = 0.35
GAP = 0.2
LEFT, BELOW = 0.5, 0.4  # room for the numbers of rows, and of columns
TITLE, LINE = 0.36, 0.22  # heights of a panel's title, and of a line of text under it
TEXT_WIDTH = 1.4  # what a panel's words need at least


@dataclass(frozen=True)
class Demand:
    """What a panel asks for: width over height of what it draws, lines of text, a room beside it.

    ``lowest`` and ``highest`` are the heights between which it can be read and does not shout.
    """

    aspect: float
    lines: int = 1
    right: float = 0.0
    lowest: float = 0.0
    highest: float = inf

    def height(self, scale: float) -> float:
        """Of the drawing, in a figure whose pictures are ``scale`` high."""
        return max(min(scale, self.highest), self.lowest)

    def width(self, scale: float) -> float:
        """Of the whole panel."""
        return LEFT + max(self.aspect * self.height(scale) + self.right, TEXT_WIDTH)


@dataclass(frozen=True)
class Place:
    """Where a panel's drawing stands: its lower left corner and its size.

    Its words begin at ``top``, above it, and may be ``text_width`` wide.
    """

    x: float
    y: float
    width: float
    height: float
    top: float
    text_width: float


Rows = list[list[int]]


def arrange(
    demands: Sequence[Demand], sources: int, *, top: float, bottom: float
) -> tuple[float, list[Place]]:
    """The figure's height, and a place for each panel, with the pictures as large as can be.

    The first ``sources`` panels (input and kernels) begin the figure; they share no row with the
    others, unless all stand in one. ``top`` and ``bottom`` are kept free for words.
    """
    every = list(range(len(demands)))
    choices = [
        [every],
        [every[:sources], every[sources:]],
        [every[:sources], *([n] for n in every[sources:])],
    ]

    def best(height: float) -> tuple[float, Rows]:
        room = height - top - bottom
        return max(((_scale(demands, rows, room), rows) for rows in choices), key=lambda x: x[0])

    scale, rows = best(HEIGHT)
    larger = best(TALLEST)
    if larger[0] * HEIGHT / TALLEST > WORTH * scale:  # on a slide of 16:9 it is made smaller
        scale, rows = larger
    height = top + bottom + sum(_row_height(demands, row, scale) for row in rows)
    height = round(height, 2)  # of a whole number of pixels, where it is that of a slide
    return height, _placed(demands, rows, scale, height - top)


def within(place: Place, aspect: float) -> Place:
    """The largest place of that ``aspect`` in the upper left of ``place``."""
    width = min(place.width, place.height * aspect)
    height = min(place.height, place.width / aspect)
    return replace(place, y=place.y + place.height - height, width=width, height=height)


def _scale(demands: Sequence[Demand], rows: Rows, room: float) -> float:
    """How high pictures can be in these rows: found by halving; 0 where they have no room."""

    def fits(scale: float) -> bool:
        wide = max(_row_width(demands, row, scale) for row in rows)
        high = sum(_row_height(demands, row, scale) for row in rows)
        return wide <= WIDTH - 2 * MARGIN and high <= room

    low, high = 0.0, TALLEST
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _row_width(demands: Sequence[Demand], row: list[int], scale: float) -> float:
    return sum(demands[n].width(scale) for n in row) + GAP * (len(row) - 1)


def _words_height(demands: Sequence[Demand], row: list[int]) -> float:
    return TITLE + LINE * max(demands[n].lines for n in row)


def _row_height(demands: Sequence[Demand], row: list[int], scale: float) -> float:
    return _words_height(demands, row) + max(demands[n].height(scale) for n in row) + BELOW


def _placed(demands: Sequence[Demand], rows: Rows, scale: float, y: float) -> list[Place]:
    """Rows from ``y`` downwards: two in the middle; more stand in line, one below the other."""
    places = {}
    widths = [_row_width(demands, row, scale) for row in rows]
    for row, wide in zip(rows, widths, strict=True):
        x = (WIDTH - (wide if len(rows) == 2 else max(widths))) / 2
        head = y - _words_height(demands, row)
        for n in row:
            height = demands[n].height(scale)
            whole = demands[n].width(scale)
            reach = whole if n != row[-1] else WIDTH - MARGIN - x - LEFT
            width = demands[n].aspect * height
            places[n] = Place(x + LEFT, head - height, width, height, y, reach)
            x += whole + GAP
        y -= _row_height(demands, row, scale)
    return [places[n] for n in sorted(places)]
