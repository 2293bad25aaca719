"""Images are read upright, whatever their format, their mode and their alpha."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnviz.images import read_image

PIXELS = (np.arange(2 * 3 * 3).reshape(2, 3, 3) * 9).astype(np.uint8)
ORIENTATION = 0x0112

# Exif 2.32, tag 0x0112: which corner the first row and the first column are at.
UPRIGHT = {
    1: lambda planes: planes,
    2: lambda planes: planes[:, ::-1],
    3: lambda planes: planes[::-1, ::-1],
    4: lambda planes: planes[::-1],
    5: lambda planes: planes.swapaxes(0, 1),
    6: lambda planes: np.rot90(planes, -1),
    7: lambda planes: planes.swapaxes(0, 1)[::-1, ::-1],
    8: lambda planes: np.rot90(planes, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
@pytest.mark.parametrize("suffix", ["tiff", "png", "webp"])
def test_lossless_images_are_turned(
    tmp_path: Path, suffix: str, mode: str, orientation: int
) -> None:
    image = Image.fromarray(PIXELS).convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(PIXELS[:, :, 0]))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    settings: dict[str, Any] = {"lossless": True, "exact": True} if suffix == "webp" else {}
    image.save(tmp_path / f"image.{suffix}", exif=exif, **settings)

    picture = read_image(tmp_path / f"image.{suffix}")

    expected = UPRIGHT[orientation](np.asarray(image.convert("RGBA")))
    colors = expected[:, :, :3]
    assert np.array_equal(np.broadcast_to(picture.pixels, colors.shape), colors)
    if picture.alpha is not None:
        assert np.array_equal(picture.alpha, expected[:, :, 3])
    assert (picture.alpha is not None) == mode.endswith("A")


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        pytest.param("RGB", {}, id="plain"),
        pytest.param("L", {}, id="gray"),
        pytest.param("RGB", {"progressive": True}, id="progressive"),
        pytest.param("RGB", {"subsampling": 0}, id="4:4:4"),
        pytest.param("RGB", {"keep_rgb": True}, id="without-luma"),
        pytest.param("RGB", {"restart_marker_blocks": 3}, id="restart-markers"),
        pytest.param("CMYK", {}, id="cmyk"),
    ],
)
def test_jpeg_pixels_are_pillow_s(
    tmp_path: Path, samples: Path, mode: str, settings: dict[str, Any], orientation: int
) -> None:
    with Image.open(samples / "chelsea.png") as photo:
        image = photo.convert(mode).resize((61, 43))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.save(tmp_path / "image.jpg", exif=exif, **settings)
    with Image.open(tmp_path / "image.jpg") as file:
        pillow_s = np.asarray(file.convert("L" if mode == "L" else "RGB"))
    expected = UPRIGHT[orientation](pillow_s.reshape(43, 61, -1))
    assert np.array_equal(read_image(tmp_path / "image.jpg").pixels, expected)
