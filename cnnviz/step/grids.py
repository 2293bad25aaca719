"""Matrices as grids of cells with their numbers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import UsageError
from cnnviz.step.marks import INK, PAPER, Cell, words
from cnnviz.step.painting import text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.step.marks import Mark

BETWEEN = 44.0  # grids of a stack; their labels stand there
LARGEST_CELL, SMALLEST_CELL = 88.0, 7.0
COMFORTABLE, SMALL = 44.0, 150.0  # cells of matrices no wider than that keep this side
LEGIBLE = 19.0  # a cell of fewer pixels has no number
LARGEST_NUMBER, SMALLEST_NUMBER = 40.0, 11.0
MINUS = "\N{MINUS SIGN}"


class Style(NamedTuple):
    """How one cell looks."""

    fill: str = PAPER
    color: str = INK
    edge: str = "#b4b8be"
    thickness: float = 1


class Grid(NamedTuple):
    """Where a matrix of so many rows and columns lies."""

    x: float
    y: float
    cell: float
    rows: int
    columns: int

    @property
    def width(self) -> float:
        """Of all columns."""
        return self.cell * self.columns

    @property
    def height(self) -> float:
        """Of all rows."""
        return self.cell * self.rows

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return self.y + self.height / 2

    def marks(
        self, texts: Sequence[Sequence[str]], style: Callable[[int, int], Style]
    ) -> list[Mark]:
        """Cells and numbers, those with thick edges above the others."""
        texts = self.legible(texts)
        cells = [(r, c, style(r, c)) for r in range(self.rows) for c in range(self.columns)]
        cells.sort(key=lambda each: each[2].thickness)
        marks: list[Mark] = [
            Cell(*self.corner(r, c), self.cell, self.cell, s.fill, s.edge, s.thickness)
            for r, c, s in cells
        ]
        size = self.size_for([text for row in texts for text in row])
        if self.cell >= LEGIBLE:
            for r, c, s in cells:
                x, y = self.corner(r, c)
                text = typeset(texts[r][c])
                if text:
                    half = self.cell / 2
                    marks.append(words(x + half, y + half, text, size, s.color))
        return marks

    def legible(self, texts: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        """The same; long decimals in three digits, where the cells would make them too small."""
        if self.size_for([text for row in texts for text in row]) >= SMALLEST_NUMBER:
            return texts
        return [[f"{float(text):.3g}" if "." in text else text for text in row] for row in texts]

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """The upper left corner of a cell."""
        return self.x + column * self.cell, self.y + row * self.cell

    def size_for(self, texts: Sequence[str]) -> float:
        """The size at which all texts fit their cells."""
        widest = max((text_width(typeset(text), 100) for text in texts), default=1) / 100
        return round(min(LARGEST_NUMBER, 0.5 * self.cell, 0.84 * self.cell / max(widest, 0.1)), 1)


def laid_out(
    columns: Sequence[tuple[int, int, int]],
    room: tuple[float, float, float, float],
    gap: tuple[float, float] = (60.0, 120.0),
    between: float = BETWEEN,
) -> list[list[Grid]]:
    """Columns of grids from left to right, each as large as fits, in the middle of the room.

    A column is (rows, columns, how many); the room is x, y, width and height; ``gap`` the
    smallest and the largest distance between columns, ``between`` that of grids in a column.

    Raises:
        UsageError: the cells would be too small to be seen.
    """
    x, y, wide, high = room
    gaps = len(columns) - 1
    cells = _cells(columns, wide - gaps * gap[0], high, between)
    if min(cells) < SMALLEST_CELL:
        rows, across, count = columns[cells.index(min(cells))]
        raise UsageError(
            f"{count}x{rows}x{across} numbers are too much for one picture; take a part of"
            " the input, fewer kernels, or --region or --at of an image"
        )
    used = sum(cell * c[1] for cell, c in zip(cells, columns, strict=True))
    apart = min(gap[1], (wide - used) / gaps) if gaps else 0
    x += (wide - used - gaps * apart) / 2
    grids = []
    for cell, (rows, across, count) in zip(cells, columns, strict=True):
        pitch = rows * cell + between
        top = y + (high - count * pitch + between) / 2
        grids.append([Grid(x, top + n * pitch, cell, rows, across) for n in range(count)])
        x += across * cell + apart
    return grids


def _cells(
    columns: Sequence[tuple[int, int, int]], wide: float, high: float, between: float
) -> list[float]:
    """The side of each column's cells: alike, but small matrices stay legible beside large ones."""
    tallest = [min(LARGEST_CELL, (high - (n - 1) * between) / (n * rows)) for rows, _, n in columns]
    small = [COMFORTABLE if COMFORTABLE * c[1] <= SMALL else 0.0 for c in columns]
    for least in (small, [0.0] * len(columns)):
        most = max(tallest)
        while most > SMALLEST_CELL:
            cells = [min(t, max(most, few)) for t, few in zip(tallest, least, strict=True)]
            if sum(cell * c[1] for cell, c in zip(cells, columns, strict=True)) <= wide:
                return cells
            most *= 0.98
    return [0.0] * len(columns)


def typeset(text: str) -> str:
    """With the minus sign of print."""
    return text.replace("-", MINUS)


def gray(level: float) -> Style:
    """A pixel of that level, 0 black to 1 white, and a number that is legible on it."""
    value = round(255 * min(max(level, 0.0), 1.0))
    return Style(f"#{value:02x}{value:02x}{value:02x}", INK if value > 130 else PAPER)


def shaded(level: float, full: tuple[int, int, int]) -> Style:
    """From white at 0 to the colour ``full`` at 1."""
    level = min(max(level, 0.0), 1.0)
    red, green, blue = (round(255 + (f - 255) * level) for f in full)
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
    return Style(f"#{red:02x}{green:02x}{blue:02x}", PAPER if dark else INK)
