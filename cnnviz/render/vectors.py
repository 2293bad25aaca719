"""Two vectors of numbers, one above the other on one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import FAINT, MARGIN, SMALL_SIZE, legible_on
from cnnviz.render.levels import short
from cnnviz.render.look import Look
from cnnviz.render.scales import scaling
from cnnviz.render.sheet import Caption, legend_notes, open_sheet
from cnnviz.render.strips import round_step
from cnnviz.render.tiles import block_means, colored_values, enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.render.canvas import Canvas

    Values = NDArray[Any]

WIDTH = 1200  # pixels across, about
CELL, HEIGHT = 56, 40  # of a number, where there are few
WORDS = 48  # a cell so wide has its number printed
LINE, APART = 18, 12


def draw_vectors(
    above: Values, below: Values, caption: Caption, names: tuple[str, str], look: Look | None = None
) -> bytes:
    """A PNG of two (C,) vectors, a row of cells each, on one scale; wide cells have their number.

    Of many numbers a pixel is the mean of several, and the legend says so.
    """
    look = look or Look()
    pair = np.stack([above, below])
    scale = scaling(pair, Look("layer") if look.scale == "channel" else look)
    block = math.ceil(len(above) / WIDTH)
    right = max(1, min(CELL, WIDTH * block // len(above)))
    colored = colored_values(block_means(pair, 1, block), *scale.limits[0], look.colors)
    pixels = enlarged(colored, HEIGHT, right)
    legend = legend_notes(
        scale.ends,
        look.colors,
        f"a pixel is the mean of {block} values" if block > 1 else "",
        "from left to right the channels",
        whole=scale.whole,
        flat=scale.flat,
    )
    step = LINE + HEIGHT + APART
    canvas, top = open_sheet(caption, 2 * step + LINE, pixels.shape[1], legend)
    for n, name in enumerate(names):
        y = top + n * step
        canvas.text(name, MARGIN, y, SMALL_SIZE)
        canvas.paste(pixels[n * HEIGHT : (n + 1) * HEIGHT], MARGIN, y + LINE)
        if right >= WORDS:
            _write(canvas, pair[n], pixels[n * HEIGHT], right, y + LINE)
    y = top + 2 * step - APART + 3
    for place in range(0, len(above), round_step(60 * block / right) if right < WORDS else 1):
        x = MARGIN + (place + 0.5) * right / block
        canvas.text(str(place), x, y, SMALL_SIZE, FAINT, "ma")
    return canvas.png()


def _write(canvas: Canvas, values: Values, colors: Values, right: int, y: int) -> None:
    """The numbers in their cells."""
    for n, value in enumerate(values):
        red, green, blue = colors[n * right].tolist()
        middle = MARGIN + (n + 0.5) * right, y + HEIGHT / 2
        canvas.text(short(float(value)), *middle, SMALL_SIZE, legible_on((red, green, blue)), "mm")
