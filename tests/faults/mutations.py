"""Changed images: cut, with a bit turned, with bytes replaced; and what became of each.

``python -m tests.faults.mutations 250`` tries so many of each kind and format, and counts.
"""

from __future__ import annotations

import io
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from cnnviz.errors import ImageError
from cnnviz.images import read_image
from tests.conftest import ROOT

KINDS = ("cut", "flip", "noise")
PILLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "jpeg": ("JPEG", {}),
    "jpeg-progressive": ("JPEG", {"progressive": True}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "ico": ("ICO", {"sizes": [(90, 90)]}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "webp": ("WEBP", {}),
    "webp-lossless": ("WEBP", {"lossless": True}),
    "avif": ("AVIF", {}),
    "jp2": ("JPEG2000", {}),
    "ppm": ("PPM", {}),
    "qoi": ("QOI", {}),
    "tga": ("TGA", {}),
}


def originals() -> dict[str, bytes]:
    """A sample image in every format that is read, some of them twice."""
    with Image.open(ROOT / "samples" / "coffee.png") as whole:
        image = whole.convert("RGB").resize((120, 90))
    found = {}
    for name, (kind, options) in PILLOW.items():
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        found[name] = buffer.getvalue()
    pixels = np.asarray(image)
    deep = pixels.astype(np.uint16) * 257 ^ 1234
    found["png-16"] = cv2.imencode(".png", deep)[1].tobytes()
    for name, values in (("tiff-16", deep), ("tiff-float", pixels.astype(np.float32))):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, values, photometric="rgb", metadata=None, compression="deflate")
        found[name] = buffer.getvalue()
    return found


def changed(data: bytes, kind: str, random: np.random.Generator) -> bytes:
    """``data`` cut somewhere, with one bit turned, or with up to eight places overwritten."""
    if kind == "cut":
        return data[: int(random.integers(len(data)))]
    new = bytearray(data)
    if kind == "flip":
        new[int(random.integers(len(new)))] ^= 1 << int(random.integers(8))
        return bytes(new)
    for _ in range(int(random.integers(1, 9))):
        at, length = int(random.integers(len(new))), int(random.integers(1, 5))
        new[at : at + length] = random.bytes(length)
    return bytes(new)


def tried(count: int, folder: Path, seed: int = 0) -> Iterator[tuple[str, str, Counter[str]]]:
    """For each format and kind of change: how many were refused, right, wrong and said, wrong."""
    path, random = folder / "image", np.random.default_rng(seed)
    for name, data in originals().items():
        path.write_bytes(data)
        whole = read_image(path).pixels
        for kind in KINDS:
            became: Counter[str] = Counter()
            for _ in range(count):
                path.write_bytes(changed(data, kind, random))
                try:
                    picture = read_image(path)
                except ImageError:
                    became["refused"] += 1
                    continue
                doubt = any("may be wrong" in note for note in picture.notes)
                same = np.array_equal(picture.pixels, whole)
                became["right" if same else "said" if doubt else "wrong"] += 1
            yield name, kind, became


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        for what, how, counts in tried(int(sys.argv[1]), Path(place)):
            sys.stdout.write(f"{what:18}{how:7}{dict(counts)}\n")
