"""``filter --show``: results drawn where standard output is a terminal, and only there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.terminal import said_in_a_terminal
from tests.conftest import Run


def test_elsewhere_it_is_said_and_the_work_is_done(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("filter", samples / "digit_7.png", "-k", "box", "--show")
    assert result.exit_code == 0
    assert result.stderr == "--show draws in a terminal, and standard output is none\n"
    assert "▀" not in result.stdout
    assert (tmp_path / "digit_7.box.png").exists()


def test_json_and_pictures_do_not_mix(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("filter", samples / "digit_7.png", "-k", "box", "--show", "--json")
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"COLORTERM": "truecolor"}, r"\x1b\[38;2;\d+;\d+;\d+;48;2;", id="half-blocks"),
        pytest.param({"CNNVIZ_GRAPHICS": "kitty"}, r"\x1b_Ga=T,", id="kitty"),
        pytest.param({"NO_COLOR": "1"}, r"\n[ .:=+*#%@-]{10,}\r\n", id="characters"),
    ],
)
def test_in_a_terminal_the_result_is_drawn_below_its_line(
    samples: Path, tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    settings = {"COLUMNS": "20", **environment}
    command = ("filter", str(samples / "chelsea.png"), "-k", "gaussian", "--show")
    head, _, drawn = said_in_a_terminal(command, tmp_path, settings).partition("display: clip of ")
    assert "chelsea.gaussian.png" in head
    assert re.search(expected, drawn)
