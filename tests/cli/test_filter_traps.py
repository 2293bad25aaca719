"""``cnnviz filter --explain-borders`` and ``--explain-depth``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from cnnviz import engines
from tests.conftest import Run
from tests.filtering.test_traps import EXAMPLE


@pytest.fixture(autouse=True)
def example(tmp_path: Path) -> None:
    Image.fromarray(EXAMPLE).save(tmp_path / "five.png")


EXPLAIN = ("filter", "five.png", "-k", "laplacian_8", "--channels", "mean", "--at", "0,0")


def test_depth_is_a_table_with_the_differing_pixels_marked(run: Run, tmp_path: Path) -> None:
    result = run(*EXPLAIN, "--explain-depth")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "five.png × laplacian_8 in floating point and in the image's own depth"
    assert [line.split()[-5:-3] for line in lines[3:5]] == [["170", "16"], ["84.6667", "16"]]
    assert "771.333  12 of 16, within 1 px of the edge" in lines[5]
    assert lines[-5:-1] == ["    x x x x", "    x · · x", "    x · · x", "    x x x x"]
    assert [path.name for path in tmp_path.iterdir()] == ["five.png"]


def test_differences_all_over_are_not_said_to_lie_at_the_edge(run: Run, samples: Path) -> None:
    result = run("filter", samples / "digit_7.png", "-k", "sobel_x", "--explain-depth")
    cut, wrapped, around = (line for line in result.stdout.splitlines()[3:])
    assert "146 of 784 " in cut
    assert "edge" not in cut + wrapped
    assert "6 of 784, within 1 px of the edge" in around


def test_borders_and_depth_as_json(run: Run) -> None:
    result = run(*EXPLAIN, "--explain-borders", "--explain-depth", "--json")
    borders, depth = json.loads(result.stdout)["results"]
    assert (borders["explains"], depth["explains"]) == ("borders", "depth")
    assert [route["differing"] for route in borders["routes"]] == [0, 12, 12, 12, 12]
    assert depth["at"] == [0, 0]
    assert [route["values"][0] for route in depth["routes"]] == pytest.approx(
        [518 / 3, 170, 254 / 3, 2314 / 3]
    )


@pytest.mark.parametrize("which", ["--explain-borders", "--explain-depth"])
@pytest.mark.parametrize("image", ["five.png", "chelsea.png"])
def test_a_figure_is_drawn(run: Run, samples: Path, tmp_path: Path, which: str, image: str) -> None:
    path = tmp_path / image if image == "five.png" else samples / image
    result = run("filter", path, "-k", "sobel_x", which, "--figure", "out.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "out.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--at 0,0", "--at is the pixel that --explain-borders or --explain-depth explains"),
        ("--explain-depth --at 4,0", "lies outside the result, which is 4x4"),
        ("--explain-depth --at x", "'x' is not ROW,COL, counted from 0, such as 0,2"),
        ("--explain-borders -o x.png", "--output is for results, and --explain-borders writes"),
        ("--explain-borders --explain-depth --figure x.png", "--figure draws one explanation"),
        ("--explain-borders --figure five.jpg", "it must end in .png, .svg, .pdf"),
        ("--explain-borders --figure five.png", "five.png is an input"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, arguments: str, message: str) -> None:
    result = run("filter", "five.png", "-k", "box", *arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr


def test_engines_that_disagree_are_found_here_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engines.load("torch")
    right = engine.correlate
    monkeypatch.setattr(engine, "correlate", lambda *arguments: right(*arguments) + 1)
    result = run(*EXPLAIN, "--explain-depth")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "the engines disagree at row 0, column 0" in result.stderr
