"""What is no image, damaged or too large is refused in one line; what is encoded comes back."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnviz.errors import ImageError, UsageError
from cnnviz.images import encode_image, read_image

EIGHT = np.random.default_rng(8).integers(0, 256, (24, 32, 4), np.uint8)
DEEP = np.random.default_rng(16).integers(0, 65536, (24, 32, 4), np.uint16)


def refused(path: Path) -> str:
    """Why ``path`` is refused, in one line that starts with its name."""
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pillow(name: str, channels: int = 3, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(EIGHT[:, :, :channels]).save(buffer, name, **options)
    return buffer.getvalue()


def deep_tiff(dtype: Any = np.uint16, **options: Any) -> bytes:
    buffer = io.BytesIO()
    values = DEEP[:, :, :3].astype(dtype)
    tifffile.imwrite(buffer, values, photometric="rgb", metadata=None, **options)
    return buffer.getvalue()


def deep_png() -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP[:, :, :3])
    return png_of(32, 24, 2, rows, bits=16)


def png_of(width: int, height: int, color_type: int, rows: bytes, bits: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def icon_of(image: bytes) -> bytes:
    """An icon that says 16x16, whatever is in it."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(image), 22) + image


FILES = {
    "avif": pillow("AVIF"),
    "bmp": pillow("BMP"),
    "gif": pillow("GIF"),
    "ico": pillow("ICO", 4, sizes=[(32, 24)]),
    "jpeg": pillow("JPEG"),
    "jpeg-progressive": pillow("JPEG", progressive=True),
    "jpeg2000": pillow("JPEG2000"),
    "png": pillow("PNG", 4),
    "png-16": deep_png(),
    "ppm": pillow("PPM"),
    "ppm-16": b"P6 32 24 65535\n" + DEEP[:, :, :3].astype(">u2").tobytes(),
    "qoi": pillow("QOI", 4),
    "tga": pillow("TGA"),
    "tiff": pillow("TIFF", 4),
    "tiff-lzw": pillow("TIFF", compression="tiff_lzw"),
    "tiff-16": deep_tiff(),
    "tiff-16-deflate": deep_tiff(compression="deflate", tile=(16, 16)),
    "tiff-float": deep_tiff(np.float32),
    "webp": pillow("WEBP", 4, lossless=True),
}


# A decoder's warning is no error outside the tests, and must not be what refuses a file here.
OUTSIDE = "ignore::UserWarning"


@pytest.mark.filterwarnings(OUTSIDE)
@pytest.mark.parametrize("kind", FILES)
def test_truncated_images_are_never_half_read(tmp_path: Path, kind: str) -> None:
    data, path = FILES[kind], tmp_path / "a"
    path.write_bytes(data)
    whole = read_image(path).pixels

    refusals = 0
    for tenths in range(10):
        path.write_bytes(data[: len(data) * tenths // 10])
        try:
            cut = read_image(path).pixels
        except ImageError:
            refusals += 1
        else:  # only what follows the pixels was cut off
            assert np.array_equal(cut, whole)
    assert refusals >= 9


@pytest.mark.filterwarnings(OUTSIDE)
@pytest.mark.parametrize("kind", ["jpeg", "jpeg-progressive", "png", "png-16"])
@pytest.mark.parametrize("tenths", range(10))
def test_truncated_jpeg_and_png_are_refused(tmp_path: Path, kind: str, tenths: int) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES[kind][: len(FILES[kind]) * tenths // 10])

    refused(path)


@pytest.mark.parametrize("kind", ["png", "png-16"])
@pytest.mark.parametrize("place", [100, 1000, -13], ids=["early", "late", "in-the-sum"])
def test_one_flipped_bit_in_a_png_is_noticed(tmp_path: Path, kind: str, place: int) -> None:
    data = bytearray(FILES[kind])
    data[place] ^= 1
    (tmp_path / "a.png").write_bytes(data)

    assert "damaged" in refused(tmp_path / "a.png")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(sorted(FILES)),
    start=st.integers(4, 400),
    junk=st.binary(max_size=64),
    rest=st.booleans(),
)
@pytest.mark.filterwarnings(OUTSIDE)
def test_junk_after_a_valid_start_is_read_or_refused(
    tmp_path: Path, kind: str, start: int, junk: bytes, *, rest: bool
) -> None:
    data = FILES[kind]
    (tmp_path / "a").write_bytes(data[:start] + junk + (data[start + len(junk) :] if rest else b""))
    try:
        picture = read_image(tmp_path / "a")
    except ImageError:
        return  # anything else that is raised fails the test
    assert picture.pixels.ndim == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not an image", id="empty"),
        pytest.param(b"These are words.\n" * 50, "not an image", id="text"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an", id="EPS"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n", "not an image", id="PDF"),
        pytest.param(b"P3 1 1 65535\n1 2 3\n", "plain text", id="deep-plain-PPM"),
        pytest.param(FILES["ppm-16"][:-1], "ends too early", id="short-PPM"),
    ],
)
def test_files_that_are_no_image_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(content)

    assert reason in refused(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("folder", "this is a folder", id="folder"),
        pytest.param("pipe", "not a regular file", id="FIFO"),
        pytest.param("missing.png", "no such file", id="missing"),
        pytest.param("loop", "", id="symlink-to-itself"),
        pytest.param("n" * 300, "", id="long-name"),
    ],
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")

    assert reason in refused(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(png_of(70000, 70000, 2, b""), "70000x70000; the limit is 65,535", id="side"),
        pytest.param(png_of(30000, 20000, 2, b""), "20000x30000; the limit is 256,", id="pixels"),
        pytest.param(png_of(30000, 30000, 2, b"", bits=16), "30000x30000; the", id="16-bit-png"),
        pytest.param(icon_of(png_of(30000, 30000, 6, b"")), "30000x30000; the", id="in-an-icon"),
        pytest.param(b"P6 30000 20000 65535\n", "20000x30000; the limit", id="16-bit-ppm"),
        pytest.param(b"P6 30000 20000 255\n", "20000x30000; the limit", id="ppm"),
    ],
)
def test_sizes_beyond_the_limits_are_refused_before_decoding(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "a.png").write_bytes(content)

    assert reason in refused(tmp_path / "a.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tag", ["ImageWidth", "TileWidth"])
