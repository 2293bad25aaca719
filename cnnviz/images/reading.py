"""Image files to arrays: upright, bounded, at full depth."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from cnnviz.errors import ImageError
from cnnviz.images.claims import HEAD, refuse_absurd, refuse_absurd_tiff
from cnnviz.images.deep import (
    BIG_TIFF,
    decoded_by_cv2,
    is_deep_tiff,
    meant_by_tiff,
    read_deep_tiff,
)
from cnnviz.images.frames import notes_on, orientation_of
from cnnviz.images.jpeg import decoded_jpeg
from cnnviz.images.picture import Picture, refuse_size, turned
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    from cnnviz.images.picture import Pixels

# An allow-list for strangers' files. MPO is opened by JPEG's plugin; TGA has no signature and
# comes last.
FORMATS = [
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "QOI"),
    *("TIFF", "WEBP", "TGA"),
]
COMMON = {b"\xff\xd8\xff": ["JPEG"], b"\x89PNG\r\n\x1a\n": ["PNG"]}
MAX_PIPE_BYTES = 1_000_000_000

# Our own limit is checked before decoding; Pillow's would warn at a third of it.
Pillow.MAX_IMAGE_PIXELS = None


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0")
BIG_ENDIAN_BIG_TIFF = b"MM\0+"
ICO_SIGNATURE = b"\0\0\1\0"
PPM_HEADER = re.compile(rb"P([36])" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})" + rb"\s")


def read_image(path: str | Path) -> Picture:
    """The image in a file, or in standard input for ``-``, upright.

    Raises:
        ImageError: no such file, not an image, damaged, or larger than 256 megapixels or
            65,535 pixels a side.
    """
    path = Path(path)
    try:
        with _opened(path) as file:
            picture = _decode(file)
    except ImageError as error:
        raise ImageError(
            f"{'standard input' if path == STANDARD_STREAM else path}: {error}"
        ) from None
    if not picture.pixels.flags.c_contiguous:
        picture.pixels = np.ascontiguousarray(picture.pixels)
    return picture


def claimed_pixels(path: Path) -> int:
    """How many pixels the file says that it has; its bytes where that cannot be told."""
    size = 0
    try:
        if path == STANDARD_STREAM or not path.is_file():
            return 0
        size = path.stat().st_size
        with path.open("rb") as file:
            refuse_absurd(file, inflating=False)
            formats = [name for name in _formats(_start(file)) if name != "ICO"]  # decodes at once
            with Pillow.open(file, formats=formats) as image:
                return image.width * image.height
    except Exception:  # too deep for Pillow, or damaged as reading it will say
        return size


def _opened(path: Path) -> BinaryIO:
    if path == STANDARD_STREAM:
        return _standard_input()
    try:
        if not path.exists():
            raise ImageError("there is no such file")
        if path.is_dir():
            os.scandir(path).close()  # which raises where it may not be listed
            raise ImageError("this is a folder; name the images in it, as in FOLDER/*.png")
        if not path.is_file():
            raise ImageError("not a regular file; name an image")
        return path.open("rb")
    except OSError as error:
        raise ImageError(f"cannot be opened: {error.strerror}") from None


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise ImageError("it is closed; pipe an image into it")
    if sys.stdin.isatty():
        raise ImageError("this is a terminal; pipe an image into it")
    data = sys.stdin.buffer.read(MAX_PIPE_BYTES + 1)
    if len(data) > MAX_PIPE_BYTES:
        raise ImageError(f"more than {MAX_PIPE_BYTES:,} bytes, the limit for a pipe")
    return io.BytesIO(data)


def _decode(file: BinaryIO) -> Picture:
    try:
        return _read(file)
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("more memory is needed to decode this than there is") from None
    except UnidentifiedImageError:
        raise ImageError("not an image in a format that is read here") from None
    except Exception as error:  # decoders raise anything on a stranger's bytes
        raise ImageError(f"damaged or unreadable image ({_one_line(error)})") from None


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def _read(file: BinaryIO) -> Picture:
    """The image by Pillow, unless Pillow would reduce its depth or not read it at all."""
    refuse_absurd(file)
    head = _start(file)
    if head.startswith(PNG_SIGNATURE) and head[24:26] in {b"\x10\x02", b"\x10\x04", b"\x10\x06"}:
        return _read_deep_png(file, gray=head[25] == 4)
    if head.startswith(TIFF_SIGNATURES):
        tags, first = _tiff_tags(file, head)
        if is_deep_tiff(tags, little=head.startswith(b"II")):
            return read_deep_tiff(file, tags, first)
    if head.startswith(BIG_ENDIAN_BIG_TIFF):
        raise ImageError("a big-endian BigTIFF is not read here; save it as a plain TIFF")
    if head.startswith(ICO_SIGNATURE):
        from PIL.IcoImagePlugin import IcoFile

        # Pillow decodes on opening, and what is inside may be larger than the icon says.
        refuse_size(*IcoFile(file).frame(0).size)
        file.seek(0)
    if (header := PPM_HEADER.match(head)) and int(header[4]) > 255:
        return _read_deep_ppm(file, header)
    return _read_with_pillow(file, _formats(head))


def _tiff_tags(file: BinaryIO, head: bytes) -> tuple[ImageFileDirectory_v2, int]:
    """The tags of a TIFF's first page, weighed, and where they lie."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    length = 16 if head.startswith(BIG_TIFF) else 8
    if len(head) < length:
        raise ImageError("a damaged TIFF: it ends in its header")
    tags = ImageFileDirectory_v2(head[:length])
    first = tags.next
    file.seek(first)
    tags.load(file)
    refuse_absurd_tiff(tags, file.seek(0, os.SEEK_END))
    file.seek(0)
    return tags, first


