"""Which way up an image is, and whether there are more behind it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cnnviz.images.picture import ORIENTATION_TAG, orientation_note

if TYPE_CHECKING:
    from PIL import Image as Pillow

MOST_PAGES = 100
HEADER = 4096  # bytes
# By format: what its depth follows, how many bytes further, and what is added to that byte.
DEPTH_AT = {"JPEG2000": (b"\xff\x51", 38, 1), "AVIF": (b"pixi", 5, 0)}
MOST_COUNTED = 10_000_000  # bytes: counting frames means going over them


def orientation_of(image: Pillow.Image) -> Any:
    """The EXIF orientation; 1, upright, where there is none."""
    return image.getexif().get(ORIENTATION_TAG, 1)


def notes_on(image: Pillow.Image) -> list[str]:
    """What is to be said of an image that Pillow has opened: turned, or the first of several."""
    return orientation_note(orientation_of(image)) + _frames_note(image) + _depth_note(image)


def _depth_note(image: Pillow.Image) -> list[str]:
    """What to say of JPEG 2000 and AVIF in colour that are deeper than Pillow reads them.

    Source: ISO 15444-1, A.5.1 (SIZ), and ISO 23008-12, 6.5.6 (pixi).
    """
    file = getattr(image, "fp", None)
    if image.format not in DEPTH_AT or image.mode.startswith("I") or file is None:
        return []
    mark, further, offset = DEPTH_AT[image.format]
    before = file.tell()
    file.seek(0)
    _, found, rest = file.read(HEADER).partition(mark)
    file.seek(before)
    bits = (rest[further] & 0x7F) + offset if found and len(rest) > further else 8
    return [f"read at 8 bits, of the {bits} that it has"] if bits > 8 else []


def _frames_note(image: Pillow.Image) -> list[str]:
    """What to say of frames beyond the first; they are not counted in a long file."""
    if image.format == "TIFF":  # a millisecond a page
        frames = f"over {MOST_PAGES}" if (count := _pages(image)) > MOST_PAGES else str(count)
        return [f"the first of {frames} frames"] if count > 1 else []
    if not getattr(image, "is_animated", False):
        return []
    stream = getattr(image, "fp", None)
    long = stream is not None and stream.seek(0, os.SEEK_END) > MOST_COUNTED
    frames = "several" if long else str(getattr(image, "n_frames", 2))
    return [f"the first of {frames} frames"]


def _pages(image: Pillow.Image) -> int:
    """How many pages a TIFF has, as far as they are counted."""
    count = 1
    try:
        for count in range(1, MOST_PAGES + 2):
            image.seek(count)
    except Exception:  # behind the last, or damaged: the first may be whole all the same
        image.seek(0)
        return count
    image.seek(0)
    return count