def test_tiff_sizes_are_refused_before_decoding(tmp_path: Path, tag: str, dtype: Any) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(deep_tiff(dtype, tile=(16, 16)))
    with tifffile.TiffFile(path, mode="r+") as file:
        page = file.pages.first
        for name in (tag, tag.replace("Width", "Length")):
            page.tags[name].overwrite(60000)

    assert refused(path).startswith("the image is 60000x60000; the limit is 256,000,000")


def test_lack_of_memory_ends_only_that_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    (tmp_path / "a.png").write_bytes(FILES["png"])
    monkeypatch.setattr(Image.Image, "convert", refuse)

    assert "memory" in refused(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        *[(s, np.uint8) for s in (".png", ".PNG", ".tif", ".tiff", ".bmp")],
        *[(s, np.uint16) for s in (".png", ".tif", ".tiff")],
        *[(".tiff", d) for d in (np.float32, np.float64)],
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True], ids=["", "alpha"])
def test_encoded_images_come_back_exactly(
    tmp_path: Path, suffix: str, dtype: Any, channels: int, *, with_alpha: bool
) -> None:
    values = (DEEP / 7 - 3000 if np.dtype(dtype).kind == "f" else DEEP).astype(dtype)
    pixels, alpha = values[:, :, :channels], values[:, :, 3] if with_alpha else None
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_image(pixels, suffix, alpha))

    picture = read_image(path)

    if with_alpha and suffix == ".bmp":
        alpha = None  # a BMP holds none
    elif with_alpha:
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, values[:, :, 3])
        if suffix.lower() != ".png":  # gray with alpha is written as RGBA
            pixels = np.broadcast_to(pixels, (24, 32, 3))
    assert picture.pixels.dtype == dtype
    assert np.array_equal(picture.pixels, pixels)
    assert (picture.alpha is None) == (alpha is None)
    if np.dtype(dtype).kind == "f" and alpha is None:  # LZW is beyond tifffile by itself
        assert np.array_equal(np.squeeze(tifffile.imread(path)), np.squeeze(pixels))


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        *[(s, np.uint8) for s in ("", ".txt", ".gif", "png", ".eps")],
        *[(s, np.uint16) for s in (".jpg", ".webp", ".bmp")],
        *[(s, np.float32) for s in (".png", ".jpg")],
        (".tiff", np.int32),
    ],
)
def test_what_a_format_does_not_hold_is_not_written(suffix: str, dtype: Any) -> None:
    with pytest.raises(UsageError):
        encode_image(np.zeros((2, 3, 3), dtype), suffix)


@pytest.mark.parametrize(("suffix", "limit"), [(".webp", "16,383"), (".jpg", "65,500")])
def test_an_image_too_long_for_its_format_is_refused_before_encoding(
    suffix: str, limit: str
) -> None:
    with pytest.raises(UsageError, match=f"holds {limit} pixels a side"):
        encode_image(np.zeros((1, 65_535, 1), np.uint8), suffix)


def test_a_jpeg_whose_data_end_early_is_refused_although_it_is_closed(tmp_path: Path) -> None:
    data = FILES["jpeg"]
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 3 // 4] + b"\xff\xd9")

    assert refused(tmp_path / "a.jpg").startswith("a damaged JPEG (")


@pytest.mark.parametrize("kind", ["jpeg", "jpeg-cmyk"])
def test_what_libjpeg_doubts_is_refused_or_said(tmp_path: Path, kind: str) -> None:
    cmyk = io.BytesIO()
    Image.fromarray(EIGHT, "CMYK").save(cmyk, "JPEG")
    data = {"jpeg": FILES["jpeg"], "jpeg-cmyk": cmyk.getvalue()}[kind]
    start = data.index(b"\xff\xda") + 14
    path, doubted = tmp_path / "a.jpg", 0
    for place in range(start, len(data) - 2, 7):
        changed = bytearray(data)
        changed[place] ^= 4
        path.write_bytes(changed)
        try:
            simplejpeg.decode_jpeg(bytes(changed), "CMYK" if "cmyk" in kind else "RGB", strict=True)
            continue
        except ValueError:
            doubted += 1
        try:
            notes = read_image(path).notes
        except ImageError:
            continue
        assert any(note.startswith("parts may be wrong, libjpeg says: ") for note in notes)
    assert doubted > 10
