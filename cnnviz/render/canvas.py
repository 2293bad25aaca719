"""The sheet that pictures are put on: colours, text, and the encoded file."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sheet = NDArray[np.uint8]
    Color = tuple[int, int, int]

PAPER = (255, 255, 255)
INK = (32, 33, 36)
FAINT = (110, 113, 118)
ALARM = (190, 30, 45)
ACCENT = (59, 82, 139)  # a blue of viridis

MARGIN = 16
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 18, 13, 12  # at 11 this font's words run together


def grays(levels: NDArray[np.uint8]) -> Sheet:
    """RGB (…, 3) for levels 0 to 255: black to white."""
    return np.stack([levels] * 3, axis=-1)


def viridis(levels: NDArray[np.uint8]) -> Sheet:
    """RGB (…, 3) for levels 0 to 255: matplotlib's viridis, which OpenCV has exactly."""
    return _viridis_table()[levels]


def text_width(text: str, size: int) -> int:
    """Width in pixels of one line of text."""
    return int(np.ceil(_font(size).getlength(text)))


class Canvas:
    """A white RGB sheet; positions are (x, y) from the upper left, in pixels."""

    def __init__(self, height: int, width: int) -> None:
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def paste(self, pixels: Sheet, x: int, y: int) -> None:
        """Put an RGB (H, W, 3) array with its upper left corner at (x, y)."""
        self._image.paste(Image.fromarray(pixels), (x, y))

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
        self._draw.text((x, y), text, fill=color, font=_font(size), anchor=anchor)

    def box(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        """A filled rectangle; nothing where a side is below 1."""
        if width >= 1 and height >= 1:
            self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)

    def frame(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        """A 2-pixel frame around a rectangle, outside it."""
        self._draw.rectangle((x - 2, y - 2, x + width + 1, y + height + 1), outline=color, width=2)

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        file = io.BytesIO()
        # Drawings are flat: this takes 10 ms and a quarter of the bytes of OpenCV's default.
        self._image.save(file, "PNG")
        return file.getvalue()


def legible_on(color: Color) -> Color:
    """Black or white, whichever stands out more on ``color``.

    Source: relative luminance of WCAG 2.2, with the plain power 2.2; contrast with black and
    with white is equal at 0.21.
    """
    red, green, blue = ((value / 255) ** 2.2 for value in color)
    return PAPER if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.21 else INK


@cache
def _viridis_table() -> Sheet:
    levels = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[:, 0, ::-1])


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow carries this font in itself: the same letters on every machine. It has ASCII,
    # an ellipsis, a middle dot and curly quotes, but no true minus and no multiplication sign.
    return ImageFont.load_default(size)
