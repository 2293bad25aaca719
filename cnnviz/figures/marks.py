"""Boxes, lines and words on a sheet, and the SVG they make.

Positions are (x, y) from the upper left, in points of 1/72 inch.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from cnnviz.figures.filter import refuse_unmakeable
from cnnviz.language import KOREAN, spoken

INK, FAINT, PAPER = "#202124", "#6e7176", "#ffffff"
FONTS = "DejaVu Sans, Verdana, sans-serif"
KOREAN_FONTS = "Noto Sans KR, Noto Sans CJK KR, NanumGothic, Malgun Gothic, Apple SD Gothic Neo"
CHARACTER = 0.62  # width over size of an average one in these fonts
SYLLABLE = 1.0  # the same of a Korean one
ANCHORS = {"left": "start", "center": "middle"}


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
    return sum(SYLLABLE if "가" <= char <= "힣" else CHARACTER for char in text) * size


def encoded(drawing: Drawing, suffix: str) -> bytes:
    """The file of a drawing: ``.svg``, ``.png`` or ``.pdf``. The same drawing gives the same bytes.

    Raises:
        UsageError: no such format.
        CnnvizError: PNG or PDF without matplotlib.
    """
    if suffix == ".svg":
        return _svg(drawing).encode()
    refuse_unmakeable(suffix)
    from cnnviz.figures.plot import plotted  # matplotlib: only when it is needed

    return plotted(drawing, suffix)


def _svg(drawing: Drawing) -> str:
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    fonts = f"{KOREAN_FONTS}, {FONTS}" if spoken() == KOREAN else FONTS
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt"'
        f' viewBox="0 0 {width} {height}" font-family="{fonts}">'
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
