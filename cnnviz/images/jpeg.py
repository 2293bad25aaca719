"""JPEG files to arrays by libjpeg-turbo itself, in a third of the time that Pillow takes.

Pillow decodes with the same library to the same pixels, but into four bytes a pixel, which are
then copied into three.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO

import simplejpeg

from cnnviz.errors import ImageError

if TYPE_CHECKING:
    from cnnviz.images.picture import Pixels

# By Pillow's mode. What it has in CMYK, it converts; here that is only tried.
COLOR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
MOST_BYTES = 256_000_000

# libjpeg goes on after these with gray or smeared blocks, and Pillow does not say so.
DAMAGE = re.compile(
    r"premature end|bad (?:Huffman|arithmetic) code|found marker|Inconsistent progression", re.I
)
CURIOUS = re.compile(r"extraneous bytes|Invalid SOS parameters")


def decoded_jpeg(file: BinaryIO, mode: str, notes: list[str]) -> Pixels | None:
    """(H, W, 3) or (H, W, 1) uint8, not turned; None where Pillow had better have a look.

    That is a file with anything unusual: whether it can be read all the same, Pillow decides.
    Where libjpeg doubts the data, that is added to ``notes``.

    Raises:
        ImageError: libjpeg had to invent a part of the picture.
    """
    if mode not in COLOR_SPACES or file.seek(0, os.SEEK_END) > MOST_BYTES:
        return None
    file.seek(0)
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(file.read(), COLOR_SPACES[mode], strict=True)
    except ValueError as error:
        said = " ".join(str(error).split())
        if DAMAGE.search(said):
            raise ImageError(f"a damaged JPEG ({said})") from None
        if CURIOUS.search(said):
            notes.append(f"parts may be wrong, libjpeg says: {said}")
        return None
    return None if mode == "CMYK" else pixels
