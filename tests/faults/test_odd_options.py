"""Numbers that Python would take and people do not mean; names that are made to be seen."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from PIL import Image

from cnnviz.cli.main import COMMANDS, cli
from cnnviz.cli.options import fault
from cnnviz.cli.values import Padding, Pair, Size, WholeNumber
from tests.conftest import Run

ODD = {
    "arabic-digit": "٣",
    "full-width-digits": "１２",
    "underscore": "1_000",
    "exponent": "1e2",
    "overflowing-exponent": "1e400",
    "nan": "nan",
    "infinity": "-inf",
    "hexadecimal": "0xff",
    "fraction": "2.5",
    "space": " 3",
    "newline": "3\n",
    "null-like": "",
    "minus": "-1",
    "500-digits": "9" * 500,
    "superscript": "2²",
    "colours": "\x1b[31m1",
}
NUMERIC = (WholeNumber, Pair, Padding, Size)


def numeric_options() -> list[tuple[str, str]]:
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found += [
            (name, option.opts[-1])
            for option in command.params
            if isinstance(option, click.Option) and isinstance(option.type, NUMERIC)
        ]
    return found


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_numbers_are_refused_by_every_option(run: Run, odd: str) -> None:
    assert len(numeric_options()) > 15
    for command, option in numeric_options():
        rest = {"shape": ["5x5"], "filter": ["a.png", "-k", "box"], "summary": ["lenet"]}
        rest |= {"pool": ["a.png"], "step": ["--input", "1 2; 3 4"]}
        given = [*rest.get(command, ["a.png", "--model", "lenet"]), f"{option}={odd}"]
        result = run(command, *given)
        assert result.exit_code == 2, (given, result.output)
        assert result.stdout == ""
        assert option in result.stderr
        assert max(map(len, result.stderr.splitlines())) < 300
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--\x1b[31mx\n\u202e"],
        ["\x1b[31mx\n\u202e"],
        ["shape", "--\x1b[31mx\n\u202e"],
        ["shape", "\x1b[31m5\n\u202e"],
        ["shape", "5x5", "conv\x1b[31m\n\u202e:3"],
        ["kernels", "show", "\x1b[31mx\n\u202e"],
        ["kernels", "check", "\x1b[31mx\n\u202e.json"],
        ["filter", "\x1b[31mx\n\u202e.png", "-k", "box"],
        ["filter", "a.png", "-k", "\x1b[31mx\n\u202e"],
        ["filter", "a.png", "-k", "box", "-o", "\x1b[31mx\n\u202e.xyz"],
        ["summary", "\x1b[31mx\n\u202e"],
        ["models", "show", "\x1b[31mx\n\u202e"],
        ["featuremaps", "a.png", "--model", "\x1b[31mx\n\u202e"],
        ["filter", "a.png", "-k", "k" * 400],
        ["filter", "/".join(["n" * 240] * 15) + ".png", "-k", "box"],
        ["models", "show", "m" * 4000],
        ["m" * 4000],
        ["shape", "5x5", "--" + "m" * 4000],
    ],
    ids=lambda arguments: ascii(" ".join(arguments))[:40],
)
def test_names_are_escaped_and_cut(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code in {1, 2}
    assert result.stdout == ""
    lines = [line for line in result.stderr.split("\n") if line]
    hints = [line for line in lines if line.startswith(("Usage: ", "Try "))]
    assert len(lines) - len(hints) == 1
    assert all(len(line) < 300 and line.isprintable() for line in lines)


def test_a_kernel_file_cannot_speak_to_the_terminal(run: Run, tmp_path: Path) -> None:
    name, text = "\\u001b[31mk\\n\\u202e", "\\u001b]0;owned\\u0007\\u009b1m"
    fields = f'"name": "{name}", "title": "{text}", "description": "{text}", "source": "{text}"'
    (tmp_path / "k.json").write_text(f'{{"weights": [[1]], {fields}}}')
    Image.new("L", (5, 5)).save(tmp_path / "a.png")
    for arguments in (
        ["kernels", "show", "k.json"],
        ["kernels", "check", "k.json"],
        ["filter", "a.png", "-k", "k.json", "--engine", "opencv"],
    ):
        result = run(*arguments)
        assert result.exit_code == 0
        assert all(line.isprintable() for line in result.output.split("\n"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a._31mk_.png", "a.png", "k.json"]


def test_a_fault_is_cut_in_its_middle() -> None:
    assert fault("short") == "short"
    cut = fault("a" * 1000 + "b" * 1000)
    assert len(cut) < 290
    assert set(cut) == {"a", "…", "b"}


@pytest.mark.parametrize(("most", "code"), [(143, 1), (144, 0)])
def test_the_largest_image_can_be_set(run: Run, tmp_path: Path, most: int, code: int) -> None:
    Image.new("L", (16, 9)).save(tmp_path / "a.png")
    result = run("filter", "a.png", "-k", "box", "--engine", "opencv", "--max-pixels", most)
    assert result.exit_code == code
    if code:
        assert result.stderr == (
            f"Error: a.png: the image is 9x16; the limit is {most} pixels (--max-pixels)\n"
        )
    assert run("filter", "a.png", "-k", "box", "--engine", "opencv", "-o", "b.png").exit_code == 0
