"""PNG files on all cores: each block of rows is filtered and compressed by itself.

Fast: ISA-L's deflate at level 1 takes a quarter of the time of OpenCV's encoder. Of the PNG
filters, Up and Average give the smallest files at that level, each on other images, so each block
takes the one with the smaller differences.

Small: filters are tried, and so are ways to compress. zlib-ng at level 7 makes what zlib makes at
6 in half the time. The stream is cut as pigz cuts it: each block starts with the end of the one
before as its dictionary, so that a cut costs a few dozen bytes.

Source of the format: Portable Network Graphics, W3C, third edition.
"""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from isal import isal_zlib
from zlib_ng import zlib_ng

from cnnviz.cores import cores
from cnnviz.images.png_filters import (
    AVERAGE,
    UP,
    candidates,
    differences,
    filtered,
    rows_above,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from cnnviz.images.picture import Pixels
    from cnnviz.images.png_filters import Rows

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # gray, gray and alpha, RGB, RGB and alpha
ZLIB_HEADER = b"\x78\x01"
RAW = -15  # deflate without zlib's header and sum
ADLER = 65521

BLOCK_BYTES = 1_000_000
SAMPLED = 8  # the filter is chosen by every 8th row

PIECE_BYTES = 1 << 17  # of rows that share a choice of filters
ENOUGH = 1 << 17  # compressed bytes that make a block
WINDOW = 1 << 15  # how far back deflate sees
MEMORY = 9  # the most; less means more code tables
# Levels and strategies. Where filters leave noise, runs alone are as small as other matches, or
# smaller; where rows repeat, MEDIUM now and then beats BETTER.
BETTER, RUNS, MEDIUM = (7, zlib_ng.Z_FILTERED), (1, zlib_ng.Z_RLE), (6, zlib_ng.Z_FILTERED)


class Block(NamedTuple):
    """Deflate ``data``, and of what they were made: the Adler sum and number of bytes."""

    data: bytes
    adler: int
    size: int


class Piece(NamedTuple):
    """Rows from ``start`` to ``stop``, their filters, and about their size when compressed."""

    start: int
    stop: int
    kinds: Rows
    size: int


def png_chunks(
    planes: Pixels, *, small: bool = False, threads: int | None = None
) -> Iterator[bytes]:
    """A PNG file of (H, W, C) uint8 or uint16, piece by piece as it gets ready.

    C is 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. ``small`` is for files no larger than Pillow's,
    at about ten times the work. ``threads`` share it, one for each core that the process may use
    if None; they change nothing in the file.
    """
    height, width, channels = planes.shape
    depth = planes.dtype.itemsize
    rows = planes.astype(">u2").view(np.uint8) if depth == 2 else planes
    rows = rows.reshape(height, width * channels * depth)
    header = struct.pack(">IIBBBBB", width, height, 8 * depth, COLOR_TYPES[channels], 0, 0, 0)
    yield SIGNATURE + _chunk(b"IHDR", header)
    compress = _small_blocks if small else _fast_blocks
    adler, ready = 1, ZLIB_HEADER
    with ThreadPoolExecutor(threads or cores()) as pool:
        for number, block in enumerate(compress(rows, channels * depth, pool)):
            if number:
                yield _chunk(b"IDAT", ready)
            ready = block.data if number else ready + block.data
            adler = _combined(adler, block.adler, block.size)
    yield _chunk(b"IDAT", ready + struct.pack(">I", adler)) + _chunk(b"IEND", b"")


def _spans(rows: Rows, size: int) -> list[tuple[int, int]]:
    """Where rows are cut into parts of about ``size`` bytes: first row, row after the last."""
    height, width = rows.shape
    return list(pairwise([*range(0, height, max(size // width, 1)), height]))


def _fast_blocks(rows: Rows, pixel: int, pool: Executor) -> Iterator[Block]:
    """Rows (H, W) compressed; ``pixel`` is the number of bytes of one."""
    spans = _spans(rows, BLOCK_BYTES)
    return pool.map(lambda span: _fast_block(rows, span, pixel), spans)


def _fast_block(rows: Rows, span: tuple[int, int], pixel: int) -> Block:
    start, stop = span
    block, above = rows[start:stop], rows_above(rows, start, stop)
    some = slice(None, None, SAMPLED)

    def distance(kind: int) -> int:
        """How far the differences are from 0, either way round; small ones compress well."""
        left = differences(kind, block[some], above[some], pixel)
        return int(np.minimum(left, 0 - left).sum(dtype=np.int64))

    kinds = np.full(stop - start, min((UP, AVERAGE), key=distance), np.uint8)
    data = filtered(kinds, block, above, pixel)
    deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, RAW)
    end = isal_zlib.Z_FINISH if stop == rows.shape[0] else isal_zlib.Z_FULL_FLUSH
    return Block(deflate.compress(data) + deflate.flush(end), isal_zlib.adler32(data), data.size)


def _small_blocks(rows: Rows, pixel: int, pool: Executor) -> Iterator[Block]:
    """Rows (H, W) compressed; ``pixel`` is the number of bytes of one."""
    pieces = list(pool.map(lambda span: _piece(rows, span, pixel), _spans(rows, PIECE_BYTES)))
    kinds = np.concatenate([piece.kinds for piece in pieces])
    blocks = _gathered(pieces)
    return pool.map(lambda block: _small_block(rows, block, kinds, pixel), blocks)


def _piece(rows: Rows, span: tuple[int, int], pixel: int) -> Piece:
    """Rows with those filters, of some candidates, that make a sample of them smallest."""
    start, stop = span
    piece, above = rows[start:stop], rows_above(rows, start, stop)
    choices = candidates(piece, above, pixel)

    def size(kinds: Rows, step: int = 1) -> int:
        some = slice(None, None, step)
        sample = filtered(kinds[some], piece[some], above[some], pixel)
        deflate = _deflate(MEDIUM)
        return len(deflate.compress(sample) + deflate.flush()) * len(piece) // len(sample)

    sizes = [size(kinds, SAMPLED) for kinds in choices]
    if _repeats(min(sizes), piece.size):  # a sample of the rows does not show it
        sizes = [size(kinds) for kinds in choices]
    best = int(np.argmin(sizes))
    return Piece(start, stop, choices[best], sizes[best])


def _repeats(size: int, raw: int) -> bool:
    """Whether to try more: rows seem to repeat, or are so few that it takes no time."""
    return size < raw // 8 or raw < PIECE_BYTES // 2


def _gathered(pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces put together to blocks, each large enough for what a cut costs."""
    blocks: list[list[Piece]] = [[]]
    for piece in pieces:
        if _total(blocks[-1]) >= ENOUGH:
            blocks.append([])
        blocks[-1].append(piece)
    if len(blocks) > 1 and _total(blocks[-1]) < ENOUGH:
        blocks[-2:] = [blocks[-2] + blocks[-1]]
    return blocks


def _total(pieces: list[Piece]) -> int:
    return sum(piece.size for piece in pieces)


def _small_block(rows: Rows, pieces: list[Piece], kinds: Rows, pixel: int) -> Block:
    """The smallest that pieces become, of several ways; ``kinds`` (H,) are all rows' filters."""

    def data(start: int, stop: int) -> Rows:
        return filtered(kinds[start:stop], rows[start:stop], rows_above(rows, start, stop), pixel)

    start, stop = pieces[0].start, pieces[-1].stop
    before = max(start - WINDOW // rows.shape[1] - 1, 0)
    dictionary = data(before, start).tobytes()[-WINDOW:] if start else b""
    repeats = _repeats(_total(pieces), (stop - start) * rows.shape[1])
    methods = (BETTER, RUNS, MEDIUM) if repeats else (BETTER, RUNS)
    streams = [(_deflate(method, dictionary), [b""]) for method in methods]
    adler, size = 1, 0
    for piece in pieces:
        part = data(piece.start, piece.stop)
        adler, size = isal_zlib.adler32(part, adler), size + part.size
        for deflate, done in streams:
            done.append(deflate.compress(part))
    end = zlib_ng.Z_FINISH if stop == rows.shape[0] else zlib_ng.Z_SYNC_FLUSH
    ways = [b"".join([*done, deflate.flush(end)]) for deflate, done in streams]
    return Block(min(ways, key=len), adler, size)


def _deflate(method: tuple[int, int], dictionary: bytes = b"") -> zlib_ng._Compress:
    level, strategy = method
    return zlib_ng.compressobj(level, zlib_ng.DEFLATED, RAW, MEMORY, strategy, dictionary)


def _combined(first: int, second: int, size: int) -> int:
    """The Adler-32 sum of two pieces of data, of which the second has ``size`` bytes.

    An Adler sum is (B, A): A is 1 plus all bytes, B the sum of A after each byte, both modulo
    65521. Source: RFC 1950, section 8.
    """
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + size * ((first & 0xFFFF) - 1)
    return high % ADLER << 16 | low % ADLER


def _chunk(name: bytes, data: bytes) -> bytes:
    total = isal_zlib.crc32(data, isal_zlib.crc32(name))
    return b"".join([struct.pack(">I", len(data)), name, data, struct.pack(">I", total)])
