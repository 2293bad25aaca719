"""What a file claims, weighed before a decoder believes it: by arithmetic, without its pixels.

Decoders take the time and the memory that a header asks for, and only then find that there is
nothing behind it. Each check here reads headers alone, and is generous: what a real encoder
writes passes by far.
"""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, BinaryIO

from cnnviz.errors import ImageError
from cnnviz.images.jpeg_claims import refuse_absurd_jpeg
from cnnviz.images.libtiff import silence_libtiff
from cnnviz.images.picture import refuse_size
from cnnviz.images.png_claims import SIGNATURE, refuse_absurd_png, refuse_short_png

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.TiffImagePlugin import ImageFileDirectory_v2

HEAD = 4096  # bytes that are enough for any header

PNM_HEADER = re.compile(rb"P([1-6fFy])" + 2 * rb"(?:\s|#[^\r\n]*[\r\n])+(-?\d{1,9})" + rb"\s")
PLAIN = b"123"  # of PNM: numbers as text
MOST_PLAIN = 10_000_000  # Pillow reads them one by one
MOST_QOI = 16_000_000  # as above: half a microsecond each
QOI_HEADER, QOI_RUN = 14, 62  # bytes; most pixels of one byte

GIF_HEADER = 13
MOST_GIF_BLOCKS = 200_000
WEBP_HEADER = 30
MOST_OF_WEBP = 20_000  # pixels of a byte; libwebp's own encoder makes 380 of it

# Bytes that one byte becomes at most, by a TIFF's compression: none, LZW, deflate, PackBits.
YCBCR = 6
MOST_OF_TIFF = {1: 1, 5: 1500, 8: 1032, 32946: 1032, 32773: 64}


def refuse_absurd(file: BinaryIO, *, inflating: bool = True) -> None:
    """Refuse a file whose header cannot be true, or whose reading would take unduly long.

    Of a large PNG the pixels are counted too, unless ``inflating`` is off. The file is left at
    its start.

    Raises:
        ImageError: what it claims, and why that is not believed.
    """
    file.seek(0)
    head = file.read(HEAD)
    size = file.seek(0, os.SEEK_END)
    for signature, check in CHECKS.items():
        if head.startswith(signature):
            check(file, head, size)
    if inflating and head.startswith(SIGNATURE):
        refuse_short_png(file, size)
    file.seek(0)


def _png(file: BinaryIO, head: bytes, size: int) -> None:
    del head
    refuse_absurd_png(file, size)


def _jpeg(file: BinaryIO, head: bytes, size: int) -> None:
    del head
    refuse_absurd_jpeg(file, size)


def _pnm(_: BinaryIO, head: bytes, size: int) -> None:
    header = PNM_HEADER.match(head)
    if header is None:
        if head[1:2].isdigit():
            raise ImageError(f"a damaged PNM: no size within its first {HEAD:,} bytes")
        return
    width, height = int(header[2]), int(header[3])
    refuse_size(width, height)
    samples = width * height * (3 if header[1] in {b"3", b"6"} else 1)
    if header[1] in PLAIN:
        least = samples if header[1] == b"1" else 2 * samples - 1  # a digit and a space
        if samples > MOST_PLAIN:
            raise ImageError(
                f"{samples:,} numbers as plain text; the limit is {MOST_PLAIN:,}:"
                " save it as a binary PNM or a PNG"
            )
    else:
        least = samples // 8 if header[1] == b"4" else samples
    _refuse_short("PNM", width, height, least, size)


