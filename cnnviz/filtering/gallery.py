"""Every kernel applied to one image, for a sheet of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.display import mapping, resolve_display
from cnnviz.figures.filter import lettered
from cnnviz.figures.gallery import Exhibit, draw_gallery
from cnnviz.filtering.image import filter_image
from cnnviz.images import read_image
from cnnviz.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.kernels import Kernel, Magnitude

    Pixels = NDArray[Any]

WIDEST, HIGHEST = 240, 300  # pixels that a place of the sheet shows
DRAWN = 160, 224  # rows and columns of the picture that is drawn
FINER = 4  # times, before it is reduced
NOT_WHITE = 0.995  # of a stretched result's values


def gallery(kernels: Sequence[Kernel | Magnitude], image: Path | None, suffix: str) -> bytes:
    """A sheet with every kernel's result on an image, or on a picture of edges, lines and dots.

    The image is reduced first, to the pixels that the sheet shows, so that what a kernel of few
    pixels does can be seen. Each result is verified.

    Raises:
        ImageError: the file is not an image that can be read.
        DisagreementError: the engines differ.
    """
    pixels = _reduced(read_image(image).pixels) if image else drawn()
    first = sorted(kernels, key=lambda kernel: kernel.name != "identity")  # which is the image
    exhibits = [_exhibit(kernel, pixels) for kernel in first]
    with lettered():
        name = image.name if image else say("a drawn picture")
        return draw_gallery(exhibits, name, suffix)


def drawn() -> Pixels:
    """A gray picture with a ramp, edges, lines and dots in it: (160, 224, 1) in 8 bits."""
    height, width = (FINER * n for n in DRAWN)
    y, x = (grid / FINER for grid in np.mgrid[:height, :width])
    picture = 60 + 100 * x / DRAWN[1]
    picture[np.hypot(y - 58, x - 62) < 38] = 225
    picture[np.hypot(y - 58, x - 62) < 20] = 90
    picture[(abs(y - 52) < 32) & (abs(x - 172) < 32)] = 25
    picture[(abs(y - 52) < 14) & (abs(x - 172) < 14)] = 240
    for number, (down, across) in enumerate(((0, 1), (1, 0), (0.707, 0.707), (-0.707, 0.707))):
        top, left = y - 128, x - 28 - 44 * number
        near = (abs(top * across - left * down) < 0.75) & (np.hypot(top, left) < 19)
        picture[near] = 250
    dots = (abs(y - 128) < 20) & (abs(x - 202) < 14)
    picture[dots & (np.hypot(y % 8 - 4, x % 8 - 4) < 1.5)] = 250
    parts = picture.reshape(DRAWN[0], FINER, DRAWN[1], FINER)
    return np.asarray(np.rint(parts.mean(axis=(1, 3))), np.uint8)[:, :, np.newaxis]


def _exhibit(kernel: Kernel | Magnitude, pixels: Pixels) -> Exhibit:
    """A kernel's result as it is; of one that sums to 0, |x| stretched until little is white."""
    result = filter_image(pixels, kernel).result
    if resolve_display("auto", kernel) == "abs":
        size = np.abs(np.nan_to_num(result, posinf=0, neginf=0))
        white = float(np.quantile(size, NOT_WHITE)) or 1.0
        return Exhibit(kernel.name, "|x|", np.rint(np.fmin(size / white, 1) * 255).astype(np.uint8))
    shown = mapping(pixels, "clip", zero_sum=kernel.zero_sum)(result)
    return Exhibit(kernel.name, "", _eight_bits(shown))


def _reduced(pixels: Pixels) -> Pixels:
    """Means of blocks of pixels, so many that what is left has room in the sheet."""
    height, width, channels = pixels.shape
    side = max(1, -(-height // HIGHEST), -(-width // WIDEST))
    rows, columns = max(height // side, 1), max(width // side, 1)
    if side == 1 or min(height, width) < side:
        return pixels
    whole = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side, channels)
    means = whole.mean(axis=(1, 3))
    return means.astype(pixels.dtype) if pixels.dtype.kind == "f" else _whole(means, pixels)


def _whole(means: Pixels, pixels: Pixels) -> Pixels:
    return np.asarray(np.rint(means), pixels.dtype)


def _eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    return np.asarray(pixels >> 8 if pixels.dtype == np.uint16 else pixels, np.uint8)
