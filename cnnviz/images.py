"""Image files to arrays and back: upright, bounded, at full depth."""

from __future__ import annotations

import io
import re
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from PIL.IcoImagePlugin import IcoFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

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

# What cv2 can encode, and whether with 16 bits or floats a channel, and with alpha.
SIXTEEN_BIT = {".png", ".tif", ".tiff"}
FLOATS = {".tif", ".tiff"}
WITH_ALPHA = {".png", ".tif", ".tiff", ".webp"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

ORIENTATION_TAG = 0x0112

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0")
BIG_TIFF = b"II+\0"
BIG_ENDIAN_BIG_TIFF = b"MM\0+"
ICO_SIGNATURE = b"\0\0\1\0"
PPM_HEADER = re.compile(rb"P([36])" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})" + rb"\s")


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

    Takes uint8, uint16 where the format holds it, and floats for TIFF. ``alpha`` (H, W) of the
    same dtype goes in where the format has it.

    Raises:
        UsageError: no encoder for that suffix, or none for that depth.
    """
    if suffix.lower() not in SUFFIXES:
        raise UsageError(f"no image format is called {suffix!r}; use {', '.join(SUFFIXES)}")
    depths = {1} | ({2} if suffix.lower() in SIXTEEN_BIT else set())
    fits = pixels.dtype.kind == "u" and pixels.dtype.itemsize in depths
    if not (fits or (pixels.dtype in (np.float32, np.float64) and suffix.lower() in FLOATS)):
        raise UsageError(f"{suffix} does not hold {pixels.dtype}; .tiff does")
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
    try:
        if not path.exists():
            raise ImageError("there is no such file")
        if path.is_dir():
            raise ImageError("this is a folder; name the images in it, as in FOLDER/*.png")
        if not path.is_file():
            raise ImageError("not a regular file; name an image")
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
    head = _start(file)
    if head.startswith(PNG_SIGNATURE) and head[24:26] in {b"\x10\x02", b"\x10\x04", b"\x10\x06"}:
        return _read_deep_png(file, gray=head[25] == 4)
    if head.startswith(TIFF_SIGNATURES):
        tags = ImageFileDirectory_v2(head[: 16 if head.startswith(BIG_TIFF) else 8])
        first = tags.next
        file.seek(first)
        tags.load(file)
        file.seek(0)
        if _is_deep_tiff(tags, little=head.startswith(b"II")):
            return _read_deep_tiff(file, tags, first)
    if head.startswith(BIG_ENDIAN_BIG_TIFF):
        raise ImageError("a big-endian BigTIFF is not read here; save it as a plain TIFF")
    if head.startswith(ICO_SIGNATURE):
        # Pillow decodes on opening, and what is inside may be larger than the icon says.
        _refuse_size(*IcoFile(file).frame(0).size)
        file.seek(0)
    if (header := PPM_HEADER.match(head)) and int(header[4]) > 255:
        return _read_deep_ppm(file, header)
    return _read_with_pillow(file)


def _start(file: BinaryIO) -> bytes:
    """The first bytes of ``file``, enough for any header; leaves it at its start."""
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    return head


def _read_deep_png(file: BinaryIO, *, gray: bool) -> Picture:
    """A PNG of 16-bit colour, or of gray with alpha, which cv2 repeats into three channels."""
    _check(file)
    with Pillow.open(file, formats=["PNG"]) as image:
        orientation, notes = _orientation(image), _notes(image)
    file.seek(0)
    planes = _turned(_decoded_by_cv2(file.read(), "PNG"), orientation)
    color = planes[:, :, :1] if gray else planes[:, :, :3][:, :, ::-1]
    return Picture(color, planes[:, :, 3] if planes.shape[2] == 4 else None, notes)


def _is_deep_tiff(tags: ImageFileDirectory_v2, *, little: bool) -> bool:
    """Whether cv2 is to read this TIFF; refuses what neither library reads right.

    Pillow reduces 16-bit colour to 8, reads few floats, takes signed bytes as unsigned, and
    swaps compressed big-endian values twice. cv2 takes separate planes for interleaved ones.
    """
    _refuse_size(tags[256], tags[257])
    _refuse_size(tags.get(322, 1), tags.get(323, 1))  # a tile is allocated whole
    bits, kinds = set(tags.get(258, (1,))), set(tags.get(339, (1,)))
    channels, extras = tags.get(277, 1), tags.get(338, ())
    separate = channels > 1 and tags.get(284, 1) == 2
    deep = False
    if bits <= {1, 2, 4, 8} and kinds == {1}:
        right = not (separate and channels == 2)
    elif channels == 1 and bits in ({12}, {16}, {32}) and kinds in ({1}, {2}):
        right = (bits != {32} and kinds == {1}) or little or tags.get(259, 1) == 1
    else:
        deep = True
        right = (
            not separate
            and (bits, kinds) in (({16}, {1}), ({32}, {3}), ({64}, {3}))
            and (channels, tags.get(262)) in {(1, 1), (3, 2), (4, 2)}
            and extras in ({4: ((), (0,), (2,))}.get(channels, ((),)))
        )
    if not right:
        depth = "/".join(str(b) for b in sorted(bits))
        planes = " in separate planes" if separate else ""
        raise ImageError(
            f"a TIFF of {channels} x {depth} bits{planes}, of a kind that is not read here; "
            "save it as interleaved unsigned integers or floats, gray or RGB"
        )
    return deep


def _read_deep_tiff(file: BinaryIO, tags: ImageFileDirectory_v2, first: int) -> Picture:
    data = bytearray(file.read())
    orientation = tags.get(ORIENTATION_TAG, 1)
    _clear_orientation(data, first)
    planes = _turned(_decoded_by_cv2(data, "TIFF"), orientation)
    channels = planes.shape[2]
    notes = _orientation_note(orientation)
    if tags.next:
        notes.append("the first of several frames")
    alpha = planes[:, :, 3] if channels == 4 else None
    if alpha is not None and tags.get(338) == (0,):
        notes.append("a fourth channel that is not alpha left out")
        alpha = None
    return Picture(planes[:, :, :3][:, :, ::-1] if channels > 1 else planes, alpha, notes)


def _clear_orientation(data: bytearray, first: int) -> None:
    """Make the first directory of a TIFF say upright: cv2's TIFF reader turns, asked or not."""
    order = "<" if data.startswith(b"II") else ">"
    big = data.startswith(BIG_TIFF)
    length, step, value = (8, 20, 12) if big else (2, 12, 8)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, first)
    for at in range(first + length, first + length + count * step, step):
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag == ORIENTATION_TAG:
            struct.pack_into(order + ("I" if kind == 4 else "H"), data, at + value, 1)


