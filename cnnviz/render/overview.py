"""One picture of a whole network: the input, and a row of maps for each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cnnviz.render.bars import EMPTY, percent
from cnnviz.render.canvas import (
    ACCENT,
    ALARM,
    FAINT,
    INK,
    MARGIN,
    RULE,
    SMALL_SIZE,
    TEXT_SIZE,
    legible_on,
)
from cnnviz.render.lettering import shortened, text_width
from cnnviz.render.levels import short
from cnnviz.render.look import Look
from cnnviz.render.scales import scaling
from cnnviz.render.sheet import Caption, legend_notes, open_sheet
from cnnviz.render.tiles import colored_values, resized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.canvas import Canvas

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]

NAME_SIZE = 16
INPUT_SIDE = 300
SIDES = ((6, 112), (9, 98), (14, 84), (1000, 56))  # up to so many rows, this side of a tile
GAP, ROW_GAP, COLUMN_GAP = 8, 12, 28
PREDICTION = 40  # pixels down
NUMBER = 16  # a line of small text
LONGEST_NAME = 260


@dataclass(frozen=True)
class OverviewRow:
    """One layer: ``maps`` (k, h, w) of the ``channels`` shown; ``note`` is in red.

    ``limits`` are the maps' scales, where these are not to be found from the maps. A row without
    a name belongs to the one above it.
    """

    name: str
    type: str
    shape: str
    maps: Values
    channels: Sequence[int]
    note: str = ""
    limits: Sequence[tuple[float, float]] = ()


def draw_overview(
    caption: Caption,
    picture: Pixels,
    rows: Sequence[OverviewRow],
    look: Look | None = None,
    predictions: Sequence[tuple[str, float]] = (),
) -> bytes:
    """A PNG with the input (H, W, 3) at the left, and right of it a row of tiles per layer.

    All tiles are equally high: small maps are enlarged without smoothing, large ones shrunk to
    means. Each map has its own scale; with another ``look.scale`` the maps of a row share one.
    Maps of a single value share one scale in their row, and have the value printed.
    ``predictions`` (label, share from 0 to 1) stand as bars under the input.
    """
    look = look or Look()
    side = look.tile or next(side for most, side in SIDES if len(rows) <= most)
    tiles = [_tiles(row, look, side) for row in rows]
    words = [_words(row) for row in rows]
    label = max(text_width(text, size) for lines in words for text, size, _ in lines)
    across = max(sum(tile.shape[1] + GAP for tile in one) - GAP for one in tiles)
    step = side + NUMBER + ROW_GAP
    seen = _fitted(picture, INPUT_SIDE)
    left = INPUT_SIDE + COLUMN_GAP
    below = NUMBER + len(seen) + 14
    height = max(len(rows) * step, below + len(predictions) * PREDICTION)
    whole = all(bool(np.isfinite(row.maps).all()) for row in rows)
    own = look.scale == "channel"
    each = "pair of maps" if any(row.limits for row in rows) else "map"
    ends: tuple[str, ...] = ("smallest", f"largest of each {each if own else 'row'}")
    if look.scale == "symmetric":
        ends = ("minus", "0", "plus the largest magnitude of each row")
    elif look.scale == "percentile":
        ends = ("1st percentile", "99th percentile of each row")
    single = any(row.maps[0].size == 1 for row in rows)
    notes = (
        f"numbers above are channels; maps are drawn {side} pixels high",
        "a row of printed values has one scale" if single else "",
    )
    flat = look.scale == "channel" and any(_flat(one) for row in rows for one in row.maps)
    legend = legend_notes(ends, look.colors, *notes, whole=whole, flat=flat)
    width = left + label + COLUMN_GAP // 2 + across
    canvas, top = open_sheet(caption, height, width, legend)
    canvas.text("input", MARGIN, top, SMALL_SIZE, FAINT)
    canvas.paste(seen, MARGIN, top + NUMBER)
    for n, (name, share) in enumerate(predictions):
        _predict(canvas, name, share, top + below + n * PREDICTION)
    for n, row in enumerate(rows):
        y = top + n * step
        if n and row.name:
            canvas.box(MARGIN + left, y - ROW_GAP // 2 - 1, width - left, 1, RULE)
        _write(canvas, words[n], MARGIN + left, y + NUMBER)
        _draw_row(canvas, row, tiles[n], MARGIN + left + label + COLUMN_GAP // 2, y, look)
    return canvas.png()


def _words(row: OverviewRow) -> list[tuple[str, int, tuple[int, int, int]]]:
    """The lines left of a row: text, size, colour."""
    lines = [
        (row.name, NAME_SIZE, INK),
        (row.type, TEXT_SIZE, FAINT),
        (row.shape, TEXT_SIZE, FAINT),
        (row.note, TEXT_SIZE, ALARM),
    ]
    return [(shortened(text, LONGEST_NAME, size), size, color) for text, size, color in lines]


def _write(
    canvas: Canvas, lines: list[tuple[str, int, tuple[int, int, int]]], x: int, y: int
) -> None:
    for text, size, color in lines:
        canvas.text(text, x, y, size, color)
        y += size + 5


def _predict(canvas: Canvas, name: str, share: float, y: int) -> None:
    """A label, its percentage, and a bar below them as wide as its share of the input."""
    said = percent(share)
    width = INPUT_SIDE - text_width(said, TEXT_SIZE) - 12
    canvas.text(shortened(name, width, TEXT_SIZE), MARGIN, y)
    canvas.text(said, MARGIN + INPUT_SIDE, y, color=FAINT, anchor="ra")
    canvas.box(MARGIN, y + 20, INPUT_SIDE, 6, EMPTY)
    length = 0 if math.isnan(share) else round(INPUT_SIDE * share)
    canvas.box(MARGIN, y + 20, length, 6, ACCENT)


def _tiles(row: OverviewRow, look: Look, side: int) -> list[Pixels]:
    """The row's maps, ``side`` pixels high."""
    single = row.maps[0].size == 1
    shared = Look("layer") if single and look.scale == "channel" else look
    scales = row.limits or scaling(row.maps, shared).limits
    return [
        _tile(one, limits, look.colors, side) for one, limits in zip(row.maps, scales, strict=True)
    ]


