"""Scenes as pixels, by Pillow and the font that it carries: alike on every machine.

Letters that it has not, such as Korean ones, are those of a font that is installed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from cnnviz.language import ENGLISH, spoken
from cnnviz.render.lettering import has_letters, runs_of
from cnnviz.step.marks import BASELINE, HEIGHT, PAPER, WIDTH, Cell, Stroke

if TYPE_CHECKING:
    from cnnviz.render.lettering import Font
    from cnnviz.step.marks import Scene, Words

# Pillow's font lacks these signs; each is drawn as strokes in a box of 0.6 x 0.6 of the size,
# around the middle of a digit.
SIGNS = {
    "×": (((-0.2, -0.2), (0.2, 0.2)), ((-0.2, 0.2), (0.2, -0.2))),
    "\N{MINUS SIGN}": (((-0.21, 0), (0.21, 0)),),
    "→": (((-0.24, 0), (0.24, 0)), ((0.08, -0.16), (0.24, 0), (0.08, 0.16))),
    "≈": (
        ((-0.2, -0.05), (-0.1, -0.13), (0.1, -0.03), (0.2, -0.11)),
        ((-0.2, 0.11), (-0.1, 0.03), (0.1, 0.13), (0.2, 0.05)),
    ),
}
SIGN_WIDTH = 0.6
STROKE = 0.07  # how thick a sign is, of the size


def paint(scene: Scene, scale: float = 1.0) -> Image.Image:
    """An RGB image of the scene; ``scale`` 1 is 1280 x 720."""
    image = Image.new("RGB", (round(WIDTH * scale), round(HEIGHT * scale)), PAPER)
    draw = ImageDraw.Draw(image)
    for mark in scene:
        if isinstance(mark, Cell):
            _cell(draw, mark, scale)
        elif isinstance(mark, Stroke):
            points = [(x * scale, y * scale) for x, y in mark.points]
            width = max(1, round(mark.thickness * scale))
            draw.line(points, fill=mark.color, width=width, joint="curve")
        else:
            _words(draw, mark, scale)
    return image


def text_width(text: str, size: float) -> float:
    """Width of one line of text of ``size`` pixels."""
    return sum(_width(run, font, size) for run, font in _runs(text, size))


def is_lettered() -> bool:
    """Whether the language that is spoken can be written in pictures."""
    return spoken() == ENGLISH or _has_korean()


@cache
def _has_korean() -> bool:
    from cnnviz.language.korean import LETTERS  # only for those who read it

    return has_letters(LETTERS)


def _cell(draw: ImageDraw.ImageDraw, mark: Cell, scale: float) -> None:
    left, top = round(mark.x * scale), round(mark.y * scale)
    right, low = round((mark.x + mark.width) * scale), round((mark.y + mark.height) * scale)
    width = round(mark.thickness * scale) if mark.thickness else 0
    grown = max(0, width - 1) // 2  # a thick edge lies on both sides of the cell's
    box = (left - grown, top - grown, right + grown, low + grown)
    fill = None if mark.fill == "none" else mark.fill
    edge = mark.edge if mark.thickness else None
    draw.rectangle(box, fill=fill, outline=edge, width=max(1, width))


def _words(draw: ImageDraw.ImageDraw, mark: Words, scale: float) -> None:
    size = mark.size * scale
    long = text_width(mark.text, size)
    x = mark.x * scale - {"start": 0.0, "middle": long / 2, "end": long}[mark.anchor]
    y = mark.y * scale
    for text, color in mark.parts:
        for run, font in _runs(text, size):
            if font is None:
                _sign(draw, run, x + SIGN_WIDTH * size / 2, y, size, color)
            else:
                draw.text((x, y + BASELINE * size), run, fill=color, font=font, anchor="ls")
            x += _width(run, font, size)


def _sign(
    draw: ImageDraw.ImageDraw, sign: str, x: float, y: float, size: float, color: str
) -> None:
    for line in SIGNS[sign]:
        points = [(x + dx * size, y + dy * size) for dx, dy in line]
        draw.line(points, fill=color, width=max(1, round(STROKE * size)), joint="curve")


def _runs(text: str, size: float) -> list[tuple[str, Font | None]]:
    """Signs that are drawn, each by itself and without a font, and the text between them."""
    pieces: list[str] = []
    for char in text:
        if char in SIGNS or not pieces or pieces[-1] in SIGNS:
            pieces.append(char)
        else:
            pieces[-1] += char
    runs: list[tuple[str, Font | None]] = []
    for piece in pieces:
        runs += [(piece, None)] if piece in SIGNS else runs_of(piece, size)
    return runs


def _width(run: str, font: Font | None, size: float) -> float:
    return SIGN_WIDTH * size if font is None else float(font.getlength(run))
