"""The filters of PNG against their definitions, in plain integers."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnviz.images.png_filters import (
    AVERAGE,
    FILTERS,
    NONE,
    PAETH,
    SUB,
    UP,
    candidates,
    differences,
    filtered,
    rows_above,
)


def byte(rows: np.ndarray, y: int, x: int) -> int:
    return int(rows[y, x]) if y >= 0 and x >= 0 else 0


def guess(kind: int, left: int, above: int, corner: int) -> int:
    if kind == PAETH:
        distances = [(abs(left + above - corner - it), it) for it in (left, above, corner)]
        return min(distances, key=lambda pair: pair[0])[1]
    return {NONE: 0, SUB: left, UP: above, AVERAGE: (left + above) // 2}[kind]


def by_definition(kind: int, rows: np.ndarray, pixel: int) -> list[list[int]]:
    return [
        [
            (
                byte(rows, y, x)
                - guess(
                    kind,
                    byte(rows, y, x - pixel),
                    byte(rows, y - 1, x),
                    byte(rows, y - 1, x - pixel),
                )
            )
            % 256
            for x in range(rows.shape[1])
        ]
        for y in range(rows.shape[0])
    ]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("pixel", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("pixels", [1, 5])
def test_differences_are_those_defined(kind: int, pixel: int, pixels: int) -> None:
    rows = noise(6, pixel * pixels)
    expected = by_definition(kind, rows, pixel)
    assert differences(kind, rows, rows_above(rows, 0, 6), pixel).tolist() == expected
    below = differences(kind, rows[4:], rows_above(rows, 4, 6), pixel)
    assert below.tolist() == expected[4:]


def test_paeth_guesses_right_for_all_neighbors() -> None:
    some = np.r_[0:256:3, 254].astype(np.int64)
    left, above, corner = (it.ravel() for it in np.meshgrid(some, some, some))
    sum_ = left + above - corner
    to_left, to_above, to_corner = (abs(sum_ - it) for it in (left, above, corner))
    is_left = (to_left <= to_above) & (to_left <= to_corner)
    expected = np.where(is_left, left, np.where(to_above <= to_corner, above, corner))
    rows = np.stack([left, np.zeros_like(left)], axis=1).astype(np.uint8)
    left_of = differences(PAETH, rows, np.stack([corner, above], axis=1).astype(np.uint8), 1)
    assert np.array_equal(0 - left_of[:, 1], expected.astype(np.uint8))


def test_each_row_has_its_own_filter() -> None:
    rows, kinds = noise(5, 12), np.array([PAETH, UP, NONE, SUB, PAETH], np.uint8)
    result = filtered(kinds, rows, rows_above(rows, 0, 5), 3)
    expected = [[kind, *by_definition(kind, rows, 3)[y]] for y, kind in enumerate(kinds.tolist())]
    assert result.tolist() == expected


def test_candidates_suit_the_rows_and_differ() -> None:
    ramp = np.arange(0, 240, 2, dtype=np.uint8)
    rows = np.stack([ramp, ramp, noise(1, 120)[0], np.zeros(120, np.uint8)])
    by_bits, *_, none = candidates(rows, rows_above(rows, 0, 4), 1)
    assert by_bits[[0, 1, 3]].tolist() == [SUB, UP, NONE]
    assert none.tolist() == [NONE] * 4


def test_pillow_s_own_choice_is_among_the_candidates(samples: Path) -> None:
    with Image.open(samples / "chelsea.png") as image:
        planes = np.asarray(image)
    file = io.BytesIO()
    Image.fromarray(planes).save(file, "PNG")
    rows = planes.reshape(planes.shape[0], -1)
    theirs = np.frombuffer(decompressed(file.getvalue()), np.uint8).reshape(len(rows), -1)[:, 0]
    ours = candidates(rows, rows_above(rows, 0, len(rows)), 3)
    assert len(set(theirs.tolist())) > 1
    assert theirs.tolist() in [kinds.tolist() for kinds in ours]


def decompressed(file: bytes) -> bytes:
    at, stream = 8, b""
    while at < len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        if file[at + 4 : at + 8] == b"IDAT":
            stream += file[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(stream)


def test_candidates_are_there_once() -> None:
    black = np.zeros((4, 9), np.uint8)
    (only,) = candidates(black, black, 3)
    assert only.tolist() == [NONE] * 4
