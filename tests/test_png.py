"""Our PNG files, read by libraries that do not know how they were made."""

import io
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnnviz.images import png
from cnnviz.images.png import png_chunks

SMALL = pytest.mark.parametrize("small", [False, True], ids=["fast", "small"])


def encode_png(planes: np.ndarray, **how: Any) -> bytes:
    return b"".join(png_chunks(planes, **how))


def random_planes(shape: tuple[int, int, int], dtype: type) -> np.ndarray:
    random = np.random.default_rng(0)
    noise: np.ndarray = random.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    noise[: shape[0] // 2] = 7  # one half compresses well
    return noise


def cut_often(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(png, "BLOCK_BYTES", size)
    monkeypatch.setattr(png, "PIECE_BYTES", size)
    monkeypatch.setattr(png, "ENOUGH", max(size // 2, 1))


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    at, chunks = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def read_by_opencv(data: bytes, channels: int) -> np.ndarray:
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert planes is not None
    if channels == 1:
        return planes[:, :, np.newaxis]
    if channels == 2:  # it repeats the gray
        return planes[:, :, [0, 3]]
    return planes[:, :, [2, 1, 0, 3][:channels]]


@SMALL
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
    small: bool,
) -> None:
    cut_often(monkeypatch, block)
    planes = random_planes((*size, channels), dtype)
    data = encode_png(planes, small=small)
    assert np.array_equal(read_by_opencv(data, channels), planes)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every chunk's sum
    if dtype == np.uint8:
        with Image.open(io.BytesIO(data)) as image:
            read = np.asarray(image)
        assert np.array_equal(read.reshape(planes.shape), planes)


@SMALL
def test_compressed_data_are_one_zlib_stream_with_a_right_sum(
    monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    cut_often(monkeypatch, 3000)
    chunks = chunks_of(encode_png(random_planes((300, 100, 3), np.uint8), small=small))
    parts = [data for name, data in chunks if name == b"IDAT"]
    inflate = zlib.decompressobj()
    rows = inflate.decompress(b"".join(parts))  # raises where the Adler sum is wrong
    assert inflate.eof
    assert not inflate.unused_data
    assert len(rows) == 300 * 301
    assert len(parts) > 3


@SMALL
def test_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, small: bool) -> None:
    cut_often(monkeypatch, 3000)
    planes = random_planes((300, 100, 3), np.uint8)
    one, two, seven = (encode_png(planes, small=small, threads=n) for n in (1, 2, 7))
    assert one == two == seven


def test_one_thread_for_each_core_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            threads.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(png, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    planes = random_planes((5, 5, 3), np.uint8)
    encode_png(planes)
    encode_png(planes, threads=2)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    encode_png(planes)
    assert threads == [3, 2, 1]


def test_what_repeats_is_found_across_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 100, 3), np.uint8)
    planes = np.tile(noise, (30, 1, 1))
    whole = len(encode_png(planes, small=True))
    cut_often(monkeypatch, 8000)
    cut = encode_png(planes, small=True)
    assert len(cut) < 1.2 * whole
    assert np.array_equal(read_by_opencv(cut, 3), planes)


def test_blocks_are_worth_a_cut() -> None:
    sizes = np.random.default_rng(0).integers(1, png.ENOUGH // 2, 40).tolist()
    for last in range(1, 40):
        pieces = [png.Piece(0, 0, np.zeros(0, np.uint8), size) for size in sizes[:last]]
        blocks = png._gathered(pieces)
        assert [piece for block in blocks for piece in block] == pieces
        totals = [sum(piece.size for piece in block) for block in blocks]
        assert len(totals) == 1 or min(totals) >= png.ENOUGH
        assert max(totals) < 2.5 * png.ENOUGH


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png"])
def test_about_opencv_s_size_on_a_photo_and_smaller_on_its_edges(samples: Path, name: str) -> None:
    photo = cv2.imread(str(samples / name))
    assert photo is not None
    edges = cv2.convertScaleAbs(cv2.Sobel(photo, cv2.CV_32F, 1, 0))
    for planes, limit in ((photo, 1.01), (edges, 1.0)):
        done, theirs = cv2.imencode(".png", planes)
        assert done
        assert len(encode_png(planes[:, :, ::-1])) <= limit * len(theirs)


def size_by_pillow(planes: np.ndarray) -> int:
    file = io.BytesIO()
    Image.fromarray(planes.squeeze(2) if planes.shape[2] == 1 else planes).save(file, "PNG")
    return file.tell()


def drawing() -> np.ndarray:
    image = Image.new("RGB", (420, 300), "white")
    draw = ImageDraw.Draw(image)
    for at in range(0, 300, 30):
        draw.ellipse((at, at, at + 90, at + 60), fill=(at % 256, 40, 160), outline="black")
        draw.text((5, at), f"kernel {at}", fill="black")
    return np.asarray(image)


def sixteen_bits(gray: np.ndarray) -> np.ndarray:
    blurred = cv2.GaussianBlur(gray.astype(np.float32) * 257, (0, 0), 1.5)
    noise = np.random.default_rng(0).normal(0, 40, blurred.shape)
    pixels: np.ndarray = np.clip(blurred + noise, 0, 65535).astype(np.uint16)
    return pixels


def cut_out(photo: np.ndarray) -> np.ndarray:
    alpha = np.zeros((*photo.shape[:2], 1), np.uint8)
    cv2.circle(alpha, (300, 200), 150, 255, -1)
    return np.dstack([photo * (alpha > 0), alpha])


SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
FROM_PHOTO = {
    "photo": lambda photo: photo,
    "edges": lambda photo: cv2.convertScaleAbs(cv2.Sobel(photo, cv2.CV_32F, 1, 0)),
    "smooth": lambda photo: cv2.GaussianBlur(photo, (5, 5), 0),
    "sharp": lambda photo: cv2.filter2D(photo, -1, SHARPEN),
    "enlarged": lambda photo: cv2.resize(photo, (1225, 816), interpolation=cv2.INTER_LANCZOS4),
    "gray": lambda photo: photo[:, :, 1],
    "16 bits": lambda photo: sixteen_bits(photo[:, :, 1]),
    "with alpha": cut_out,
    "wide": lambda photo: photo.reshape(1, -1, 3)[:, :50_000],
    "tall": lambda photo: photo.reshape(-1, 1, 3)[:50_000],
}
MADE = {
    "drawing": drawing(),
    "flat": np.full((400, 500, 3), (12, 200, 77), np.uint8),
    "black": np.zeros((400, 500), np.uint8),
    "icon": drawing()[30:70, 30:70],
    "ramp": np.tile(np.arange(256, dtype=np.uint8), (300, 1)),
    "noise": random_planes((300, 300, 3), np.uint8)[150:],
    "1x1": np.full((1, 1, 3), 9, np.uint8),
    "3x5": random_planes((6, 5, 3), np.uint8)[3:],
    "28x28": random_planes((28, 28, 1), np.uint8)[:, :, 0],
}


def relative_size(planes: np.ndarray) -> float:
    """How large our small file is, where Pillow's is 1."""
    planes = planes[:, :, np.newaxis] if planes.ndim == 2 else planes
    return len(encode_png(planes, small=True)) / size_by_pillow(planes)


def sample(folder: Path, name: str) -> np.ndarray:
    with Image.open(folder / name) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png"])
@pytest.mark.parametrize("make", FROM_PHOTO.values(), ids=FROM_PHOTO)
def test_what_is_made_of_a_photo_is_no_larger_than_pillow_s(
    samples: Path, name: str, make: Callable[[np.ndarray], np.ndarray]
) -> None:
    assert relative_size(make(sample(samples, name))) <= 1


@pytest.mark.parametrize("planes", MADE.values(), ids=MADE)
def test_what_is_drawn_is_no_larger_than_pillow_s(planes: np.ndarray) -> None:
    assert relative_size(planes) <= 1


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_no_larger_than_pillow_s(samples: Path, digit: int) -> None:
    assert relative_size(sample(samples, f"digit_{digit}.png")) <= 1


def test_smaller_where_a_filter_or_a_way_to_compress_suits(samples: Path) -> None:
    photo = sample(samples, "coffee.png")
    assert relative_size(cut_out(photo)) < 0.97  # runs alone
    assert relative_size(MADE["drawing"]) < 0.85  # no filter
    assert relative_size(MADE["ramp"]) < 0.75  # the medium level
