"""Pictures as text, read back by small terminals of the tests' own."""

from __future__ import annotations

import base64
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnviz.preview import Terminal, drawn

Pixels = NDArray[Any]
RANDOM = np.random.default_rng(8)


def noise(height: int, width: int) -> Pixels:
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def xterm_color(code: int) -> tuple[int, int, int]:
    """The RGB that xterm documents for a code from 16 on."""
    if code >= 232:
        gray = 8 + 10 * (code - 232)
        return gray, gray, gray
    red, green, blue = (code - 16) // 36, (code - 16) // 6 % 6, (code - 16) % 6
    levels = (0, 95, 135, 175, 215, 255)
    return levels[red], levels[green], levels[blue]


def selected(codes: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The colours that one sequence selects: 38 of the letter, 48 of its ground."""
    left = codes.split(";") if codes != "0" else []
    while left:
        which, kind, *left = left
        count = 3 if kind == "2" else 1
        values, left = tuple(map(int, left[:count])), left[count:]
        yield which, values if kind == "2" else xterm_color(values[0])


def seen(text: str) -> Pixels:
    """What half-blocks show: each character two pixels, above and below."""
    rows: list[list[Any]] = []
    for line in text.split("\n"):
        ink: tuple[int, ...] = (0, 0, 0)
        ground = ink
        above, below = [], []
        for codes, char in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            if char:
                assert char == "▀"
                above.append(ink)
                below.append(ground)
                continue
            for which, color in selected(codes):
                ink, ground = (color, ground) if which == "38" else (ink, color)
        assert line.endswith("\x1b[0m")
        rows += [above, below]
    return np.array(rows)


def test_half_blocks_show_every_pixel_in_its_own_color() -> None:
    pixels = noise(12, 30)
    shown = seen(drawn(pixels, Terminal("blocks", columns=30, colors=1 << 24)))
    np.testing.assert_array_equal(shown, pixels)


def test_an_odd_row_is_half_a_line() -> None:
    shown = drawn(noise(5, 9), Terminal("blocks", columns=9, colors=1 << 24))
    rows = seen(shown)
    assert len(rows) == 6
    assert not rows[5].any()


def test_256_colors_are_the_nearest_of_xterms() -> None:
    pixels = noise(8, 16)
    palette = np.array([xterm_color(code) for code in range(16, 256)])
    far = ((pixels[:, :, None].astype(int) - palette) ** 2).sum(-1).min(-1)
    shown = seen(drawn(pixels, Terminal("blocks", columns=16)))
    # The nearest gray is taken of the mean, which is that of the smallest sum of squares.
    np.testing.assert_array_equal(((shown - pixels) ** 2).sum(-1), far)


@pytest.mark.parametrize(
    ("shape", "columns", "size"),
    [
        pytest.param((400, 600), 60, (20, 60), id="landscape is as wide as the terminal"),
        pytest.param((600, 400), 60, (30, 40), id="portrait is as high as the terminal is wide"),
        pytest.param((28, 28), 80, (14, 28), id="enlarged would be higher than the screen"),
        pytest.param((10, 10), 80, (20, 40), id="small is enlarged"),
        pytest.param((1, 500), 50, (1, 50), id="a row"),
        pytest.param((3, 3), 1, (1, 1), id="one column"),
    ],
)
def test_size_in_lines_and_columns(
    shape: tuple[int, int], columns: int, size: tuple[int, int]
) -> None:
    for kind in ("blocks", "characters"):
        lines = drawn(np.full((*shape, 3), 255, np.uint8), Terminal(kind, columns)).split("\n")
        wide = {len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines}
        assert (len(lines), wide) == (size[0], {size[1]})


def test_characters_are_a_ramp_from_dark_to_light() -> None:
    ramp = np.repeat(np.linspace(0, 255, 10).astype(np.uint8)[None, :, None], 3, axis=2)
    text = drawn(ramp.repeat(2, axis=0), Terminal("characters", columns=10))
    assert text == " .:-=+*#%@"


def test_kitty_gets_the_pixels_in_commands_of_at_most_4096() -> None:
    pixels = noise(40, 60)
    text = drawn(pixels, Terminal("kitty", columns=6, cell=(20, 10)))
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in commands) == text
    assert {"a=T", "f=24", "o=z", "s=60", "v=40", "c=6", "q=2"} <= set(commands[0][0].split(","))
    assert [keys[-3:] for keys, _ in commands] == ["m=1"] * (len(commands) - 1) + ["m=0"]
    assert max(len(data) for _, data in commands) <= 4096
    content = zlib.decompress(base64.b64decode("".join(data for _, data in commands)))
    np.testing.assert_array_equal(np.frombuffer(content, np.uint8).reshape(40, 60, 3), pixels)


def test_iterm_gets_a_picture_file() -> None:
    pixels = noise(20, 30)
    text = drawn(pixels, Terminal("iterm", columns=3, cell=(20, 10)))
    found = re.fullmatch(r"\x1b\]1337;File=size=(\d+);width=3;[^:]*inline=1:(.*)\x07", text)
    assert found is not None
    data = base64.b64decode(found[2])
    assert len(data) == int(found[1])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def sixels(text: str) -> Pixels:
    """What a sixel terminal paints."""
    found = re.fullmatch(r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', text)
    assert found is not None
    width, height = int(found[1]), int(found[2])
    painted = np.full((height, width, 3), -1.0)
    palette: dict[int, list[float]] = {}
    row = column = color = 0
    for part in re.findall(r"#\d+(?:;2;\d+;\d+;\d+)?|!\d+.|[?-~]|\$|-", found[3]):
        if part[0] == "#":
            color, *rest = (int(number) for number in part[1:].split(";"))
            if rest:
                palette[color] = [value * 2.55 for value in rest[1:]]
        elif part in {"$", "-"}:
            row, column = row + 6 * (part == "-"), 0
        else:
            times = int(part[1:-1]) if part[0] == "!" else 1
            bits = ord(part[-1]) - 63
            for bit in range(6):
                if bits >> bit & 1:
                    painted[row + bit, column : column + times] = palette[color]
            column += times
            assert column <= width
    return painted


def test_sixels_paint_every_pixel() -> None:
    colors = noise(1, 30)[0]
    pixels = colors[RANDOM.integers(0, 30, (41, 50))]  # a band is 6 rows, and 41 are no bands
    painted = sixels(drawn(pixels, Terminal("sixel", columns=5)))
    assert painted.shape == pixels.shape
    assert np.abs(painted - pixels).max() <= 1.3  # percent


def test_sixels_use_no_more_registers_than_there_are() -> None:
    text = drawn(noise(30, 30), Terminal("sixel", columns=3, registers=16))
    assert len(set(re.findall(r"#(\d+)", text))) <= 16
    assert sixels(text).min() >= 0
