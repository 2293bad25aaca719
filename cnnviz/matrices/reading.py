"""Matrices from text: rows in an argument, or the lines of a file."""

from __future__ import annotations

import re
from pathlib import Path

from cnnviz.errors import ImageError, UsageError
from cnnviz.matrices.numbers import Number, parse_number

Matrix = tuple[tuple[Number, ...], ...]
Maps = tuple[Matrix, ...]

MOST_NUMBERS = 65_536
MAX_FILE_BYTES = 2_000_000
TABLES = {".csv", ".tsv", ".txt"}
BETWEEN_NUMBERS = re.compile(r"[\s,]+")
BETWEEN_ROWS = re.compile(r"[;\n]")


def parse_maps(text: str) -> Maps:
    """The channels that ``text`` holds: ``"1 2; 3 4"``, or ``"1 2; 3 4 | 5 6; 7 8"`` for two.

    Rows end with ``;`` or a line break, numbers are apart by blanks or commas.

    Raises:
        UsageError: not numbers, rows or channels of different lengths, more than 65,536 numbers.

    >>> parse_maps("1 2; 3 4 | 5,6; 7,8")
    (((1, 2), (3, 4)), ((5, 6), (7, 8)))
    """
    several = text.split("|")
    maps = tuple(
        _matrix(BETWEEN_ROWS.split(part), f"channel {number}, " if len(several) > 1 else "")
        for number, part in enumerate(several)
    )
    return alike(maps)


def is_table(text: str) -> bool:
    """Whether it is the name of a file of numbers, as ``read_maps`` reads them."""
    return Path(text).suffix.lower() in TABLES


def read_maps(path: Path) -> Maps:
    """The channels in a CSV file: a line is a row, an empty line ends a channel.

    Numbers are apart by commas, semicolons, tabs or blanks.

    Raises:
        ImageError: the file cannot be read.
        UsageError: what is in it is no matrix; the place is named.
    """
    text = _text(path).strip("\n")
    several = re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)
    try:
        return alike(
            tuple(
                _matrix(
                    part.replace(";", ",").split("\n"),
                    f"channel {number}, " if len(several) > 1 else "",
                )
                for number, part in enumerate(several)
            )
        )
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def alike(maps: Maps) -> Maps:
    """The same channels.

    Raises:
        UsageError: they differ in size, or hold more numbers than are worked on here.
    """
    for number, matrix in enumerate(maps[1:], 1):
        if (len(matrix), len(matrix[0])) != (len(maps[0]), len(maps[0][0])):
            raise UsageError(
                f"channel {number} is {len(matrix)}x{len(matrix[0])} but channel 0 is"
                f" {len(maps[0])}x{len(maps[0][0])}; channels of one input have one size"
            )
    if len(maps) * len(maps[0]) * len(maps[0][0]) > MOST_NUMBERS:
        raise UsageError(
            f"{len(maps)}x{len(maps[0])}x{len(maps[0][0])} are more than the {MOST_NUMBERS:,}"
            " numbers that are worked on one by one; take a part"
        )
    return maps


def shape_of(maps: Maps) -> tuple[int, int, int]:
    """Channels, rows, columns."""
    return len(maps), len(maps[0]), len(maps[0][0])


def _matrix(lines: list[str], where: str) -> Matrix:
    """Numbers of the lines that are not empty."""
    kept = [line.strip() for line in lines if line.strip()]
    if not kept:
        raise UsageError(f'{where}there are no numbers; write rows such as "1 2; 3 4"')
    rows = tuple(_row(line, f"{where}row {number}") for number, line in enumerate(kept))
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"{where}row {number} has {len(row)} number{'s' * (len(row) > 1)} but row 0 has"
                f" {len(rows[0])};"
                " rows of a matrix are equally long"
            )
    return rows


def _row(line: str, where: str) -> tuple[Number, ...]:
    try:
        return tuple(parse_number(text) for text in BETWEEN_NUMBERS.split(line.strip(", \t")))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            missing = "not a regular file" if path.exists() else "there is no such file"
            raise ImageError(f"{path}: {missing}; name a CSV file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes, the limit for a matrix")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None
