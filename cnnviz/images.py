"""Image files to arrays and back: upright, bounded, at full depth."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from cnnviz.errors import ImageError, UsageError
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

# An allow-list for strangers' files. MPO is opened by JPEG's plugin; TGA has no signature and
# comes last.
FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "QOI"),
    *("TIFF", "WEBP", "TGA"),
)
MAX_PIXELS = 256_000_000
MAX_SIDE = 65_535
MAX_PIPE_BYTES = 1_000_000_000

# Our own limit is checked before decoding; Pillow's would warn at a third of it.
Pillow.MAX_IMAGE_PIXELS = None

# What cv2 can encode, and whether with 16 bits a channel, and with alpha.
SIXTEEN_BIT = {".png", ".tif", ".tiff"}
WITH_ALPHA = {".png", ".tif", ".tiff", ".webp"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

ORIENTATION_TAG = 0x0112


@dataclass
class Picture:
    """A decoded image: ``pixels`` (H, W, 1) gray or (H, W, 3) RGB.

    Depth is the file's: uint8, uint16, float32 or float64. ``alpha`` is (H, W) of the same
    dtype, or None. ``notes`` say what reading it involved.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    notes: list[str] = field(default_factory=list)


def read_image(path: Path) -> Picture:
    """The image in a file, or in standard input for ``-``, upright.

    Raises:
        ImageError: no such file, not an image, damaged, or larger than 256 megapixels or
            65,535 pixels a side.
    """
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


def luminance(pixels: Pixels) -> Pixels:
    """The (H, W, 1) brightness of (H, W, 3) RGB pixels, in their own dtype; gray stays gray.

    Source: ITU-R BT.601 weights 0.299, 0.587, 0.114, for integers as Pillow's mode L has them
    (in 65536ths, rounded).
    """
    if pixels.shape[2] == 1:
        return pixels
    red, green, blue = np.moveaxis(pixels, 2, 0)
    if pixels.dtype.kind == "f":
        gray = 0.299 * red + 0.587 * green + 0.114 * blue
    else:
        wide = (p.astype(np.uint32) for p in (red, green, blue))
        gray = sum(p * w for p, w in zip(wide, (19595, 38470, 7471), strict=True)) + 0x8000 >> 16
    return np.asarray(gray, pixels.dtype)[:, :, np.newaxis]


def encode_image(pixels: Pixels, suffix: str, alpha: Pixels | None = None) -> bytes:
    """An image file of (H, W, 1|3) pixels; ``suffix`` names the format.

    Takes uint8, uint16 where the format holds it, and float32 for TIFF. ``alpha`` (H, W) goes
    in where the format has it.

    Raises:
        UsageError: no encoder for that suffix.
    """
    if suffix.lower() not in SUFFIXES:
        raise UsageError(f"no image format is called {suffix!r}; use {', '.join(SUFFIXES)}")
    planes = pixels[:, :, ::-1]  # cv2 wants BGR
    if alpha is not None and suffix.lower() in WITH_ALPHA:
        color = np.repeat(planes, 3, axis=2) if planes.shape[2] == 1 else planes
        planes = np.dstack([color, alpha])
    done, data = cv2.imencode(suffix.lower(), np.ascontiguousarray(planes))
    if not done:
        raise ImageError(f"OpenCV could not encode {pixels.shape} {pixels.dtype} as {suffix}")
    return data.tobytes()


def _opened(path: Path) -> BinaryIO:
    if path == STANDARD_STREAM:
        return _standard_input()
    if not path.exists():
        raise ImageError("there is no such file")
    if path.is_dir():
        raise ImageError("this is a folder; name the images in it, as in FOLDER/*.png")
    if not path.is_file():
        raise ImageError("not a regular file; name an image")
    try:
        return path.open("rb")
    except OSError as error:
        raise ImageError(f"cannot be opened: {error.strerror}") from None


def _standard_input() -> BinaryIO:
    if sys.stdin.isatty():
        raise ImageError("this is a terminal; pipe an image into it")
    data = sys.stdin.buffer.read(MAX_PIPE_BYTES + 1)
    if len(data) > MAX_PIPE_BYTES:
        raise ImageError(f"more than {MAX_PIPE_BYTES:,} bytes, the limit for a pipe")
    return io.BytesIO(data)


def _decode(file: BinaryIO) -> Picture:
    try:
        deep = _needs_full_depth(file)
        return _read_full_depth(file, deep) if deep else _read_with_pillow(file)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # decoders raise anything on a stranger's bytes
        if isinstance(error, UnidentifiedImageError):
            raise ImageError("not an image in a format that is read here") from None
        raise ImageError(f"damaged or unreadable image ({_one_line(error)})") from None


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


