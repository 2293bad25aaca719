"""Matrices as text: aligned, beside each other, cut where they are too large."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.matrices import number_texts
from cnnviz.shapes.table import columns_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cnnviz.matrices import Matrix

Paint = Callable[[str, str], str]
"""Gives a text the look of its role, such as input, weight or result."""

MOST_SHOWN = 24  # rows, and columns
# How the cells stand out that are marked in a matrix of a role.
MARKED = {
    "input": "window",
    "result": "here",
    "moved": "wrong",
}
LINE = 100  # characters
BLANK = "____"
GAP = 4


class Block(NamedTuple):
    """A title and lines below it; ``width`` is that of the longest, colours not counted."""

    title: str
    lines: tuple[str, ...]
    width: int


def plain(text: str, _: str) -> str:
    """The text as it is."""
    return text


def texts_of(matrix: Matrix) -> list[list[str]]:
    """The numbers of a matrix in one style, row by row."""
    texts = iter(number_texts([value for row in matrix for value in row]))
    return [[next(texts) for _ in row] for row in matrix]


def blanks(height: int, width: int) -> list[list[str]]:
    """Cells to be filled in."""
    return [[BLANK] * width for _ in range(height)]


def block(
    title: str,
    texts: Sequence[Sequence[str]],
    paint: Paint,
    role: str,
    marked: Collection[tuple[int, int]] = (),
) -> Block:
    """A matrix beneath its title; ``marked`` cells stand out, an ellipsis ends large ones."""
    width = max(len(text) for row in texts[:MOST_SHOWN] for text in row[:MOST_SHOWN])
    columns = min(MOST_SHOWN, max(1, LINE // (width + 1)))
    shown = [list(row[:columns]) for row in texts[:MOST_SHOWN]]
    more = len(texts[0]) > columns
    lines = [
        " ".join(
            paint(text.rjust(width), MARKED.get(role, role) if (r, c) in marked else role)
            for c, text in enumerate(row)
        )
        + (" …" if more else "")
        for r, row in enumerate(shown)
    ]
    long = (width + 1) * len(shown[0]) - 1 + 2 * more
    if len(texts) > MOST_SHOWN:
        lines.append("…")
    return Block(title, tuple(lines), max(long, columns_of(title)))


def beside(blocks: Iterable[Block], paint: Paint, indent: int = 2, width: int = LINE) -> list[str]:
    """Lines of blocks from left to right, as many as a line of that ``width`` holds."""
    lines: list[str] = []
    row: list[Block] = []
    for each in (*blocks, None):
        used = sum(b.width + GAP for b in row)
        if row and (each is None or used + each.width > width - indent):
            lines += ([""] if lines else []) + _joined(row, paint, indent)
            row = []
        if each is not None:
            row.append(each)
    return lines


def _joined(row: list[Block], paint: Paint, indent: int) -> list[str]:
    height = max(len(each.lines) for each in row)
    lines = []
    for number in range(-1, height):
        cells = []
        for each in row:
            text = each.title if number < 0 else "".join(each.lines[number : number + 1])
            seen = _length(text)
            painted = paint(text, "title") if number < 0 else text
            cells.append(painted + " " * (each.width - seen + GAP))
        lines.append((" " * indent + "".join(cells)).rstrip())
    return lines


def _length(text: str) -> int:
    """Columns that are seen: colours are not."""
    shown, hidden = [], False
    for char in text:
        hidden = hidden or char == "\x1b"
        shown += [] if hidden else [char]
        hidden = hidden and char != "m"
    return columns_of("".join(shown))


def wrapped(parts: Sequence[str], first: str, further: str, width: int = LINE) -> list[str]:
    """Parts one after another on lines that begin with ``first``, then with ``further``."""
    lines, line = [], first
    for part in parts:
        if (
            line.strip()
            and _length(line) + 1 + _length(part) > width
            and line not in {first, further}
        ):
            lines.append(line)
            line = further
        line += part if line in {first, further} else f" {part}"
    return [*lines, line]
