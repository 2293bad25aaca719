"""What a window slides over: rows, a CSV file, a part of an image, or just 1, 2, 3 and on."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnviz.errors import UsageError
from cnnviz.language import say
from cnnviz.matrices import is_table, parse_maps, read_maps
from cnnviz.matrices.numbers import exact
from cnnviz.matrices.reading import MOST_NUMBERS, alike
from cnnviz.shapes.notation import quoted, size_text
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Maps

MOST_PIXELS = 40 * 40  # of an image that is taken whole


class Region(NamedTuple):
    """A rectangle of an image; it may reach beyond the edges."""

    row: int
    column: int
    height: int
    width: int


class Source(NamedTuple):
    """An input, what to call it, and how many pixels of padding a region had beyond each edge.

    ``outside`` is ((above, below), (left, right)); ``white`` is an image's brightest value.
    """

    maps: Maps
    title: str
    outside: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    white: int = 0


def counted(height: int, width: int) -> Source:
    """The numbers 1, 2, 3 … row by row.

    >>> counted(2, 3).maps
    (((1, 2, 3), (4, 5, 6)),)
    """
    rows = (tuple(range(row * width + 1, (row + 1) * width + 1)) for row in range(height))
    if height * width > MOST_NUMBERS:
        raise UsageError(f"{height}x{width} are more than {MOST_NUMBERS:,} numbers; take fewer")
    return Source((tuple(rows),), "")


def read_source(
    files: Sequence[str],
    rows: Sequence[str],
    region: Region | None = None,
    *,
    gray: bool = False,
) -> Source:
    """The channels of all files and rows, one after another.

    ``region`` is the part of an image to take; ``gray`` takes its brightness.

    Raises:
        UsageError: rows that are none, channels of different sizes, an image that is too large
            to be taken whole, a region outside it.
        ImageError: a file that cannot be read.
    """
    tables = [name for name in (*files, *rows) if is_table(name)]
    images = [name for name in files if name not in tables]
    if images:
        if len(files) + len(rows) > 1:
            raise UsageError("an image is an input by itself; name one image, or rows alone")
        return _picture(images[0], region, gray=gray)
    if region is not None or gray:
        raise UsageError("--at, --region and --channels gray are for images; the input is rows")
    several = [read_maps(Path(text)) if text in tables else _rows(text) for text in (*files, *rows)]
    return Source(alike(tuple(matrix for maps in several for matrix in maps)), "")


def _rows(text: str) -> Maps:
    try:
        return parse_maps(text)
    except UsageError as error:
        raise UsageError(f"input: {error}") from None


def _picture(name: str, region: Region | None, *, gray: bool) -> Source:
    from cnnviz.images import luminance, read_image  # numpy and Pillow: only for images

    pixels = read_image(name).pixels
    if gray:
        pixels = luminance(pixels)
    height, width = pixels.shape[:2]
    if region is None and height * width > MOST_PIXELS:
        raise UsageError(
            f"{name} is {height}x{width}, too many pixels to show one by one; take a part:"
            f" --region {height // 2},{width // 2},8x8, or one window: --at"
            f" {height // 2},{width // 2}"
        )
    region = region or Region(0, 0, height, width)
    kept, outside = _clipped(region, height, width)
    if not kept.height or not kept.width or kept.height * kept.width > MOST_NUMBERS:
        raise UsageError(
            f"{name} is {height}x{width}, and from row {region.row}, column {region.column} on"
            f" there are no {region.height}x{region.width} pixels of it to be shown; rows end at"
            f" {height - 1}, columns at {width - 1}"
        )
    part = pixels[kept.row : kept.row + kept.height, kept.column : kept.column + kept.width]
    piped = name == str(STANDARD_STREAM)
    title = say("standard input") if piped else name
    if region != (0, 0, height, width):
        title = f"{title}, {_place(kept)}"
    white = {"u": 256**part.dtype.itemsize - 1}.get(part.dtype.kind, 1)
    return Source(_as_maps(part, "standard input" if piped else name), title, outside, white)


def _clipped(region: Region, height: int, width: int) -> tuple[Region, Any]:
    """The part of a region that is inside an image, and how far it reaches beyond each edge."""
    spans, beyond = [], []
    for start, length, size in (
        (region.row, region.height, height),
        (region.column, region.width, width),
    ):
        first, end = max(0, start), min(size, start + length)
        spans.append((first, max(0, end - first)))
        beyond.append((first - start, start + length - end))
    (row, rows), (column, columns) = spans
    return Region(row, column, rows, columns), tuple(beyond)


def _as_maps(part: Any, name: str) -> Maps:
    """(H, W, C) pixels as exact numbers."""
    import numpy as np

    if not np.isfinite(part).all():
        raise UsageError(f"{name}: a pixel of that part is no finite number; take another part")
    number: Any = int if part.dtype.kind == "u" else lambda x: exact(Fraction(x))
    return tuple(
        tuple(tuple(map(number, row)) for row in part[:, :, channel].tolist())
        for channel in range(part.shape[2])
    )


def _place(region: Region) -> str:
    return say(
        "rows {top} to {low}, columns {left} to {right}",
        top=region.row,
        low=region.row + region.height - 1,
        left=region.column,
        right=region.column + region.width - 1,
    )


def region_of(text: str) -> Region:
    """The region that ``ROW,COL,HxW`` names.

    Raises:
        UsageError: not of that form.

    >>> region_of("120,80,6x8")
    Region(row=120, column=80, height=6, width=8)
    """
    match = re.fullmatch(
        r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*([1-9]\d{0,4})[xX×]([1-9]\d{0,4})\s*", text, re.ASCII
    )
    if not match:
        raise UsageError(
            f"{quoted(text)} is not ROW,COL,HEIGHTxWIDTH; the upper left pixel and the size,"
            " such as 120,80,6x8"
        )
    return Region(*map(int, match.groups()))


def around(row: int, column: int, kernel: tuple[int, int], dilation: tuple[int, int]) -> Region:
    """What a kernel reads whose middle lies on (row, column); the anchor is OpenCV's, k // 2."""
    (rows, columns), (down, right) = kernel, dilation
    return Region(
        row - down * (rows // 2),
        column - right * (columns // 2),
        down * (rows - 1) + 1,
        right * (columns - 1) + 1,
    )


def shown_size(maps: Maps) -> str:
    """``5x5``, or with several channels ``3x5x5``."""
    shape = (len(maps), len(maps[0]), len(maps[0][0]))
    return size_text(shape if shape[0] > 1 else shape[1:])
