"""Rows of small pictures: of each channel, the parts of images that excite it most."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import ALARM, FAINT, MARGIN, SMALL_SIZE
from cnnviz.render.layout import columns_of
from cnnviz.render.lettering import shortened, text_width
from cnnviz.render.sheet import Caption, Note, open_sheet
from cnnviz.render.tiles import resized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.canvas import Canvas

    Pixels = NDArray[np.uint8]

SIDE = 84  # pixels of the longer side of a picture
BEYOND = (190, 212, 242)  # what an image has no pixels for; a gray might be the image's
LINE, GAP, APART, BETWEEN = 16, 6, 14, 36


@dataclass(frozen=True)
class PatchRow:
    """A channel: its number and name, what is wrong with it, and pictures with two lines below.

    Pictures are RGB (h, w, 3), all of one size.
    """

    name: str
    mark: str
    patches: Sequence[tuple[Pixels, str, str]]


def framed(picture: Pixels, height: int, width: int, down: int, across: int) -> Pixels:
    """A picture in a pale blue frame of that size, at (``down``, ``across``)."""
    whole = np.full((height, width, 3), BEYOND, np.uint8)
    whole[down : down + len(picture), across : across + picture.shape[1]] = picture
    return whole


def at_size(picture: Pixels) -> Pixels:
    """The picture enlarged by a whole factor, or shrunk, to about 84 pixels."""
    longest = max(picture.shape[:2])
    if longest <= SIDE:
        factor = max(1, round(SIDE / longest))
        return picture.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = (max(1, round(side * SIDE / longest)) for side in picture.shape[:2])
    return resized(picture, height, width)


def draw_patches(caption: Caption, rows: Sequence[PatchRow], notes: Sequence[str] = ()) -> bytes:
    """A PNG of rows of pictures, in as many columns as make a good sheet."""
    tall = max((p.shape[0] for row in rows for p, *_ in row.patches), default=LINE)
    wide = max((p.shape[1] for row in rows for p, *_ in row.patches), default=SIDE)
    step = max(wide, 60) + GAP
    count = max((len(row.patches) for row in rows), default=1)
    head = max(text_width(f"{row.name}  {row.mark}", SMALL_SIZE) for row in rows)
    right, down = max(count * step - GAP, head) + BETWEEN, tall + 3 * LINE + APART
    columns = columns_of(len(rows), down / right)
    lines = ceil(len(rows) / columns)
    legend = [Note(note) for note in notes]
    canvas, top = open_sheet(caption, lines * down, columns * right - BETWEEN, legend)
    for n, row in enumerate(rows):
        column, line = divmod(n, lines)
        _draw(canvas, row, MARGIN + column * right, top + line * down, tall, step)
    return canvas.png()


def _draw(canvas: Canvas, row: PatchRow, x: int, y: int, tall: int, step: int) -> None:
    canvas.text(row.name, x, y, SMALL_SIZE)
    if row.mark:
        canvas.text(row.mark, x + text_width(f"{row.name}  ", SMALL_SIZE), y, SMALL_SIZE, ALARM)
    if not row.patches:
        canvas.text("nothing excited it", x, y + LINE + 2, SMALL_SIZE, FAINT)
    for n, (picture, value, name) in enumerate(row.patches):
        left = x + n * step
        canvas.paste(picture, left, y + LINE + 2)
        below = y + LINE + tall + 4
        canvas.text(value, left, below, SMALL_SIZE)
        said = shortened(name, step - GAP, SMALL_SIZE)
        canvas.text(said, left, below + LINE - 1, SMALL_SIZE, FAINT)


def blank(height: int, width: int) -> Any:
    """A pale blue picture, in place of one that is not there any more."""
    return np.full((height, width, 3), BEYOND, np.uint8)
