"""Our PNG files, read by libraries that do not know how they were made."""

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cnnviz.images import png
from cnnviz.images.png import encode_png


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


def test_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "BLOCK_BYTES", 3000)
    planes = random_planes((300, 100, 3), np.uint8)
    files = []
    for cores in (1, 2, 7):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        files.append(encode_png(planes))
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png"])
def test_about_opencv_s_size_on_a_photo_and_smaller_on_its_edges(samples: Path, name: str) -> None:
    photo = cv2.imread(str(samples / name))
    assert photo is not None
    edges = cv2.convertScaleAbs(cv2.Sobel(photo, cv2.CV_32F, 1, 0))
    for planes, limit in ((photo, 1.01), (edges, 1.0)):
        done, theirs = cv2.imencode(".png", planes)
        assert done
        assert len(encode_png(planes[:, :, ::-1])) <= limit * len(theirs)
