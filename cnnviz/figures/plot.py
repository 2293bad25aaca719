"""Marks on a sheet, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from cnnviz.figures.marks import INK, Box, Line
from cnnviz.figures.style import DPI, OWN_FONT, encoded, language_fonts, own_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cnnviz.figures.marks import Drawing, Mark

POINTS = 72  # in an inch
MOST_PIXELS = 60_000  # a side; matplotlib before 3.10 draws fewer than 65,536


def plotted(drawing: Drawing, suffix: str) -> bytes:
    """The file of a drawing; see ``marks.encoded``."""
    dpi = min(DPI, POINTS * MOST_PIXELS / max(drawing.width, drawing.height))
    with own_settings([OWN_FONT, *language_fonts()]):
        figure = Figure((drawing.width / POINTS, drawing.height / POINTS), dpi=dpi)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
        axes.axis("off")
        for order, mark in enumerate(drawing.marks):
            _put(axes, mark, order)
        return encoded(figure, suffix, dpi)


def _put(axes: Axes, mark: Mark, order: int) -> None:
    if isinstance(mark, Box):
        box = Rectangle((mark.x, mark.y), mark.width, mark.height, zorder=order)
        box.set(facecolor=mark.fill, edgecolor=INK, linewidth=0.6)
        axes.add_patch(box)
    elif isinstance(mark, Line):
        xs, ys = zip(*mark.points, strict=True)
        axes.add_line(Line2D(xs, ys, color=mark.color, lw=0.6, zorder=order))
    else:
        words = axes.text(mark.x, mark.y, mark.text, ha=mark.anchor, zorder=order)
        words.set(fontsize=mark.size, color=mark.color)
