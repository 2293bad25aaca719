"""``cnnviz filter --figure``: drawn beside the result, and never in its place."""

import json
from pathlib import Path

import pytest
from PIL import Image

from cnnviz import engines
from cnnviz.figures import filter as figures
from tests.conftest import Run


def test_a_figure_is_drawn_beside_the_result(run: Run, samples: Path, tmp_path: Path) -> None:
    result = run("filter", samples / "digit_3.png", "-k", "sobel", "--figure", "f.svg", "--json")
    assert result.exit_code == 0, result.stderr
    (document,) = json.loads(result.stdout)["results"]
    assert document["figure"] == "f.svg"
    drawn = (tmp_path / "f.svg").read_text()
    for said in ("digit_3.png × sobel", "sobel_x 3×3", "identical", "border reflect101"):
        assert said in drawn
    assert (tmp_path / "digit_3.sobel.png").exists()


def test_figures_of_several_results_go_into_a_folder_and_are_not_inputs(
    run: Run, samples: Path, tmp_path: Path
) -> None:
    arguments = ("filter", samples / "digit_3.png", "-k", "box,roberts", "--figure", "out/")
    assert run(*arguments, "-o", "out/").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        *("digit_3.box.figure.png", "digit_3.box.png"),
        *("digit_3.roberts.figure.png", "digit_3.roberts.png"),
    ]
    with Image.open(tmp_path / "out" / names[0]) as figure:
        assert figure.width > 1000
    again = run("filter", "out", "-k", "box", "-o", "more/")
    assert again.exit_code == 1
    assert "no image is there" in again.stderr


def test_the_details_name_every_option(run: Run, samples: Path, tmp_path: Path) -> None:
    how = ("--padding", "2x1", "--stride", "2", "--dilation", "1x2", "--channels", "gray", "--flip")
    photo = samples / "coffee.png"
    run("filter", photo, "-k", "sobel_x", "--border", "wrap", "--figure", "f.svg", *how)
    drawn = (tmp_path / "f.svg").read_text()
    for said in ("border wrap", "padding 2x1", "stride 2", "dilation 1x2", "channels gray", "180°"):
        assert said in drawn


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        pytest.param("f.gif", "--figure f.gif: the name must end in .png, .svg, .pdf", id="format"),
        pytest.param("", "--figure is empty", id="empty"),
        pytest.param("-", "the name must end in", id="standard output"),
    ],
)
def test_a_name_that_is_no_figure_is_refused(
    run: Run, samples: Path, tmp_path: Path, figure: str, message: str
) -> None:
    result = run("filter", samples / "digit_3.png", "-k", "box", "--figure", figure)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_nothing_is_begun(
    run: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    result = run("filter", samples / "digit_3.png", "-k", "box", "--figure", "f.png")
    assert result.exit_code == 1
    assert "pip install 'cnnviz[figures]'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_disagreement_draws_no_figure(
    run: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = engines.load("torch")
    right = torch.correlate
    monkeypatch.setattr(torch, "correlate", lambda *arguments: right(*arguments) + 1)
    result = run("filter", samples / "digit_3.png", "-k", "box", "--figure", "f.png")
    assert result.exit_code == 3
    assert not list(tmp_path.iterdir())
