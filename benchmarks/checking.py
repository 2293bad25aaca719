"""Whether all contenders make the same picture, so that nothing is compared that does less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, JpegImagePlugin

from measuring import measured, print_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from measuring import Contender

KERNEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))


def print_differences(
    contenders: Callable[[Path], list[Contender]], source: Path, folder: Path
) -> None:
    """One row for each contender: samples that differ from Sobel x by its definition, and its JPEG.

    ``contenders`` names them for a file to be written. Inside and on the outermost pixels are
    counted apart, because borders are a matter of taste.
    """
    print_row(["", "differ inside", "at most", "differ at the border", "JPEG tables, sampling"])
    print_row(["---"] * 5)
    with Image.open(source) as photo:
        response = sobel_x(np.asarray(photo, np.int32))
    photos = contenders(folder / "result.jpg")
    for contender, to_jpeg in zip(contenders(folder / "result.png"), photos, strict=True):
        expected = np.clip(response if contender.cuts_negatives else np.abs(response), 0, 255)
        measured(contender.command, folder, files=1)
        with Image.open(folder / "result.png") as result:
            difference = np.abs(np.asarray(result, np.int32) - expected)
        inside = difference[1:-1, 1:-1]
        border = np.count_nonzero(difference) - np.count_nonzero(inside)
        measured(to_jpeg.command, folder, files=1)
        cells = [np.count_nonzero(inside), inside.max(), border, how_compressed(folder)]
        print_row([contender.title, *map(str, cells)])


def sobel_x(pixels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Signed response of (H, W, C) pixels, mirrored at the border without the edge twice."""
    height, width, _ = pixels.shape
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    total = np.zeros_like(pixels)
    for y, weights in enumerate(KERNEL):
        for x, weight in enumerate(weights):
            total += weight * padded[y : y + height, x : x + width]
    return total


def how_compressed(folder: Path) -> str:
    """Sums of the luminance and chroma quantisation tables, and the chroma sampling."""
    with Image.open(folder / "result.jpg") as photo:
        assert isinstance(photo, JpegImagePlugin.JpegImageFile)
        sums = " + ".join(str(sum(table)) for table in photo.quantization.values())
        sampling = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
        return f"{sums}, {sampling.get(JpegImagePlugin.get_sampling(photo), 'other')}"
