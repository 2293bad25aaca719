"""Sequences: channels as rows, positions across."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import ALARM, FAINT, MARGIN, SMALL_SIZE
from cnnviz.render.layout import counted
from cnnviz.render.lettering import text_width
from cnnviz.render.look import Look
from cnnviz.render.scales import extent, scaling
from cnnviz.render.sheet import Caption, legend_notes, open_sheet, part_shown
from cnnviz.render.tiles import block_means, colored_values, enlarged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.scales import Scaling

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]

WIDTH = 1200  # pixels across, about
HEIGHT, COMPACT = 3600, 2400  # pixels that all strips may take together; without space between
HIGHEST, SPACED, LETTER = 28, 8, 16  # of a strip; from where on they stand apart; of a line
APART = 3
MOST_RIGHT = 48  # pixels a position, where there are few


def draw_strips(
    strips: Values,
    caption: Caption,
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
) -> bytes:
    """A PNG of (C, L) values: each channel a strip, its positions from left to right.

    Positions take whole numbers of pixels, or a pixel is the mean of a whole number of positions
    and the legend says so. Where strips are too thin for it only some have their number. The
    rest is as in ``draw_maps``.
    """
    look = look or Look()
    count, length = strips.shape
    numbers = list(range(count) if channels is None else channels)
    part = f" over the {count} channels shown" if total and total > count else ""
    scale = scaling(strips, look, "channel", part)
    block = math.ceil(length / (look.tile or WIDTH))
    right = max(1, min(MOST_RIGHT, (look.tile or WIDTH) // length))
    down = min(HIGHEST, HEIGHT // count - APART)
    gap = APART if down >= SPACED else 0
    down = down if gap else max(1, min(SPACED, COMPACT // count))
    pixels = enlarged(_colored(strips, block, scale, look.colors), down, right)
    said = [extent(one) for one in scale.ranges]
    legible = down + gap >= LETTER
    before = max(text_width(str(number), SMALL_SIZE) for number in numbers) + 8
    after = max(text_width(one, SMALL_SIZE) for one in said) + 8 if legible else 0
    marks = [caption.marks.get(number, "") for number in numbers]
    legend = legend_notes(
        scale.ends,
        look.colors,
        part_shown(count, total, caption),
        f"a pixel is the mean of {block} positions" if block > 1 else "",
        "a row is a channel, from left to right its positions",
        whole=scale.whole,
        flat=scale.flat,
        marked=counted(marks, signs=False),
    )
    width = pixels.shape[1]
    size = count * (down + gap) + 22, before + width + after
    canvas, top = open_sheet(caption, *size, legend)
    x = MARGIN + before
    for n in range(count):
        y = top + n * (down + gap)
        canvas.paste(pixels[n * down : (n + 1) * down], x, y)
        if marks[n]:
            canvas.frame(x, y, width, down, ALARM, 1 if gap else 0)
        color = ALARM if marks[n] else FAINT
        if n % round_step(LETTER / (down + gap)) == 0:
            canvas.text(str(numbers[n]), x - 8, y + down / 2, SMALL_SIZE, color, "rm")
        if legible:
            canvas.text(said[n], x + width + 8, y + down / 2, SMALL_SIZE, color, "lm")
    step = right / block
    for place in range(0, length, round_step(60 / step)):
        middle = x + (place + 0.5) * step
        canvas.text(str(place), middle, top + count * (down + gap) + 3, SMALL_SIZE, FAINT, "ma")
    return canvas.png()


def round_step(least: float) -> int:
    """1, 2, 5, 10, 20, 50 …: the first that is not below ``least``.

    >>> [round_step(least) for least in (0.1, 2, 3, 11, 201)]
    [1, 2, 5, 20, 500]
    """
    step = 1
    while step < least:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _colored(strips: Values, block: int, scale: Scaling, cmap: str) -> Pixels:
    """RGB (C, L, 3), a pixel per position or per block of them."""
    means = block_means(strips, 1, block)
    rows = [
        colored_values(row, *limits, cmap) for row, limits in zip(means, scale.limits, strict=True)
    ]
    return np.stack(rows)
