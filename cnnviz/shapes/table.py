"""Tables and lists of figures as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

KIB = 1024
NAMES = 16  # columns


def table_text(rows: Sequence[Sequence[str]], numbers: Collection[int]) -> str:
    """Rows with their columns below each other; those of ``numbers`` end at the right."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths, numbers) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int], numbers: Collection[int]) -> str:
    cells = []
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        gap = " " * (width - columns_of(cell))
        cells.append(gap + cell if column in numbers else cell + gap)
    return ("  " + "  ".join(cells)).rstrip()


def columns_of(text: str) -> int:
    """Columns that a terminal takes for it: two for a Korean syllable."""
    if text.isascii():
        return len(text)
    from unicodedata import (  # in a file of its own: only when needed
        combining,
        east_asian_width,
    )

    columns = (0 if combining(each) else 1 + (east_asian_width(each) in "WF") for each in text)
    return sum(columns)


def lines_text(rows: Sequence[tuple[str, str]], indent: int = 2) -> str:
    """Rows of a name and what there is to say of it."""
    gaps = (" " * (NAMES - columns_of(name)) for name, _ in rows)
    lines = zip(rows, gaps, strict=True)
    return "\n".join(f"{' ' * indent}{name}{gap} {text}" for (name, text), gap in lines)


def bytes_text(count: int) -> str:
    """A number of bytes in the largest unit that leaves at least 1 before the point."""
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= KIB and len(units) > 1:
        value, units = value / KIB, units[1:]
    return f"{count} B" if count < KIB else f"{value:,.1f} {units[0]}"
