"""Make the photos that are filtered from samples/, enlarged and with grain like a camera's.

    python benchmarks/photos.py TARGET MEGAPIXELS [--count N]

TARGET is a JPEG file; with --count a folder, filled with that many different photos.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

SAMPLES = Path(__file__).parent.parent / "samples"
ASPECT = 1.5
# Without grain an enlarged photo is so smooth that it compresses to half of what a camera's does.
GRAIN = 4  # standard deviation, of 255
QUALITY = 90


def save_photo(path: Path, megapixels: float) -> None:
    """The cup of coffee as a JPEG file of that size."""
    with Image.open(SAMPLES / "coffee.png") as sample:
        write(path, sample.convert("RGB"), megapixels, np.random.default_rng(0))


def save_photos(folder: Path, count: int, megapixels: float) -> None:
    """``count`` different photos: parts of the cup of coffee and of the cat, some mirrored."""
    random = np.random.default_rng(0)
    samples = [Image.open(SAMPLES / name).convert("RGB") for name in ("coffee.png", "chelsea.png")]
    for number in range(count):
        part = cut(samples[number % len(samples)], random)
        write(folder / f"photo_{number:03}.jpg", part, megapixels, random)


def cut(sample: Photo, random: np.random.Generator) -> Photo:
    """A part of 0.5 to 1 of the sample's height, anywhere in it, mirrored or not."""
    height = sample.height * random.uniform(0.5, 1)
    width = min(height * ASPECT, sample.width)
    left = random.uniform(0, sample.width - width)
    top = random.uniform(0, sample.height - height)
    part = sample.crop((round(left), round(top), round(left + width), round(top + height)))
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else part


def write(path: Path, photo: Photo, megapixels: float, random: np.random.Generator) -> None:
    """Save ``photo`` enlarged to ``megapixels`` with grain of the same strength in all channels."""
    width = round((megapixels * 1e6 * ASPECT) ** 0.5)
    pixels = np.asarray(photo.resize((width, round(width / ASPECT))), np.float32).copy()
    pixels += GRAIN * random.standard_normal(pixels.shape[:2], np.float32)[:, :, None]
    np.clip(pixels, 0, 255, out=pixels)
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=QUALITY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("megapixels", type=float)
    parser.add_argument("--count", type=int)
    options = parser.parse_args()
    if options.count is None:
        save_photo(options.target, options.megapixels)
    else:
        options.target.mkdir()
        save_photos(options.target, options.count, options.megapixels)


if __name__ == "__main__":
    main()
