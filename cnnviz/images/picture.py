"""What a decoded image is, how large it may be, and which way up it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.errors import ImageError
from cnnviz.limits import MAX_SIDE, max_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

ORIENTATION_TAG = 0x0112
TURNED = range(2, 9)  # the orientations other than upright


@dataclass
class Picture:
    """A decoded image: ``pixels`` (H, W, 1) gray or (H, W, 3) RGB.

    Depth is the file's: uint8, uint16, float32 or float64. ``alpha`` is (H, W) of the same
    dtype, or None. ``notes`` say what reading it involved.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    notes: list[str] = field(default_factory=list)


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


def refuse_size(width: int, height: int) -> None:
    """Refuse what is too large to be decoded safely, by what the header claims.

    Raises:
        ImageError: no pixels, more than ``max_pixels``, or more than 65,535 a side.
    """
    if width < 1 or height < 1:
        raise ImageError(f"the image is {height}x{width}: it has no pixels")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"the image is {height}x{width}; the limit is {MAX_SIDE:,} a side")
    if width * height > (most := max_pixels()):
        raise ImageError(
            f"the image is {height}x{width}; the limit is {most:,} pixels (--max-pixels)"
        )


def orientation_note(orientation: Any) -> list[str]:
    """What to say of an EXIF orientation; nothing where the image is upright as it is."""
    return ["turned upright by its EXIF orientation"] if orientation in TURNED else []


def turned(planes: Pixels, orientation: Any) -> Pixels:
    """(H, W, C) or (H, W) as its EXIF orientation says it is to be shown.

    Source: Exif 2.32, tag 0x0112: where the 0th row and the 0th column are.
    """
    if orientation in {5, 6, 7, 8}:
        planes = planes.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        planes = planes[::-1]
    if orientation in {2, 3, 6, 7}:
        planes = planes[:, ::-1]
    return planes