@dataclass(frozen=True)
class _Deep:
    """A file whose depth Pillow would reduce or refuse."""

    format: str
    orientation: int


def _needs_full_depth(file: BinaryIO) -> _Deep | None:
    """What Pillow would reduce to 8 bits or not read at all: 16-bit colour, wide floats.

    Leaves ``file`` at its start, and refuses sizes beyond the limits.
    """
    head = file.read(32)
    file.seek(0)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[24:26] in (
        b"\x10\x02",
        b"\x10\x04",
        b"\x10\x06",
    ):
        with Pillow.open(file, formats=["PNG"]) as image:
            _refuse_size(*image.size)
            image.verify()  # checks every chunk's sum; load() lets bit flips pass
            orientation = image.getexif().get(ORIENTATION_TAG, 1)
        file.seek(0)
        return _Deep("PNG", orientation)
    if head[:4] in (b"II*\0", b"MM\0*"):
        tags = ImageFileDirectory_v2(head[:8])
        file.seek(tags.next)
        tags.load(file)
        file.seek(0)
        width, height = tags[256], tags[257]
        _refuse_size(width, height)
        bits, kind = max(tags.get(258, (1,))), tags.get(339, (1,))[0]
        colors = tags.get(277, 1)
        if bits == 64 or (bits == 32 and kind == 3 and colors > 1) or (bits == 16 and colors > 1):
            return _Deep("TIFF", tags.get(ORIENTATION_TAG, 1))
    return None


def _read_full_depth(file: BinaryIO, deep: _Deep) -> Picture:
    """The image by ``cv2.imdecode``, which keeps 16 bits, floats and doubles as they are."""
    data = np.frombuffer(file.read(), np.uint8)
    planes = cv2.imdecode(data, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if planes is None or planes.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"a damaged {deep.format}, or of a kind that is not read here")
    planes = _turned(planes if planes.ndim == 3 else planes[:, :, np.newaxis], deep.orientation)
    notes = _orientation_note(deep.orientation)
    color = planes[:, :, :3][:, :, ::-1] if planes.shape[2] >= 3 else planes[:, :, :1]
    return Picture(color, planes[:, :, -1] if planes.shape[2] in (2, 4) else None, notes)


def _read_with_pillow(file: BinaryIO) -> Picture:
    with Pillow.open(file, formats=FORMATS) as image:
        _refuse_size(*image.size)
        is_png = image.format == "PNG"
        if is_png:
            image.verify()  # checks every chunk's sum; load() lets bit flips pass
    file.seek(0)
    with Pillow.open(file, formats=FORMATS) as image:
        notes = _orientation_note(image.getexif().get(ORIENTATION_TAG, 1))
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            notes.append(f"the first of {frames} frames")
        image.load()
        upright = ImageOps.exif_transpose(image)
        return _from_pillow(upright, notes)


def _from_pillow(image: Pillow.Image, notes: list[str]) -> Picture:
    """Pixels of any of Pillow's modes, with the depth that the mode has."""
    mode = image.mode
    if mode.startswith("I;16"):
        return Picture(np.asarray(image).astype(np.uint16)[:, :, np.newaxis], None, notes)
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
    return Picture(np.asarray(image.convert("RGB")), None, notes)


def _wide_integers(values: Pixels, notes: list[str]) -> Pixels:
    """32-bit integers as uint16 where they fit, as Pillow reads 16-bit PGM, else as float64."""
    if values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16)
    notes.append("32-bit integers, taken as floats")
    return values.astype(np.float64)


def _refuse_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the image is {height}x{width}: it has no pixels")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"the image is {height}x{width}; the limit is {MAX_SIDE:,} a side")
    if width * height > MAX_PIXELS:
        raise ImageError(f"the image is {height}x{width}; the limit is {MAX_PIXELS:,} pixels")


def _orientation_note(orientation: int) -> list[str]:
    return ["turned upright by its EXIF orientation"] if orientation in range(2, 9) else []


def _turned(planes: Pixels, orientation: int) -> Pixels:
    """(H, W, C) as its EXIF orientation says it is to be shown.

    Source: Exif 2.32, tag 0x0112: where the 0th row and the 0th column are.
    """
    if orientation in {5, 6, 7, 8}:
        planes = planes.transpose(1, 0, 2)
    if orientation in {3, 4, 7, 8}:
        planes = planes[::-1]
    if orientation in {2, 3, 6, 7}:
        planes = planes[:, ::-1]
    return planes
