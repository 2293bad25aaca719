"""The sheet of a gallery: eight pictures in a row, each on whole pixels, its name above."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cnnviz.figures.style import (
    DPI,
    drawing_alone,
    encoded,
    language_fonts,
    lettering,
    own_settings,
    shade,
    write_line,
)
from cnnviz.language import say
from cnnviz.render.canvas import FAINT, INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.figures.gallery import Exhibit

COLUMNS, WIDTH, MARGIN, GAP = 8, 40 / 3, 0.35, 0.1  # inches, as all below
HEAD, LABEL, FOOT = 0.85, 0.27, 0.4
TITLE_TEXT, NAME_TEXT, FOOT_TEXT = 20, 10, 10.5  # points


def draw(exhibits: Sequence[Exhibit], image: str, suffix: str) -> bytes:
    """The file of the sheet; the same bytes each time."""
    fonts, instead = lettering([image, *(each.name for each in exhibits)])
    fonts = [fonts[0], *language_fonts(), *fonts[1:]]
    legible = [replace(each, name=each.name.translate(instead)) for each in exhibits]
    with drawing_alone, own_settings(fonts):
        return encoded(build(legible, image.translate(instead)), suffix)


def build(exhibits: Sequence[Exhibit], image: str) -> Figure:
    """The figure of exhibits whose names can be drawn."""
    rows = -(-len(exhibits) // COLUMNS)
    shape = exhibits[0].pixels.shape
    wide = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    high = wide * shape[0] / shape[1]
    height = round(HEAD + rows * (high + LABEL + GAP) + FOOT, 2)
    figure = Figure((WIDTH, height), dpi=DPI)
    title = say("{count} kernels on {image}", count=len(exhibits), image=image)
    write_line(figure, title, MARGIN, height - 0.5, TITLE_TEXT, shade(INK), weight="bold")
    for number, exhibit in enumerate(exhibits):
        row, column = divmod(number, COLUMNS)
        x, y = MARGIN + column * (wide + GAP), height - HEAD - row * (high + LABEL + GAP)
        name = f"{exhibit.name}  {exhibit.note}" if exhibit.note else exhibit.name
        write_line(figure, name, x, y + 0.06, NAME_TEXT, shade(INK), wide)
        place = x / WIDTH, (y - high) / height, wide / WIDTH, high / height
        axes = figure.add_axes(place)
        axes.imshow(np.broadcast_to(exhibit.pixels, (*shape[:2], 3)), aspect="auto")
        axes.axis("off")
    foot = [say("|x|: results of both signs are shown without, each stretched by itself")]
    told = "each picture is {size}, verified by OpenCV and torch"
    foot.append(say(told, size=f"{shape[0]}×{shape[1]}"))
    write_line(figure, "   ·   ".join(foot), MARGIN, 0.17, FOOT_TEXT, shade(FAINT))
    return figure
