"""Our PNG files, read by libraries that do not know how they were made."""

import io
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from cnnviz.images import png
from cnnviz.images.png import png_chunks


def random_planes(shape: tuple[int, int, int], dtype: type) -> np.ndarray:
    random = np.random.default_rng(0)
    noise: np.ndarray = random.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    noise[: shape[0] // 2] = 7  # one half compresses well
    return noise


def read_by_opencv(data: bytes, channels: int) -> np.ndarray:
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert planes is not None
    if channels == 1:
        return planes[:, :, np.newaxis]
    if channels == 2:  # it repeats the gray
        return planes[:, :, [0, 3]]
    return planes[:, :, [2, 1, 0, 3][:channels]]


def encode_png(planes: np.ndarray, **how: Any) -> bytes:
    return b"".join(png_chunks(planes, **how))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (37, 41)])
@pytest.mark.parametrize("block", [1, 200, 1_000_000])
def test_pixels_come_back(
    monkeypatch: pytest.MonkeyPatch,
    channels: int,
    dtype: type,
    size: tuple[int, int],
    block: int,
) -> None:
    monkeypatch.setattr(png, "BLOCK_BYTES", block)
    planes = random_planes((*size, channels), dtype)
    data = encode_png(planes)
    assert np.array_equal(read_by_opencv(data, channels), planes)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every chunk's sum
    if dtype == np.uint8:
        with Image.open(io.BytesIO(data)) as image:
            read = np.asarray(image)
        assert np.array_equal(read.reshape(planes.shape), planes)


def test_compressed_data_are_one_zlib_stream_with_a_right_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(png, "BLOCK_BYTES", 3000)
    planes = random_planes((300, 100, 3), np.uint8)
    data, at, stream = encode_png(planes), 8, b""
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            stream += data[at + 8 : at + 8 + length]
        at += 12 + length
    inflate = zlib.decompressobj()
    rows = inflate.decompress(stream)  # raises where the Adler sum is wrong
    assert inflate.eof
    assert not inflate.unused_data
    assert len(rows) == 300 * 301


@pytest.mark.parametrize("small", [False, True])
def test_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, small: bool) -> None:
    monkeypatch.setattr(png, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(png, "PIECE_BYTES", 3000)
    monkeypatch.setattr(png, "ENOUGH", 1000)
    planes = random_planes((300, 100, 3), np.uint8)
    files = [encode_png(planes, small=small, threads=threads) for threads in (1, 2, 7)]
    assert files[0] == files[1] == files[2]
    assert files[0].count(b"IDAT") > 3


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 4000), (4000, 1), (150, 217)])
def test_small_files_hold_the_same_pixels(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], dtype: type, channels: int
) -> None:
    monkeypatch.setattr(png, "PIECE_BYTES", 4000)  # so that a block reads the end of the last
    monkeypatch.setattr(png, "ENOUGH", 3000)
    slope = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    planes: np.ndarray = (slope[:, :, np.newaxis] * np.arange(1, channels + 1) // 3).astype(dtype)
    planes[::2] += random_planes((*shape, channels), dtype)[::2] % 4
    data = encode_png(planes, small=True)
    assert np.array_equal(read_by_opencv(data, channels), planes)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every chunk's sum


def drawing() -> np.ndarray:
    """Few colours, sharp edges, rows that repeat."""
    planes = np.full((240, 320, 3), 255, np.uint8)
    cv2.circle(planes, (160, 120), 90, (200, 30, 30), 8)
    cv2.putText(planes, "5x5", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
    return planes


def edges(photo: np.ndarray) -> np.ndarray:
    return cv2.convertScaleAbs(cv2.Sobel(photo, cv2.CV_32F, 1, 0))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda photo: photo, id="photo"),
        pytest.param(edges, id="edges"),
        pytest.param(lambda photo: cv2.GaussianBlur(photo, (5, 5), 2), id="blur"),
        pytest.param(lambda photo: photo[:, :, :1], id="gray"),
        pytest.param(np.zeros_like, id="black"),
        pytest.param(lambda photo: drawing(), id="drawing"),
        pytest.param(lambda photo: random_planes((200, 300, 3), np.uint8), id="noise"),
        pytest.param(lambda photo: photo[:1, :1], id="one pixel"),
        pytest.param(lambda photo: photo[:, :9], id="narrow"),
        pytest.param(lambda photo: np.dstack([photo, photo[:, :, 0]]), id="alpha"),
    ],
)
@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png"])
def test_small_is_no_larger_than_pillow_s(samples: Path, name: str, make: Any) -> None:
    with Image.open(samples / name) as file:
        planes = np.ascontiguousarray(make(np.asarray(file.convert("RGB"))))
    pillow_s = io.BytesIO()
    Image.fromarray(planes[:, :, 0] if planes.shape[2] == 1 else planes).save(pillow_s, "png")
    assert len(encode_png(planes, small=True)) <= len(pillow_s.getvalue())


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png"])
def test_about_opencv_s_size_on_a_photo_and_smaller_on_its_edges(samples: Path, name: str) -> None:
    photo = cv2.imread(str(samples / name))
    assert photo is not None
    edges = cv2.convertScaleAbs(cv2.Sobel(photo, cv2.CV_32F, 1, 0))
    for planes, limit in ((photo, 1.01), (edges, 1.0)):
        done, theirs = cv2.imencode(".png", planes)
        assert done
        assert len(encode_png(planes[:, :, ::-1])) <= limit * len(theirs)
