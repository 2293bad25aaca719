"""Words as pixels: the fonts, how wide a line is, and what is written for odd characters."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Tried in turn for a text that Pillow's own font cannot write; Pillow looks for them where the
# system keeps its fonts.
OTHERS = (
    "DejaVuSans.ttf",
    "NanumGothic.ttf",
    "malgun.ttf",
    "AppleSDGothicNeo.ttc",
    "NotoSansCJK-Regular.ttc",
    "arial.ttf",
)
# Signs that Pillow's own font lacks and that have a plain way to be written.
PLAIN = str.maketrans({"×": "x", "−": "-", "–": "-", "—": "-", "→": "->", "≤": "<=", "≥": ">="})
LONGEST = 2000  # characters of one line that are looked at


def text_width(text: str, size: int) -> int:
    """Width in pixels of one line of text."""
    said, font = _lettered(text, size)
    # Letter by letter: a sheet has thousands of words, and Pillow takes 0.1 ms for each. Without
    # kerning, which brings letters nearer, the sum is rarely too small.
    return int(np.ceil(sum(_advance(font, char) for char in said)))


@lru_cache(maxsize=16384)
def mask(text: str, size: int, anchor: str) -> tuple[NDArray[np.uint8], int, int]:
    """How much ink (H, W) one line of text puts on each pixel, and where: x, y from its anchor."""
    said, font = _lettered(text, size)
    if not said or not isinstance(font, ImageFont.FreeTypeFont):
        return np.zeros((0, 0), np.uint8), 0, 0
    ink, (x, y) = font.getmask2(said, mode="L", anchor=anchor)
    width, height = ink.size
    return np.frombuffer(bytes(ink), np.uint8).reshape(height, width), x, y


def legible(text: str, size: int = 13) -> str:
    """``text`` as it is written: what no font has, and control characters, as escapes."""
    return _lettered(text, size)[0]


def wrapped(text: str, width: int, size: int) -> list[str]:
    """``text`` in lines of at most ``width`` pixels, broken between words where it can be."""
    lines = [""]
    for word in legible(text[:LONGEST], size).split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer, size) <= width:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        *full, rest = _cut(word, width, size)
        lines[-1:] = [*full, rest]
    return lines


def shortened(text: str, width: int, size: int) -> str:
    """``text`` in at most ``width`` pixels: its end is left out where it is longer."""
    said = legible(text[:LONGEST], size)
    if text_width(said, size) <= width:
        return said
    while said and text_width(f"{said}…", size) > width:
        said = said[:-1]
    return f"{said.rstrip()}…"


def _cut(word: str, width: int, size: int) -> list[str]:
    parts = [""]
    for char in word:
        if parts[-1] and text_width(parts[-1] + char, size) > width:
            parts.append("")
        parts[-1] += char
    return parts


@lru_cache(maxsize=16384)
def _lettered(text: str, size: int) -> tuple[str, Font]:
    """What to write, and in which font: the first that has all of its letters."""
    said = "".join(char if char.isprintable() else _escape(char) for char in text)
    if said.isascii():
        return said, _own_font(size)
    if _has(_own_font(size), plain := said.translate(PLAIN)):
        return plain, _own_font(size)
    for name in OTHERS:
        font = _font(name, size)
        if font is not None and _has(font, said):
            return said, font
    own = _own_font(size)
    return "".join(char if _has(own, char) else _escape(char) for char in plain), own


@lru_cache(maxsize=4096)
def _advance(font: Font, char: str) -> float:
    return font.getlength(char)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()


def _has(font: Font, text: str) -> bool:
    """Whether no letter of ``text`` comes out as the box that stands for a missing one."""
    missing = _glyph(font, "\uffff")
    return all(char == " " or _glyph(font, char) != missing for char in set(text))


def _glyph(font: Font, char: str) -> tuple[bytes, tuple[int, int]]:
    ink = font.getmask(char, mode="L")
    return bytes(ink), ink.size


@cache
def _own_font(size: int) -> Font:
    # Pillow carries this font in itself: the same letters on every machine. It has ASCII,
    # an ellipsis, a middle dot and curly quotes, but no true minus and no multiplication sign.
    return ImageFont.load_default(size)


@cache
def _font(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:  # not installed
        return None
