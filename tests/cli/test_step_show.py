"""``step --show``: the maps as blocks in any terminal, the still where that has graphics."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from tests.cli.terminal import said_in_a_terminal
from tests.conftest import Run

CELL = 8  # pixels a side, with the line to its left and above
DIRECT = {"COLORTERM": "truecolor", "COLUMNS": "100"}
LINE = "2;96;112;140"
WHITE, BLACK = "2;255;255;255", "2;0;0;0"
EXAMPLE = ("step", "-q", "--show")


def grounds(text: str) -> list[list[str]]:
    """The colours of the lower half of each half-block, line by line; none of plain text."""
    lines = []
    for line in text.splitlines():
        ground, found = "", []
        for change, char in re.findall(r"(?:\x1b\[([0-9;]*)m)?([^\x1b])", line):
            ground = (re.findall(r"48;(2;\d+;\d+;\d+)", change) or [ground])[-1]
            found.append(ground if char == "▀" else "")
        lines.append(found)
    return lines


def test_elsewhere_it_is_said_and_the_arithmetic_is_printed(run: Run) -> None:
    result = run(*EXAMPLE)
    assert result.exit_code == 0
    assert result.stderr == "--show draws in a terminal, and standard output is none\n"
    assert result.stdout == run("step", "-q").stdout


def test_json_and_pictures_do_not_mix(run: Run) -> None:
    result = run("step", "--show", "--json")
    assert result.exit_code == 2
    assert "--show" in result.stderr


def test_each_cell_is_a_block_in_the_gray_of_its_value(tmp_path: Path) -> None:
    said = said_in_a_terminal(EXAMPLE, tmp_path, DIRECT)
    titles = next(n for n, line in enumerate(said.splitlines()) if "input 5x5: 0 to 1" in line)
    assert "output 3x3: 2 to 4" in said.splitlines()[titles]
    drawn = grounds(said)[titles + 1 :]
    assert {line[x] for line in drawn[1:20] for x in range(0, 41, CELL)} == {LINE}
    start = 5 * CELL + 1 + 4  # of the second panel
    middles = [
        [
            drawn[CELL // 4 + row * CELL // 2][x + CELL // 2 + column * CELL]
            for column in range(size)
        ]
        for x, size in ((0, 5), (start, 3))
        for row in range(size)
    ]
    rows = ("11100", "01110", "00111", "00110", "01100")
    assert middles[:5] == [[WHITE if char == "1" else BLACK for char in row] for row in rows]
    gray = "2;128;128;128"
    assert middles[5:] == [[WHITE, gray, WHITE], [BLACK, WHITE, gray], [BLACK, gray, WHITE]]


def test_of_a_position_the_window_and_its_result_are_framed(tmp_path: Path) -> None:
    plain = said_in_a_terminal(EXAMPLE, tmp_path, DIRECT)
    framed = said_in_a_terminal((*EXAMPLE, "--position", "1,1"), tmp_path, DIRECT)
    for color in ("2;217;115;13", "2;27;122;67"):  # of the window, of the result
        assert color in framed
        assert color not in plain


def test_a_worksheet_shows_no_answer(tmp_path: Path) -> None:
    assert "input 5x5" in (said := said_in_a_terminal((*EXAMPLE, "--blank"), tmp_path, DIRECT))
    assert "output 3x3: " not in said
    assert "output 3x3: " in said_in_a_terminal((*EXAMPLE, "--blank", "--key"), tmp_path, DIRECT)


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        pytest.param(
            ("--size", "5x5", "-k", "1 0; 0 1", "-k", "1 0; 1 1", "--then", "relu maxpool flatten"),
            ("input 5x5: 1 to 25", "map 1 4x4: 14 to 68", "maxpool 2x2: 20 to 44"),
            id="last layer with rows and columns",
        ),
        pytest.param(
            ("--size", "5x5", "-k", "3x3", "--visits"),
            ("without padding: 1 to 9", "padding 1: 4 to 9", "the darker, the more often\r\n"),
            id="visits",
        ),
        pytest.param(
            ("--reach", "2", "-k", "3x3", "-d2"),
            ("dilation 2: 0 to 9", "; red: never"),
            id="gridding",
        ),
        pytest.param(
            ("--size", "2x2", "-k", "3x3", "--transposed", "-s2"),
            ("output 5x5: 1 to 10",),
            id="transposed",
        ),
        pytest.param(
            ("--size", "6x6", "-k", "1 0; 0 1", "--shift", "1"),
            ("input, before", "stride 2, after", "red: differs"),
            id="shift",
        ),
        pytest.param(
            ("--input", "1 2; 3 4 | 5 6; 7 8", "-k", "2x2"),
            ("channel 0 2x2: 1 to 4", "channel 1 2x2: 5 to 8", "output 1x1: all 36"),
            id="channels",
        ),
        pytest.param(
            ("--input", "0.5 -1/3", "-k", "1x1"), ("input 1x2: -1/3 to 1/2",), id="fractions"
        ),
        pytest.param(("--lang", "ko"), ("입력 5x5: 0 ~ 1", "출력 3x3: 2 ~ 4"), id="Korean"),
    ],
)
def test_every_kind_of_step_is_drawn(
    tmp_path: Path, arguments: tuple[str, ...], titles: tuple[str, ...]
) -> None:
    said = said_in_a_terminal(("step", *arguments, "--show"), tmp_path, DIRECT)
    for title in titles:
        assert title in said
    assert "▀" in said


def test_a_value_in_a_network_stands_in_its_map(samples: Path, tmp_path: Path) -> None:
    inside = ("--model", "lenet", "--layer", "features.3", "--channel", "2", "--at", "1,5")
    arguments = ("step", str(samples / "digit_7.png"), *inside, "--show")
    said = said_in_a_terminal(arguments, tmp_path, DIRECT)
    assert "features.3, channel 2 10x10: -4.036 to 7.99" in said


@pytest.mark.parametrize("option", ["--figure", "--kernel", "--visits", "--position", "--blank"])
def test_beside_a_model_options_of_matrices_are_refused(
    run: Run, samples: Path, tmp_path: Path, option: str
) -> None:
    values = {"--figure": ("f.png",), "--kernel": ("box",), "--position": ("0,0",)}
    inside = ("--model", "lenet", "--layer", "features.0", "--at", "1,1")
    result = run("step", samples / "digit_7.png", *inside, option, *values.get(option, ()))
    assert result.exit_code == 2
    assert f"{option} does not go with --model" in result.stderr
    assert not list(tmp_path.iterdir())


def kitty_picture(said: str) -> np.ndarray:
    """The pixels of the only picture in kitty's commands."""
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b", said)
    size = dict(pair.split("=") for pair in parts[0][0].split(","))
    data = zlib.decompress(b64decode("".join(data for _, data in parts)))
    return np.frombuffer(data, np.uint8).reshape(int(size["v"]), int(size["s"]), 3)


