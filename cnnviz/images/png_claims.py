"""What a PNG claims, weighed by its chunks' headers.

Source of the format: Portable Network Graphics, W3C, third edition.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from isal import isal_zlib

from cnnviz.errors import ImageError
from cnnviz.images.picture import refuse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
MOST_INFLATED = 1032  # bytes of one, by deflate: 258 in two bits
MOST_BESIDE = 64_000_000  # bytes of a chunk that is no pixels
FREE_CHUNKS, BYTES_A_CHUNK = 20_000, 1_000
LARGE = 400_000_000  # bytes of pixels that are counted before they are allocated
PIECE = 1 << 20


class Chunk(NamedTuple):
    """A chunk: where its data begin, how many bytes they are."""

    name: bytes
    start: int
    length: int


class Claim(NamedTuple):
    """Its size, the bytes of pixels that this takes, and where the compressed ones are."""

    size: str
    needed: int
    pixels: list[Chunk]


def refuse_absurd_png(file: BinaryIO, size: int) -> None:
    """Refuse pixels that the compressed bytes cannot hold, and chunks without number or measure.

    Raises:
        ImageError: says which.
    """
    claim = _claim(file, size)
    held = sum(chunk.length for chunk in claim.pixels)
    if claim.pixels and claim.needed > (held + 1) * MOST_INFLATED:
        raise ImageError(
            f"a damaged PNG: {claim.size} takes at least {claim.needed // MOST_INFLATED:,}"
            f" bytes, it has {held:,}"
        )


def refuse_short_png(file: BinaryIO, size: int) -> None:
    """Refuse a large PNG whose pixels end too early, before memory is taken for them.

    Raises:
        ImageError: it is one.
    """
    claim = _claim(file, size)
    if claim.needed > LARGE and not _inflates(file, claim.pixels, claim.needed):
        raise ImageError(f"a damaged PNG: the pixels of {claim.size} are not all there")


def _claim(file: BinaryIO, size: int) -> Claim:
    """What the headers say; of a file that does not begin as a PNG does, nothing."""
    file.seek(len(SIGNATURE))
    header = file.read(21)
    if len(header) < 21 or header[4:8] != b"IHDR":
        return Claim("", 0, [])  # which its reader says
    width, height, bits, color = struct.unpack_from(">IIBB", header, 8)
    refuse_size(width, height)
    needed = height * (1 + -(-width * bits * CHANNELS.get(color, 1) // 8))
    pixels = [chunk for chunk in _chunks(file, size) if chunk.name == b"IDAT"]
    return Claim(f"{height}x{width}", needed, pixels)


def _chunks(file: BinaryIO, size: int) -> Iterator[Chunk]:
    """The chunks, as far as their headers are whole."""
    at, most = len(SIGNATURE), FREE_CHUNKS + size // BYTES_A_CHUNK
    for _ in range(most):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        length, name = int.from_bytes(header[:4], "big"), header[4:]
        if name not in {b"IDAT", b"fdAT"} and MOST_BESIDE < length <= size:
            raise ImageError(
                f"a PNG with a chunk of {length:,} bytes beside its pixels;"
                f" the limit is {MOST_BESIDE:,}"
            )
        yield Chunk(name, at + 8, length)
        if name == b"IEND":
            return
        at += length + 12
    raise ImageError(f"a PNG of more than {most:,} chunks; save it again")


def _inflates(file: BinaryIO, pixels: list[Chunk], needed: int) -> bool:
    """Whether the compressed stream holds that many bytes; none of them is kept."""
    inflate, counted = isal_zlib.decompressobj(), 0
    try:
        for chunk in pixels:
            file.seek(chunk.start)
            left = chunk.length
            while left and (data := file.read(min(left, PIECE))):
                left -= len(data)
                while data and counted < needed and not inflate.eof:
                    counted += len(inflate.decompress(data, PIECE))
                    data = inflate.unconsumed_tail
    except Exception:  # damaged; the type that isal raises has no name for type checkers
        return False
    return counted >= needed