def _tile(values: Values, limits: tuple[float, float], cmap: str, side: int) -> Pixels:
    height, width = values.shape
    across = max(1, min(round(side * width / height), 3 * side))
    if height > side or width > across:  # the mean of values, not of colours
        size = min(width, across), min(height, side)
        values = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return resized(colored_values(values, *limits, cmap), side, across)


def _draw_row(
    canvas: Canvas, row: OverviewRow, tiles: list[Pixels], x: int, y: int, look: Look
) -> None:
    for number, tile, values in zip(row.channels, tiles, row.maps, strict=True):
        canvas.text(str(number), x, y, SMALL_SIZE, FAINT)
        canvas.paste(tile, x, y + NUMBER)
        if _flat(values):  # it may be as white as the paper
            canvas.frame(x + 1, y + NUMBER + 1, tile.shape[1] - 2, len(tile) - 2, RULE, 1)
        if values.size == 1:
            red, green, blue = tile[0, 0].tolist()
            middle = x + tile.shape[1] / 2, y + NUMBER + len(tile) / 2
            said = short(float(values.flat[0]))
            canvas.text(said, *middle, NAME_SIZE, legible_on((red, green, blue)), "mm")
        x += tile.shape[1] + GAP


def _flat(values: Values) -> bool:
    return values.size > 1 and bool(values.min() == values.max())


def _fitted(picture: Pixels, side: int) -> Pixels:
    """The picture with its longer side ``side`` pixels: enlarged without smoothing."""
    share = side / max(picture.shape[:2])
    height, width = (max(1, round(length * share)) for length in picture.shape[:2])
    return resized(picture, height, width)
