"""What a picture shows, found in its decoded pixels."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def decoded(png: bytes) -> Pixels:
    """RGB (H, W, 3) of a PNG."""
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def marked_areas(pixels: Pixels) -> list[Pixels]:
    """The rectangles drawn with the fixture ``marker``, as levels, in reading order."""
    mask = ((pixels[:, :, 1] == 255) & (pixels[:, :, 2] == 0)).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = sorted((int(y), int(x), int(w), int(h), int(n)) for x, y, w, h, n in boxes[1:])
    assert all(w * h == n for _, _, w, h, n in areas), "an area that is not a rectangle"
    return [pixels[y : y + h, x : x + w, 0] for y, x, w, h, _ in areas]


def margins(pixels: Pixels) -> int:
    """How many rows and columns are white all around: clipped ink leaves none."""
    ink = (pixels != 255).any(axis=2)
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    height, width = ink.shape
    ends = (rows[0], height - 1 - rows[-1], columns[0], width - 1 - columns[-1])
    return int(min(ends))