def _start(file: BinaryIO) -> bytes:
    """The first bytes of ``file``, enough for any header; leaves it at its start."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return head


def _read_deep_png(file: BinaryIO, *, gray: bool) -> Picture:
    """A PNG of 16-bit colour, or of gray with alpha, which cv2 repeats into three channels."""
    _check(file, ["PNG"])
    with Pillow.open(file, formats=["PNG"]) as image:
        orientation, notes = orientation_of(image), notes_on(image)
    file.seek(0)
    planes = turned(decoded_by_cv2(file.read(), "PNG"), orientation)
    color = planes[:, :, :1] if gray else planes[:, :, :3][:, :, ::-1]
    return Picture(color, planes[:, :, 3] if planes.shape[2] == 4 else None, notes)


def _read_deep_ppm(file: BinaryIO, header: re.Match[bytes]) -> Picture:
    """A PPM of up to 16 bits a channel, its top value scaled to 65535 as Pillow does for PGM.

    Source: https://netpbm.sourceforge.net/doc/ppm.html
    """
    width, height, top = (int(header[i]) for i in (2, 3, 4))
    refuse_size(width, height)
    if header[1] == b"3" or top > 65535:
        raise ImageError("a PPM that is plain text or deeper than 16 bits; save it as a PNG")
    file.seek(header.end())
    data = file.read(width * height * 6)
    if len(data) < width * height * 6:
        raise ImageError("a damaged PPM: it ends too early")
    values = np.frombuffer(data, ">u2").reshape(height, width, 3)
    if top < 65535:
        values = np.minimum(np.rint(values * (65535 / top)), 65535)
    return Picture(values.astype(np.uint16))


def _check(file: BinaryIO, formats: list[str]) -> None:
    """Refuse a size beyond the limits and a PNG with a wrong sum, before anything is decoded."""
    with Pillow.open(file, formats=formats) as image:
        refuse_size(*image.size)
        if image.format == "PNG":
            image.verify()  # checks every chunk's sum; load() lets bit flips pass
    file.seek(0)


def _read_with_pillow(file: BinaryIO, formats: list[str]) -> Picture:
    _check(file, formats)
    with Pillow.open(file, formats=formats) as image:
        notes = notes_on(image)
        if image.format == "JPEG":
            planes = decoded_jpeg(file, image.mode, notes)
            if planes is not None:
                return Picture(turned(planes, orientation_of(image)), None, notes)
        image.load()  # which turns a TIFF upright
        picture, orientation = _from_pillow(image, notes), orientation_of(image)
        picture.pixels = turned(picture.pixels, orientation)
        picture.alpha = None if picture.alpha is None else turned(picture.alpha, orientation)
        if (tags := getattr(image, "tag_v2", None)) is not None:  # a TIFF's alone
            picture.pixels = meant_by_tiff(picture.pixels, tags)
        return picture


def _formats(head: bytes) -> list[str]:
    """The formats that a file with this head can have: all, unless its first bytes say it.

    Naming only one saves Pillow from loading its plugins for all others.
    """
    return next((one for start, one in COMMON.items() if head.startswith(start)), FORMATS)


def _from_pillow(image: Pillow.Image, notes: list[str]) -> Picture:
    """Pixels of any of Pillow's modes, with the depth that the mode has."""
    mode = image.mode
    if mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint16)
        clear = image.info.get("transparency")  # one gray value, as PNG has it
        alpha = None if clear is None else np.where(deep == clear, 0, 65535).astype(np.uint16)
        return Picture(deep[:, :, np.newaxis], alpha, notes)
    if mode == "F":
        return Picture(np.asarray(image, np.float32)[:, :, np.newaxis], None, notes)
    if mode == "I":
        return Picture(_wide_integers(np.asarray(image), notes)[:, :, np.newaxis], None, notes)
    if image.has_transparency_data:
        gray = mode in {"1", "L", "LA", "La"}
        pixels = np.asarray(image.convert("LA" if gray else "RGBA"))
        return Picture(pixels[:, :, :-1], pixels[:, :, -1], notes)
    if mode in {"1", "L"}:
        return Picture(np.asarray(image.convert("L"))[:, :, np.newaxis], None, notes)
    if mode not in {"RGB", "P"}:
        notes.append(f"converted from {mode} to RGB")
    # convert() copies even where there is nothing to convert
    return Picture(np.asarray(image if mode == "RGB" else image.convert("RGB")), None, notes)


def _wide_integers(values: Pixels, notes: list[str]) -> Pixels:
    """32-bit integers as uint16 where they fit, as Pillow reads 16-bit PGM, else as float64."""
    if values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16)
    notes.append("integers of more than 16 bits or with a sign, taken as floats")
    return values.astype(np.float64)
