"""Folders of images for batches, and what batches leave in theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cnnviz.record import RECORD

NAMES = ("a", "b", "c", "d", "e")


def noise(seed: int, height: int, width: int) -> Image.Image:
    """A random RGB image."""
    random = np.random.default_rng(seed)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))


def contents(folder: str | Path) -> dict[str, bytes]:
    """All files below a folder, without the record of the batch."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.name != RECORD]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
