"""Pixels to image files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cnnviz.errors import ImageError, UsageError
from cnnviz.images.png import png_chunks
from cnnviz.limits import MAX_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.images.picture import Pixels

# What cv2 can encode, and whether with 16 bits or floats a channel, and with alpha.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
SIXTEEN_BIT = {".png", ".tif", ".tiff"}
FLOATS = {".tif", ".tiff"}
LONGEST = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500}
ROWS_AT_A_TIME = 256
WITH_ALPHA = {".png", ".tif", ".tiff", ".webp"}


LOSSY = {
    ".jpg": cv2.IMWRITE_JPEG_QUALITY,
    ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
    ".webp": cv2.IMWRITE_WEBP_QUALITY,
}


@dataclass(frozen=True)
class Encoding:
    """How image files are written.

    ``quality`` is 1 to 100 for JPEG (95 if None) and WebP (lossless if None); ``compression``
    is fast or small for PNG; ``threads`` may work on a PNG, all cores if None.
    """

    quality: int | None = None
    compression: str = "fast"
    threads: int | None = None


def encode_image(
    pixels: Pixels,
    suffix: str,
    alpha: Pixels | None = None,
    how: Encoding | None = None,
) -> bytes:
    """An image file of (H, W, 1|3) pixels; ``suffix`` names the format.

    Takes uint8, uint16 where the format holds it, and floats for TIFF. ``alpha`` (H, W) of the
    same dtype goes in where the format has it.

    Raises:
        UsageError: no encoder for that suffix, or none for that depth.
    """
    return b"".join(image_chunks(pixels, suffix, alpha, how))


def image_chunks(
    pixels: Pixels,
    suffix: str,
    alpha: Pixels | None = None,
    how: Encoding | None = None,
    *,
    consume: bool = False,
) -> Iterator[bytes]:
    """As ``encode_image``, piece by piece, so that a large file need not be in memory whole.

    With ``consume`` the pixels may be overwritten, which saves a copy of them.
    """
    if suffix.lower() not in SUFFIXES:
        raise UsageError(f"no image format is called {suffix!r}; use {', '.join(SUFFIXES)}")
    depths = {1} | ({2} if suffix.lower() in SIXTEEN_BIT else set())
    fits = pixels.dtype.kind == "u" and pixels.dtype.itemsize in depths
    if not (fits or (pixels.dtype in (np.float32, np.float64) and suffix.lower() in FLOATS)):
        raise UsageError(f"{suffix} does not hold {pixels.dtype}; .tiff does")
    how = how or Encoding()
    if suffix.lower() == ".png":
        planes = pixels if alpha is None else np.dstack([pixels, alpha])
        yield from png_chunks(planes, small=how.compression == "small", threads=how.threads)
        return
    longest, limit = max(pixels.shape[:2]), LONGEST.get(suffix.lower(), MAX_SIDE)
    if longest > limit:
        raise UsageError(
            f"{suffix} holds {limit:,} pixels a side, not {longest:,}; .png holds more"
        )
    planes = _bgr(pixels, consume=consume)
    if alpha is not None and suffix.lower() in WITH_ALPHA:
        color = np.repeat(planes, 3, axis=2) if planes.shape[2] == 1 else planes
        planes = np.dstack([color, alpha])
    flag = LOSSY.get(suffix.lower())
    settings = [] if flag is None or how.quality is None else [flag, how.quality]
    done, data = cv2.imencode(suffix.lower(), np.ascontiguousarray(planes), settings)
    if not done:
        raise ImageError(f"OpenCV could not encode {pixels.shape} {pixels.dtype} as {suffix}")
    yield data.tobytes()


def _bgr(pixels: Pixels, *, consume: bool) -> Pixels:
    """The pixels with their channels in OpenCV's order."""
    if pixels.shape[2] == 1:
        return pixels
    swapped = pixels if consume and pixels.flags.carray else np.empty_like(pixels, order="C")
    for top in range(0, len(pixels), ROWS_AT_A_TIME):
        rows = np.ascontiguousarray(pixels[top : top + ROWS_AT_A_TIME])
        if pixels.dtype == np.float64:  # which cvtColor does not take
            swapped[top : top + ROWS_AT_A_TIME] = rows[:, :, ::-1].copy()
        else:
            swapped[top : top + ROWS_AT_A_TIME] = cv2.cvtColor(rows, cv2.COLOR_RGB2BGR)
    return swapped