def test_where_there_are_graphics_the_still_is_shown(tmp_path: Path) -> None:
    settings = {"CNNVIZ_GRAPHICS": "kitty", "COLUMNS": "100"}
    picture = kitty_picture(said_in_a_terminal(EXAMPLE, tmp_path, settings))
    height, width, _ = picture.shape
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert width > 900  # of 100 columns of 10 pixels: as large as there is room
    assert (picture[0] == 255).all()


def test_more_numbers_than_a_still_can_hold_are_shown_as_the_map(
    samples: Path, tmp_path: Path
) -> None:
    settings = {"CNNVIZ_GRAPHICS": "kitty", "COLUMNS": "100"}
    cut = ("--region", "0,0,150x150")
    arguments = ("step", str(samples / "coffee.png"), *cut, "-k", "box", "-q", "--show")
    said = said_in_a_terminal(arguments, tmp_path, settings)
    assert "output 148x148" in said
    height, width, _ = kitty_picture(said).shape
    assert height == width


def test_more_panels_than_are_drawn_are_counted(tmp_path: Path) -> None:
    kernels = [part for n in range(14) for part in ("-k", f"{n + 1}")]
    arguments = ("step", "--size", "2x2", *kernels, "-q", "--show")
    assert "and 3 more" in said_in_a_terminal(arguments, tmp_path, DIRECT)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(DIRECT, r"\x1b\[38;2;255;255;255;", id="blocks"),
        pytest.param({"CNNVIZ_GRAPHICS": "kitty"}, r"(?s)(\x1b_Ga=T,.*){2}", id="kitty"),
    ],
)
def test_a_pooled_matrix_is_drawn_beside_it(
    tmp_path: Path, settings: dict[str, str], expected: str
) -> None:
    command = ("pool", "--input", "1 2; 3 4; 5 6; 7 8", "--mode", "max", "--show")
    head, _, drawn = said_in_a_terminal(command, tmp_path, settings).partition("2 values")
    assert "verified: identical on " in head
    assert "input 4x2: 1 to 8" in drawn
    assert "maxpool:k2,s2 2x1: 4 to 8" in drawn
    assert re.search(expected, drawn)
    heights = [int(number) for number in re.findall(r"\x1b_Ga=T,[^;]*v=(\d+)", drawn)]
    assert sum(heights) <= 40 * 20  # of as many lines of so many pixels
