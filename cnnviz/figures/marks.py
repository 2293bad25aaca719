"""Boxes, lines and words on a sheet, written as SVG by hand or as PNG and PDF by matplotlib.

Positions are (x, y) from the upper left, in points of 1/72 inch.
"""

from __future__ import annotations

import io
from html import escape
from typing import NamedTuple

from cnnviz.errors import CnnvizError, UsageError

INK, FAINT, PAPER = "#202124", "#6e7176", "#ffffff"
FONTS = "DejaVu Sans, Verdana, sans-serif"
CHARACTER = 0.62  # width over size of an average one in these fonts
ANCHORS = {"left": "start", "center": "middle"}
SUFFIXES = (".svg", ".png", ".pdf")
DPI = 144
MOST_PIXELS = 60_000  # a side; matplotlib draws fewer than 65,536


class Box(NamedTuple):
    """A filled rectangle with a thin edge."""

    x: float
    y: float
    width: float
    height: float
    fill: str


class Line(NamedTuple):
    """A thin line through points."""

    points: tuple[tuple[float, float], ...]
    color: str = FAINT


class Words(NamedTuple):
    """One line of text; y is its base line."""

    x: float
    y: float
    text: str
    size: float = 10
    color: str = INK
    anchor: str = "center"


Mark = Box | Line | Words


class Drawing(NamedTuple):
    """A white sheet with marks, later ones above earlier ones."""

    width: float
    height: float
    marks: tuple[Mark, ...]


def text_width(text: str, size: float) -> float:
    """About how wide a line of text is."""
    return len(text) * size * CHARACTER


def encoded(drawing: Drawing, suffix: str) -> bytes:
    """The file of a drawing, in the format that ends in ``suffix``.

    Raises:
        UsageError: no such format.
        CnnvizError: PNG or PDF without matplotlib.
    """
    if suffix not in SUFFIXES:
        raise UsageError(f"a figure's name must end in {', '.join(SUFFIXES)}")
    return _svg(drawing).encode() if suffix == ".svg" else _plotted(drawing, suffix[1:])


def _svg(drawing: Drawing) -> str:
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt"'
        f' viewBox="0 0 {width} {height}" font-family="{FONTS}">'
    )
    paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    return "\n".join([head, paper, *(_element(mark) for mark in drawing.marks), "</svg>", ""])


def _element(mark: Mark) -> str:
    if isinstance(mark, Box):
        return (
            f'<rect x="{mark.x:.4g}" y="{mark.y:.4g}" width="{mark.width:.4g}"'
            f' height="{mark.height:.4g}" fill="{mark.fill}" stroke="{INK}" stroke-width=".6"/>'
        )
    if isinstance(mark, Line):
        points = " ".join(f"{x:.6g},{y:.6g}" for x, y in mark.points)
        return f'<polyline points="{points}" fill="none" stroke="{mark.color}" stroke-width=".6"/>'
    return (
        f'<text x="{mark.x:.6g}" y="{mark.y:.6g}" font-size="{mark.size:g}" fill="{mark.color}"'
        f' text-anchor="{ANCHORS[mark.anchor]}">{escape(mark.text)}</text>'
    )


def _plotted(drawing: Drawing, form: str) -> bytes:
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise CnnvizError(
            f"a figure as {form.upper()} needs matplotlib: pip install 'cnnviz[figures]';"
            " .svg needs nothing"
        ) from error
    dpi = min(DPI, 72 * MOST_PIXELS / max(drawing.width, drawing.height))
    figure = Figure((drawing.width / 72, drawing.height / 72), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
    axes.axis("off")
    for order, mark in enumerate(drawing.marks):
        if isinstance(mark, Box):
            corner = (mark.x, mark.y)
            box = Rectangle(corner, mark.width, mark.height, fc=mark.fill, ec=INK, lw=0.6)
            axes.add_patch(box).set_zorder(order)
        elif isinstance(mark, Line):
            xs, ys = zip(*mark.points, strict=True)
            axes.add_line(Line2D(xs, ys, color=mark.color, lw=0.6, zorder=order))
        else:
            words = axes.text(mark.x, mark.y, mark.text, ha=mark.anchor, zorder=order)
            words.set(fontsize=mark.size, color=mark.color)
    file = io.BytesIO()
    dated = {"pdf": {"CreationDate": None}, "png": {"Software": None}}  # same figure, same bytes
    figure.savefig(file, format=form, metadata=dated[form])
    return file.getvalue()
