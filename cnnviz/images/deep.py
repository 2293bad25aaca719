"""Images whose depth Pillow would reduce: decoded by OpenCV, from bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from cnnviz.errors import ImageError
from cnnviz.images.picture import ORIENTATION_TAG, Picture, orientation_note, turned

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    from cnnviz.images.picture import Pixels

BIG_TIFF = b"II+\0"


def decoded_by_cv2(data: bytes | bytearray, name: str) -> Pixels:
    """(H, W, C) in BGR order at the depth of the file."""
    cv2.utils.logging.setLogLevel(0)  # what it finds wrong is said by what is raised here
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if planes is None or planes.dtype not in (np.uint16, np.float32, np.float64):
        raise ImageError(f"a damaged {name}, or of a kind that is not read here")
    return planes if planes.ndim == 3 else planes[:, :, np.newaxis]


def is_deep_tiff(tags: ImageFileDirectory_v2, *, little: bool) -> bool:
    """Whether cv2 is to read this TIFF; refuses what neither library reads right.

    Pillow reduces 16-bit colour to 8, reads few floats, takes signed bytes as unsigned, and
    swaps compressed big-endian values twice. cv2 takes separate planes for interleaved ones.
    """
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


def read_deep_tiff(file: BinaryIO, tags: ImageFileDirectory_v2, first: int) -> Picture:
    """The image of a TIFF that ``is_deep_tiff`` is true for; ``first`` is its directory's place.

    Raises:
        ImageError: damaged.
    """
    data = bytearray(file.read())
    orientation = tags.get(ORIENTATION_TAG, 1)
    _clear_orientation(data, first)
    planes = turned(decoded_by_cv2(data, "TIFF"), orientation)
    channels = planes.shape[2]
    notes = orientation_note(orientation)
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


def meant_by_tiff(pixels: Pixels, tags: ImageFileDirectory_v2) -> Pixels:
    """What Pillow leaves undone: 16-bit values where 0 is white, unsigned 32-bit values."""
    if pixels.dtype == np.uint16 and tags.get(262) == 0:
        return 65535 - pixels
    return pixels % 2**32 if pixels.min() < 0 and tags.get(339, (1,)) == (1,) else pixels
