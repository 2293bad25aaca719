"""Rows and CSV files become matrices, or one sentence says why not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.matrices import parse_maps, read_maps

SQUARE = ((1, 2), (3, 4))


@pytest.mark.parametrize("text", ["1 2; 3 4", "1,2;3,4", " 1, 2 ;\t3 4; ", "1 2\n3 4\n"])
def test_rows_may_be_written_in_several_ways(text: str) -> None:
    assert parse_maps(text) == (SQUARE,)


def test_channels_stand_between_bars() -> None:
    assert parse_maps("1 2; 3 4 | 1/2 0; 0 1") == (SQUARE, ((Fraction(1, 2), 0), (0, 1)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 2; 3", "row 1 has 1 number but row 0 has 2"),
        ("1 x", "row 0: 'x' is not a number"),
        ("", "there are no numbers"),
        ("1|", "channel 1, there are no numbers"),
        ("1 2|1", "channel 1 is 1x1 but channel 0 is 1x2"),
        ("1,,x", "'x' is not a number"),
        ("1 " * 70_000, "more than the 65,536 numbers"),
    ],
)
def test_what_is_no_matrix_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_maps(text)


@pytest.mark.parametrize(
    "text", ["1,2\n3,4\n", "1;2\r\n3;4\r\n", "1\t2\n3\t4", "\ufeff1 2\n3 4\n\n\n"]
)
def test_a_csv_file_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(text.encode())
    assert read_maps(path) == (SQUARE,)


def test_an_empty_line_ends_a_channel(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("1,2\n3,4\n \n5,6\n7,8\n")
    assert read_maps(path) == (SQUARE, ((5, 6), (7, 8)))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "there is no such file"),
        (b"\xff\xfe1", "byte 0 is not UTF-8"),
        (b"a,b\n", "row 0: 'a' is not a number"),
        (b"1" * 2_000_001, "larger than 2,000,000 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes | None, told: str) -> None:
    path = tmp_path / "m.csv"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CnnvizError, match=told) as caught:
        read_maps(path)
    assert str(caught.value).startswith(str(path))
