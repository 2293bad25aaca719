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
    # Letter by letter: a sheet has thousands of words, and Pillow takes 0.1 ms for each. Without
    # kerning, which brings letters nearer, the sum is rarely too small.
    runs = _lettered(text, size)
    return int(np.ceil(sum(_advance(font, char) for said, font in runs for char in said)))


@lru_cache(maxsize=16384)
def mask(text: str, size: int, anchor: str) -> tuple[NDArray[np.uint8], int, int]:
    """How much ink (H, W) one line of text puts on each pixel, and where: x, y from its anchor.

    ``anchor`` is Pillow's: l/m/r, then a (top), m (middle).
    """
    runs = _lettered(text, size)
    if len(runs) == 1:
        return _ink(*runs[0], anchor)
    own = _own_font(size)
    ascent, descent = own.getmetrics() if isinstance(own, ImageFont.FreeTypeFont) else (size, 0)
    x = -{"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * text_width(text, size)
    baseline = ascent if anchor[1] == "a" else (ascent - descent) // 2
    parts = []
    for said, font in runs:
        ink, right, down = _ink(said, font, "ls")
        parts.append((ink, round(x) + right, baseline + down))
        x += sum(_advance(font, char) for char in said)
    return _together(parts)


def has_letters(letters: str) -> bool:
    """Whether some font that is installed has all of these."""
    size = 13
    fonts = [_own_font(size), *(font for name in OTHERS if (font := _font(name, size)))]
    return any(all(_has(font, char) for char in letters) for font in fonts)


def runs_of(text: str, size: float) -> tuple[tuple[str, Font], ...]:
    """What to write, in runs of one font each; what no font has, and controls, as escapes."""
    return _lettered(text, size)


def legible(text: str, size: int = 13) -> str:
    """``text`` as it is written: what no font has, and control characters, as escapes."""
    return "".join(said for said, _ in _lettered(text, size))


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


def _ink(said: str, font: Font, anchor: str) -> tuple[NDArray[np.uint8], int, int]:
    if not said or not isinstance(font, ImageFont.FreeTypeFont):
        return np.zeros((0, 0), np.uint8), 0, 0
    ink, (x, y) = font.getmask2(said, mode="L", anchor=anchor)
    width, height = ink.size
    return np.frombuffer(bytes(ink), np.uint8).reshape(height, width), x, y


def _together(
    parts: list[tuple[NDArray[np.uint8], int, int]],
) -> tuple[NDArray[np.uint8], int, int]:
    """The ink of several runs as one."""
    left, top = min(x for _, x, _ in parts), min(y for _, _, y in parts)
    right = max(x + ink.shape[1] for ink, x, _ in parts)
    bottom = max(y + ink.shape[0] for ink, _, y in parts)
    whole = np.zeros((bottom - top, right - left), np.uint8)
    for ink, x, y in parts:
        there = whole[y - top : y - top + ink.shape[0], x - left : x - left + ink.shape[1]]
        np.maximum(there, ink, out=there)
    return whole, left, top


@lru_cache(maxsize=16384)
def _lettered(text: str, size: float) -> tuple[tuple[str, Font], ...]:
    """What to write, in runs of one font each: Pillow's own wherever it has the letter."""
    own = _own_font(size)
    said = "".join(char if char.isprintable() else _escape(char) for char in text)
    if said.isascii():
        return ((said, own),)
    runs: list[tuple[str, Font]] = []
    for char in said.translate(PLAIN):
        letters, font = _written(char, size)
        if runs and runs[-1][1] is font:
            runs[-1] = (runs[-1][0] + letters, font)
        else:
            runs.append((letters, font))
    return tuple(runs)


@lru_cache(maxsize=4096)
def _written(char: str, size: float) -> tuple[str, Font]:
    """A letter and the first font that has it; its escape in Pillow's own where none has."""
    own = _own_font(size)
    if _has(own, char):
        return char, own
    for name in OTHERS:
        font = _font(name, size)
        if font is not None and _has(font, char):
            return char, font
    return _escape(char), own


@lru_cache(maxsize=4096)
def _advance(font: Font, char: str) -> float:
    return font.getlength(char)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()


def _has(font: Font, char: str) -> bool:
    """Whether a letter does not come out as the box that stands for a missing one."""
    return char.isascii() or _glyph(font, char) != _glyph(font, "\uffff")


def _glyph(font: Font, char: str) -> tuple[bytes, tuple[int, int]]:
    ink = font.getmask(char, mode="L")
    return bytes(ink), ink.size


@cache
def _own_font(size: float) -> Font:
    # Pillow carries this font in itself: the same letters on every machine. It has ASCII,
    # an ellipsis, a middle dot and curly quotes, but no true minus and no multiplication sign.
    return ImageFont.load_default(size)


@cache
def _font(name: str, size: float) -> Font | None:
    try:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:  # not installed
        return None
