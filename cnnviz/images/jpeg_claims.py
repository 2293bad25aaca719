"""What a JPEG claims, weighed by its segments.

Source of the format: ITU-T T.81; of what many scans do, "Two Issues with the JPEG Standard",
libjpeg-turbo, 2015.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO, NamedTuple

from cnnviz.errors import ImageError
from cnnviz.images.picture import refuse_size

ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE, ARITHMETIC = {0xC2, 0xC6, 0xCA, 0xCE}, {*range(0xC9, 0xD0)}
SCAN, END = 0xDA, 0xD9

MOST_JUNK = 100_000  # bytes between segments, which decoders skip one by one
MOST_SEGMENTS = 10_000
MOST_SCANS = 100  # an ordinary progressive JPEG has ten
MOST_SCANNED = 5_000_000_000  # pixels times scans: ten seconds
BLOCK = 64  # pixels
# A flat block takes two bits, in a progressive file one for a start; a quarter of that is asked.
BLOCKS_A_BYTE = {False: 16, True: 32}
BEHIND_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


class Frame(NamedTuple):
    """What the header of the pixels says."""

    marker: int
    height: int
    width: int


def refuse_absurd_jpeg(file: BinaryIO, size: int) -> None:
    """Refuse pixels that the file's bytes cannot hold, and parts without number.

    Raises:
        ImageError: says which.
    """
    file.seek(2)
    frame = _first_scan(file)
    if frame is None:
        return  # which its reader says
    refuse_size(frame.width, frame.height)
    progressive = frame.marker in PROGRESSIVE
    left = size - file.tell()
    blocks = frame.width * frame.height // BLOCK
    if frame.marker not in ARITHMETIC and blocks // BLOCKS_A_BYTE[progressive] > left:
        raise ImageError(
            f"a damaged JPEG: {frame.height}x{frame.width} takes at least"
            f" {blocks // BLOCKS_A_BYTE[progressive]:,} bytes, it has {left:,}"
        )
    if progressive:
        most = min(MOST_SCANS, max(20, MOST_SCANNED // (frame.width * frame.height)))
        _refuse_scans(file, most)


def _first_scan(file: BinaryIO) -> Frame | None:
    """What is said of the pixels, the file left at the start of the first scan's segment."""
    frame, junk = None, 0
    for _ in range(MOST_SEGMENTS):
        skipped, marker = _next_marker(file, MOST_JUNK - junk)
        junk += skipped
        if marker is None or marker == END:
            return None
        if marker in ALONE:
            continue
        header = file.read(7)
        length = int.from_bytes(header[:2], "big")
        if marker == SCAN or length < 2 or len(header) < 7:
            return frame
        if marker in FRAMES:
            height, width = int.from_bytes(header[3:5], "big"), int.from_bytes(header[5:7], "big")
            frame = Frame(marker, height, width)
        file.seek(length - 7, os.SEEK_CUR)
    raise ImageError(f"a JPEG of more than {MOST_SEGMENTS:,} segments; save it again")


def _next_marker(file: BinaryIO, most: int) -> tuple[int, int | None]:
    """How much is skipped up to the next marker, and which it is; None at the file's end."""
    before, skipped = b"", -2
    while skipped <= most:
        byte = file.read(1)
        if not byte:
            return max(skipped, 0), None
        skipped += 1
        if before == b"\xff" and byte not in {b"\xff", b"\0"}:
            return skipped, byte[0]
        before = byte
    raise ImageError(f"a JPEG with over {MOST_JUNK:,} bytes between its segments; save it again")


def _refuse_scans(file: BinaryIO, most: int) -> None:
    """Refuse a progressive JPEG of more than ``most`` scans: each goes over all of its pixels."""
    data = file.read()
    at, scans = 0, 1
    while match := BEHIND_DATA.search(data, at):
        marker, at = match[0][1], match.end()
        if marker == END:
            return
        scans += marker == SCAN
        if scans > most:
            raise ImageError(f"a progressive JPEG of more than {most} scans; save it again")
        if marker not in ALONE:
            at += int.from_bytes(data[at : at + 2], "big")