def _decoded_by_cv2(data: bytes | bytearray, name: str) -> Pixels:
    """(H, W, C) in BGR order at the depth of the file."""
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if planes is None or planes.dtype not in (np.uint16, np.float32, np.float64):
        raise ImageError(f"a damaged {name}, or of a kind that is not read here")
    return planes if planes.ndim == 3 else planes[:, :, np.newaxis]


def _read_deep_ppm(file: BinaryIO, header: re.Match[bytes]) -> Picture:
    """A PPM of up to 16 bits a channel, its top value scaled to 65535 as Pillow does for PGM.

    Source: https://netpbm.sourceforge.net/doc/ppm.html
    """
    width, height, top = (int(header[i]) for i in (2, 3, 4))
    _refuse_size(width, height)
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


def _check(file: BinaryIO) -> None:
    """Refuse a size beyond the limits and a PNG with a wrong sum, before anything is decoded."""
    with Pillow.open(file, formats=FORMATS) as image:
        _refuse_size(*image.size)
        if image.format == "PNG":
            image.verify()  # checks every chunk's sum; load() lets bit flips pass
    file.seek(0)


def _read_with_pillow(file: BinaryIO) -> Picture:
    _check(file)
    with Pillow.open(file, formats=FORMATS) as image:
        notes = _notes(image)
        image.load()
        picture = _from_pillow(ImageOps.exif_transpose(image), notes)
        if isinstance(image, TiffImageFile):
            picture.pixels = _meant_by_tiff(picture.pixels, image.tag_v2)
        return picture


def _meant_by_tiff(pixels: Pixels, tags: ImageFileDirectory_v2) -> Pixels:
    """What Pillow leaves undone: 16-bit values where 0 is white, unsigned 32-bit values."""
    if pixels.dtype == np.uint16 and tags.get(262) == 0:
        return 65535 - pixels
    return pixels % 2**32 if pixels.min() < 0 and tags.get(339, (1,)) == (1,) else pixels


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
    return Picture(np.asarray(image.convert("RGB")), None, notes)


def _wide_integers(values: Pixels, notes: list[str]) -> Pixels:
    """32-bit integers as uint16 where they fit, as Pillow reads 16-bit PGM, else as float64."""
    if values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16)
    notes.append("integers of more than 16 bits or with a sign, taken as floats")
    return values.astype(np.float64)


def _refuse_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the image is {height}x{width}: it has no pixels")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"the image is {height}x{width}; the limit is {MAX_SIDE:,} a side")
    if width * height > MAX_PIXELS:
        raise ImageError(f"the image is {height}x{width}; the limit is {MAX_PIXELS:,} pixels")


def _orientation(image: Pillow.Image) -> Any:
    return image.getexif().get(ORIENTATION_TAG, 1)


def _notes(image: Pillow.Image) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    several = [f"the first of {frames} frames"] if frames > 1 else []
    return _orientation_note(_orientation(image)) + several


def _orientation_note(orientation: Any) -> list[str]:
    return ["turned upright by its EXIF orientation"] if orientation in range(2, 9) else []


def _turned(planes: Pixels, orientation: Any) -> Pixels:
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
