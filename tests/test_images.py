"""Images keep every value they hold and stand upright."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cnnviz.errors import ImageError
from cnnviz.images import Picture, claimed_pixels, luminance, read_image

H, W = 5, 7
ORIENTATIONS = range(1, 9)


def random(channels: int, dtype: Any = np.uint8) -> Any:
    """Values that use both bytes of 16 bits, and have a sign and a fraction where floats."""
    rng = np.random.default_rng(channels)
    if np.dtype(dtype).kind == "f":
        return (rng.normal(size=(H, W, channels)) * 1000).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, (H, W, channels), dtype, endpoint=True)


def save(path: Path, values: Any, mode: str, **options: Any) -> Path:
    size = (values.shape[1], values.shape[0])
    Image.frombytes(mode, size, values.tobytes()).save(path, **options)
    return path


def png(values: Any, color_type: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A 16-bit PNG by its specification: chunks with sums, rows with filter type 0."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, color_type, 0, 0, 0)
    pixels = before + chunk(b"IDAT", zlib.compress(rows)) + after
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def turned(values: Any, orientation: int) -> Any:
    """(H, W, C) as Pillow turns it, channel by channel."""
    planes = []
    for channel in np.moveaxis(values, 2, 0):
        plane = Image.fromarray(channel.astype(np.int32))
        plane.getexif()[0x0112] = orientation
        planes.append(np.asarray(ImageOps.exif_transpose(plane)))
    return np.dstack(planes).astype(values.dtype)


def assert_holds(picture: Picture, pixels: Any, alpha: Any = None) -> None:
    assert picture.pixels.dtype == pixels.dtype
    assert picture.pixels.tolist() == pixels.tolist()
    if alpha is None:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None
        assert picture.alpha.dtype == pixels.dtype
        assert picture.alpha.tolist() == alpha.tolist()


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[("L", s) for s in ("png", "bmp", "tif", "pgm", "tga")],
        *[("RGB", s) for s in ("png", "bmp", "tif", "ppm", "tga", "qoi", "jp2")],
        *[("RGBA", s) for s in ("png", "tif", "tga", "qoi")],
        *[("LA", s) for s in ("png", "tif", "tga")],
    ],
)
def test_8_bit_images_keep_every_value(tmp_path: Path, mode: str, suffix: str) -> None:
    values = random(len(mode))
    path = save(tmp_path / f"a.{suffix}", values, mode)
    colors = len(mode.rstrip("A"))

    alpha = values[:, :, -1] if mode.endswith("A") else None
    assert_holds(read_image(path), values[:, :, :colors], alpha)


@pytest.mark.parametrize("clear", [None, 2], ids=["opaque", "transparent"])
@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palettes_are_looked_up(tmp_path: Path, suffix: str, clear: int | None) -> None:
    image = Image.frombytes("P", (3, 1), bytes([2, 0, 1]))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    options: dict[str, Any] = {} if clear is None else {"transparency": clear}
    image.save(tmp_path / f"a.{suffix}", **options)

    pixels = np.array([[[70, 80, 90], [10, 20, 30], [40, 50, 60]]], np.uint8)
    alpha = None if clear is None else np.array([[0, 255, 255]])
    assert_holds(read_image(tmp_path / f"a.{suffix}"), pixels, alpha)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "a.pbm"
    path.write_bytes(b"P4 3 1\n" + bytes([0b01000000]))

    assert_holds(read_image(path), np.array([[[255], [0], [255]]], np.uint8))


def test_cmyk_becomes_rgb_and_says_so(tmp_path: Path) -> None:
    cyan = np.full((16, 16, 4), [255, 0, 0, 0], np.uint8)
    picture = read_image(save(tmp_path / "a.jpg", cyan, "CMYK", quality=100))

    assert picture.notes == ["converted from CMYK to RGB"]
    error = np.abs(picture.pixels.astype(int) - [0, 255, 255]).max()
    assert error <= 2  # JPEG's rounding


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_16_bit_gray_is_exact(tmp_path: Path, name: str) -> None:
    values = random(1, np.uint16)
    save(tmp_path / name, values, "I;16")

    assert_holds(read_image(tmp_path / name), values)


@pytest.mark.parametrize(("color_type", "channels"), [(2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("exif_place", [None, "before", "after"])
def test_16_bit_color_png_is_exact(
    tmp_path: Path, color_type: int, channels: int, exif_place: str | None
) -> None:
    values = random(channels, np.uint16)
    turn = chunk(b"eXIf", exif(6).tobytes()[6:])
    extra = {exif_place: turn} if exif_place else {}
    (tmp_path / "a.png").write_bytes(png(values, color_type, **extra))

    upright = values if exif_place is None else turned(values, 6)
    alpha = None if channels == 3 else upright[:, :, -1]
    assert_holds(read_image(tmp_path / "a.png"), upright[:, :, : 1 if channels == 2 else 3], alpha)


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3)], ids=["gray", "RGB"])
def test_16_bit_png_with_one_clear_color_has_alpha(
    tmp_path: Path, color_type: int, channels: int
) -> None:
    values = random(channels, np.uint16)
    clear = values[2, 3]
    before = chunk(b"tRNS", clear.astype(">u2").tobytes())
    (tmp_path / "a.png").write_bytes(png(values, color_type, before=before))

    alpha = np.full((H, W), 65535)
    alpha[2, 3] = 0
    assert_holds(read_image(tmp_path / "a.png"), values, alpha)


@pytest.mark.parametrize("top", [65535, 1000])
def test_16_bit_ppm_is_scaled_to_its_top(tmp_path: Path, top: int) -> None:
    values = np.minimum(random(3, np.uint16), top).astype(np.uint16)
    data = b"P6\n# a comment\n7 5\n%d\n" % top + values.astype(">u2").tobytes()
    (tmp_path / "a.ppm").write_bytes(data)

    expected = [round(v * 65535 / top) for v in values.ravel().tolist()]
    assert_holds(
        read_image(tmp_path / "a.ppm"), np.array(expected, np.uint16).reshape(values.shape)
    )


LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tiles": {"tile": (16, 16)},
    "deflate": {"compression": "deflate"},
    "predicted": {"compression": "deflate", "predictor": 2},
    "strips": {"rowsperstrip": 2},
    "big-endian": {"byteorder": ">"},
    "big-endian-deflate": {"byteorder": ">", "compression": "deflate"},
    "bigtiff": {"bigtiff": True},
}


def tiff(path: Path, values: Any, **options: Any) -> Path:
    channels = values.shape[2]
    options.setdefault("photometric", "rgb" if channels > 2 else "minisblack")
    if channels in {2, 4}:
        options.setdefault("extrasamples", ["unassalpha"])
    data = values[:, :, 0] if channels == 1 else values
    tifffile.imwrite(path, data, metadata=None, **options)
    return path


@pytest.mark.parametrize(
    ("dtype", "layout"),
    [
        (dtype, layout)
        for dtype in (np.uint16, np.float32, np.float64)
        for layout in LAYOUTS
        if layout != "predicted" or dtype == np.uint16  # tifffile predicts no floats by itself
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_tiffs_are_exact(tmp_path: Path, channels: int, dtype: Any, layout: str) -> None:
    values = random(channels, dtype)
    path = tiff(tmp_path / "a.tif", values, **LAYOUTS[layout])

    alpha = values[:, :, 3] if channels == 4 else None
    assert_holds(read_image(path), values[:, :, :3], alpha)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_integers_beyond_16_bits_become_floats(tmp_path: Path, dtype: Any) -> None:
    values = random(1, dtype)
    values[0, 0] = np.iinfo(dtype).min

    picture = read_image(tiff(tmp_path / "a.tif", values))

    assert_holds(picture, values.astype(np.float64))
    assert "taken as floats" in picture.notes[0]


def test_16_bits_where_0_is_white_are_inverted(tmp_path: Path) -> None:
    values = random(1, np.uint16)

    assert_holds(
        read_image(tiff(tmp_path / "a.tif", values, photometric="miniswhite")), 65535 - values
    )


@pytest.mark.parametrize(
    ("channels", "dtype", "options"),
    [
        pytest.param(3, np.uint16, {"planarconfig": "separate"}, id="separate-planes"),
        pytest.param(3, np.float32, {"planarconfig": "separate"}, id="separate-float-planes"),
        pytest.param(2, np.uint8, {"planarconfig": "separate"}, id="separate-alpha"),
        pytest.param(2, np.uint16, {"planarconfig": "contig"}, id="gray-and-alpha"),
        pytest.param(4, np.uint16, {"photometric": "separated", "extrasamples": None}, id="CMYK"),
        pytest.param(4, np.uint16, {"extrasamples": ["assocalpha"]}, id="premultiplied"),
        pytest.param(3, np.uint16, {"photometric": "cielab"}, id="lab"),
        pytest.param(1, np.int8, {}, id="signed-bytes"),
        pytest.param(1, np.float16, {}, id="half-floats"),
        pytest.param(1, np.float32, {"photometric": "miniswhite"}, id="floats-where-0-is-white"),
        pytest.param(
            1, np.int32, {"byteorder": ">", "compression": "deflate"}, id="big-endian-deflate"
        ),
        pytest.param(3, np.uint16, {"byteorder": ">", "bigtiff": True}, id="big-endian-bigtiff"),
    ],
)
def test_tiffs_that_would_be_misread_are_refused(
    tmp_path: Path, channels: int, dtype: Any, options: dict[str, Any]
) -> None:
    values = random(channels, dtype)
    if options.get("planarconfig") == "separate":
        values = np.moveaxis(values, 2, 0)  # tifffile wants the planes first
        photometric = "rgb" if channels == 3 else "minisblack"
        extra = {"extrasamples": ["unassalpha"]} if channels == 2 else {}
        options = {**options, "photometric": photometric, **extra}
        tifffile.imwrite(tmp_path / "a.tif", values, metadata=None, **options)
    else:
        tiff(tmp_path / "a.tif", values, **options)

    with pytest.raises(ImageError, match="not read here"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("suffix", "channels", "dtype"),
    [
        ("png", 3, np.uint16),
        ("tif", 3, np.uint8),
        ("tif", 1, np.uint16),
        ("tif", 3, np.uint16),
        ("tif", 4, np.float32),
        ("tif", 1, np.float64),
    ],
)
def test_images_stand_upright(
    tmp_path: Path, suffix: str, channels: int, dtype: Any, orientation: int
) -> None:
    values = random(channels, dtype)
    if np.dtype(dtype).kind == "f":
        values = np.rint(values)  # the turning by Pillow is of integers
    path = tmp_path / f"a.{suffix}"
    if suffix == "png":
        path.write_bytes(png(values, 2, before=chunk(b"eXIf", exif(orientation).tobytes()[6:])))
    else:
        tiff(path, values, extratags=[(0x0112, "H", 1, orientation, True)])

    picture = read_image(path)

    upright = turned(values, orientation)
    assert_holds(picture, upright[:, :, :3], upright[:, :, 3] if channels == 4 else None)
    assert picture.pixels.flags.c_contiguous
    note = "turned upright by its EXIF orientation"
    assert picture.notes == ([] if orientation == 1 else [note])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_photographs_stand_upright(tmp_path: Path, orientation: int) -> None:
    # Hand-written from the Exif standard: where the white corner of row 0, column 0 is shown.
    corner = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}
    values = np.zeros((16, 32, 1), np.uint8)
    values[:8, :8] = 255
    path = save(tmp_path / "a.jpg", values, "L", exif=exif(orientation))

    pixels = read_image(path).pixels[:, :, 0]

    assert pixels.shape == ((16, 32) if orientation < 5 else (32, 16))
    corners = {"tl": pixels[0, 0], "tr": pixels[0, -1], "bl": pixels[-1, 0], "br": pixels[-1, -1]}
    assert [name for name, value in corners.items() if value > 200] == [corner[orientation]]


def test_the_first_of_several_frames_is_read(tmp_path: Path) -> None:
    first, second = np.zeros((H, W, 3), np.uint16), np.ones((H, W, 3), np.uint16)
    frames = [Image.new("L", (W, H), gray) for gray in (9, 99, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    tifffile.imwrite(tmp_path / "a.tif", np.stack([first, second]), photometric="rgb")

    gif, deep = read_image(tmp_path / "a.gif"), read_image(tmp_path / "a.tif")

    assert (gif.pixels.max(), gif.notes) == (9, ["the first of 3 frames"])
    assert (deep.pixels.max(), deep.notes) == (0, ["the first of several frames"])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_luminance_is_what_pillow_calls_gray(seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8, endpoint=False)

    gray = np.asarray(Image.fromarray(pixels).convert("L"))

    assert np.array_equal(luminance(pixels)[:, :, 0], gray)


@pytest.mark.parametrize(
    ("name", "values", "claimed"),
    [
        pytest.param("a.png", random(3), H * W, id="png"),
        pytest.param("a.tiff", random(3, np.uint16), H * W, id="deep"),
        pytest.param("a.tiff", random(3, np.float32), None, id="too deep for Pillow"),
    ],
)
def test_what_an_image_will_take_in_memory_is_known_beforehand(
    tmp_path: Path, name: str, values: Any, claimed: int | None
) -> None:
    path = tmp_path / name
    if name == "a.png":
        save(path, values, "RGB")
    else:
        tifffile.imwrite(path, values, photometric="rgb")
    assert claimed_pixels(path) == (path.stat().st_size if claimed is None else claimed)
    path.write_bytes(b"no image")
    assert claimed_pixels(path) == 8
    path.unlink()
    assert claimed_pixels(path) == 0


@pytest.mark.parametrize(
    ("suffix", "shift", "options", "bits"),
    [
        (".jp2", 0, [], 16),
        (".avif", 6, [cv2.IMWRITE_AVIF_DEPTH, 10], 10),
        (".avif", 8, [cv2.IMWRITE_AVIF_DEPTH, 8], 8),
    ],
)
def test_depth_that_is_lost_is_said(
    tmp_path: Path, suffix: str, shift: int, options: list[int], bits: int
) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (32, 32, 3), np.uint16) >> shift
    kind = np.uint8 if bits == 8 else np.uint16
    good, data = cv2.imencode(suffix, values.astype(kind), options)
    if not good:
        pytest.skip(f"this OpenCV writes no {suffix}")
    (tmp_path / f"a{suffix}").write_bytes(data.tobytes())
    notes = read_image(tmp_path / f"a{suffix}").notes
    assert notes == ([f"read at 8 bits, of the {bits} that it has"] if bits > 8 else [])