def _qoi(_: BinaryIO, head: bytes, size: int) -> None:
    if len(head) < QOI_HEADER:
        return
    width, height = struct.unpack_from(">II", head, 4)
    refuse_size(width, height)
    if width * height > MOST_QOI:
        raise ImageError(f"a QOI of {height}x{width}; the limit is {MOST_QOI:,} pixels: use a PNG")
    _refuse_short("QOI", width, height, width * height // QOI_RUN, size)


def _gif(file: BinaryIO, head: bytes, size: int) -> None:
    """Refuse so many comments before the first frame that going over them takes seconds.

    And a size beyond the limits: Pillow fills what a frame leaves behind as soon as it is opened.
    """
    del size
    if len(head) < GIF_HEADER:
        return
    width, height = struct.unpack_from("<HH", head, 6)
    file.seek(GIF_HEADER + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0))
    for _ in range(MOST_GIF_BLOCKS):
        kind = file.read(1)
        if kind == b"!":
            file.seek(1, os.SEEK_CUR)
            kind = b"\0"  # its blocks follow
        elif kind == b",":
            _refuse_frame(width, height, file.read(8))
            return
        elif kind in {b";", b""}:
            return
        if kind == b"\0" and not _skip_blocks(file):
            break
    else:
        raise ImageError(f"over {MOST_GIF_BLOCKS:,} extensions come before its first frame")


def _refuse_frame(width: int, height: int, frame: bytes) -> None:
    """Refuse a GIF of that size whose first frame, which may make it larger, is too large."""
    if len(frame) == 8:
        left, top, across, down = struct.unpack("<HHHH", frame)
        refuse_size(max(width, left + across), max(height, top + down))


def _skip_blocks(file: BinaryIO) -> bool:
    """Go behind the sub-blocks that begin here; False where the file ends first."""
    for _ in range(MOST_GIF_BLOCKS):
        length = file.read(1)
        if not length or length == b"\0":
            return bool(length)
        file.seek(length[0], os.SEEK_CUR)
    raise ImageError(f"a GIF's extension of over {MOST_GIF_BLOCKS:,} blocks")


def _tiff(_: BinaryIO, head: bytes, size: int) -> None:
    """Its tags are weighed by who reads them: see ``refuse_absurd_tiff``."""
    del head, size
    silence_libtiff()


def _webp(_: BinaryIO, head: bytes, size: int) -> None:
    """Refuse the canvas of an animation before the decoder allocates it, twice; and empty frames.

    Source: RFC 9649, sections 2.7 and 2.5; RFC 6386, section 9.1.
    """
    if head[8:12] != b"WEBP" or len(head) < WEBP_HEADER:
        return
    if head[12:16] == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        refuse_size(width, height)
    elif head[12:16] == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 26))
        _refuse_short("WebP", width, height, width * height // MOST_OF_WEBP, size)


def refuse_absurd_tiff(tags: ImageFileDirectory_v2, size: int) -> None:
    """Refuse a TIFF without a size, of one beyond the limits, or that its bytes cannot hold.

    Raises:
        ImageError: says which.
    """
    width, height, most = tags.get(256), tags.get(257), MOST_OF_TIFF.get(tags.get(259, 1))
    if not isinstance(width, int) or not isinstance(height, int):
        raise ImageError("a damaged TIFF: it does not say its size")
    refuse_size(width, height)
    refuse_size(tags.get(322, 1), tags.get(323, 1))  # a tile is allocated whole
    bits = max(tags.get(258, (1,)), default=1)
    if most and tags.get(262) != YCBCR:  # whose colours may be fewer than its pixels
        needed = -(-width * height * bits * tags.get(277, 1) // 8)
        _refuse_short("TIFF", width, height, needed // most, size)


def _refuse_short(kind: str, width: int, height: int, least: int, size: int) -> None:
    if size < least:
        raise ImageError(
            f"a damaged {kind}: {height}x{width} takes at least {least:,} bytes, it has {size:,}"
        )


CHECKS: dict[bytes, Callable[[BinaryIO, bytes, int], None]] = {
    SIGNATURE: _png,
    b"\xff\xd8\xff": _jpeg,
    b"GIF8": _gif,
    b"qoif": _qoi,
    b"RIFF": _webp,
    b"P": _pnm,
    b"II": _tiff,
    b"MM": _tiff,
}
