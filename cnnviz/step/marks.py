"""Cells, strokes and words on a sheet of a slide's size, and the SVG they make.

Positions are (x, y) from the upper left, in pixels of a 1280 x 720 slide.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from cnnviz.figures.marks import KOREAN_FONTS
from cnnviz.language import KOREAN, spoken

WIDTH, HEIGHT = 1280, 720
FONTS = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
BASELINE = 0.35  # of the size, below the middle of a digit

PAPER, INK, FAINT, EDGE = "#ffffff", "#202124", "#6e7176", "#b4b8be"
WINDOW, WINDOW_FILL = "#d9730d", "#ffe9c7"
WEIGHT, WEIGHT_FILL, WEIGHT_ON_DARK = "#1f4e8c", "#dbe9f8", "#a9cdf7"
PRODUCT_FILL = "#efe6f6"
RESULT, RESULT_FILL = "#1b7a43", "#dcf2e0"
PADDING, PADDING_FILL = "#8d9197", "#eceef0"
WRONG, WRONG_FILL = "#b3261e", "#fbdcd9"


class Cell(NamedTuple):
    """A rectangle with an edge."""

    x: float
    y: float
    width: float
    height: float
    fill: str = PAPER
    edge: str = EDGE
    thickness: float = 1


class Stroke(NamedTuple):
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    color: str = FAINT
    thickness: float = 3


class Words(NamedTuple):
    """One line of text in parts of a colour each; y is the middle of its digits.

    ``anchor`` is start, middle or end.
    """

    x: float
    y: float
    parts: tuple[tuple[str, str], ...]
    size: float = 24
    anchor: str = "middle"

    @property
    def text(self) -> str:
        """The line without its colours."""
        return "".join(text for text, _ in self.parts)


Mark = Cell | Stroke | Words
Scene = tuple[Mark, ...]


def words(
    x: float, y: float, text: str, size: float = 24, color: str = INK, anchor: str = "middle"
) -> Words:
    """One line of one colour."""
    return Words(x, y, ((text, color),), size, anchor)


def arrow(x: float, y: float, length: float, color: str = FAINT) -> tuple[Stroke, Stroke]:
    """An arrow to the right, its tail at (x, y)."""
    tip, head = x + length, min(12.0, length / 2)
    barbs = ((tip - head, y - head * 0.7), (tip, y), (tip - head, y + head * 0.7))
    return Stroke(((x, y), (tip, y)), color), Stroke(barbs, color)


def svg(scene: Scene) -> bytes:
    """The scene as an SVG file; the same scene gives the same bytes."""
    fonts = f"{KOREAN_FONTS}, {FONTS}" if spoken() == KOREAN else FONTS
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{fonts}">'
    )
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
    return "\n".join([head, paper, *map(_element, scene), "</svg>", ""]).encode()


def _element(mark: Mark) -> str:
    if isinstance(mark, Cell):
        return (
            f'<rect x="{mark.x:g}" y="{mark.y:g}" width="{mark.width:g}" height="{mark.height:g}"'
            f' fill="{mark.fill}" stroke="{mark.edge}" stroke-width="{mark.thickness:g}"/>'
        )
    if isinstance(mark, Stroke):
        points = " ".join(f"{x:g},{y:g}" for x, y in mark.points)
        return (
            f'<polyline points="{points}" fill="none" stroke="{mark.color}"'
            f' stroke-width="{mark.thickness:g}"/>'
        )
    spans = "".join(f'<tspan fill="{color}">{escape(text)}</tspan>' for text, color in mark.parts)
    y = mark.y + BASELINE * mark.size
    return (
        f'<text x="{mark.x:g}" y="{y:g}" font-size="{mark.size:g}" text-anchor="{mark.anchor}"'
        f' xml:space="preserve">{spans}</text>'
    )
