"""The sheet that pictures are put on: colours, text, and the encoded file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnviz.images.png import png_chunks
from cnnviz.render.lettering import mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sheet = NDArray[np.uint8]
    Color = tuple[int, int, int]

PAPER = (255, 255, 255)
INK = (32, 33, 36)
FAINT = (110, 113, 118)
RULE = (218, 220, 224)  # thin lines, and the ground of what has no value
ALARM = (190, 30, 45)
ACCENT = (59, 82, 139)  # a blue of viridis

MARGIN = 16
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 18, 13, 12  # at 11 this font's words run together


class Canvas:
    """A white RGB sheet; positions are (x, y) from the upper left, in pixels."""

    def __init__(self, height: int, width: int) -> None:
        self.pixels: Sheet = np.full((height, width, 3), 255, np.uint8)

    def paste(self, pixels: Sheet, x: int, y: int) -> None:
        """Put an RGB (H, W, 3) array with its upper left corner at (x, y)."""
        there = self.pixels[y : y + len(pixels), x : x + pixels.shape[1]]
        there[:] = pixels[: len(there), : there.shape[1]]

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: int = TEXT_SIZE,
        color: Color = INK,
        anchor: str = "la",
    ) -> None:
        """One line of text; ``anchor`` is Pillow's: l/m/r, then a (top), m (middle)."""
        ink, right, down = mask(text, size, anchor)
        left, top = round(x) + right, round(y) + down
        ink = ink[max(-top, 0) :, max(-left, 0) :]
        left, top = max(left, 0), max(top, 0)
        there = self.pixels[top : top + ink.shape[0], left : left + ink.shape[1]]
        share = ink[: there.shape[0], : there.shape[1], np.newaxis] / np.float32(255)
        there[:] = np.rint(there + share * (np.array(color, np.float32) - there))

    def box(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        """A filled rectangle; nothing where a side is below 1."""
        if width >= 1 and height >= 1:
            self.pixels[max(y, 0) : y + height, max(x, 0) : x + width] = color

    def frame(self, x: int, y: int, width: int, height: int, color: Color, thick: int = 2) -> None:
        """A frame of ``thick`` pixels around a rectangle, outside it."""
        across, down = width + 2 * thick, height + 2 * thick
        self.box(x - thick, y - thick, across, thick, color)
        self.box(x - thick, y + height, across, thick, color)
        self.box(x - thick, y - thick, thick, down, color)
        self.box(x + width, y - thick, thick, down, color)

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        return b"".join(png_chunks(self.pixels))


def legible_on(color: Color) -> Color:
    """Black or white, whichever stands out more on ``color``.

    Source: relative luminance of WCAG 2.2, with the plain power 2.2; contrast with black and
    with white is equal at 0.21.
    """
    red, green, blue = ((value / 255) ** 2.2 for value in color)
    return PAPER if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.21 else INK
