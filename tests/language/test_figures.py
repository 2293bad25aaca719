"""Figures in Korean have their letters, or are English."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.font_manager import fontManager

from cnnviz.figures import style
from cnnviz.language.korean import LETTERS
from tests.conftest import Run
from tests.language.fonts import korean_font

HANGUL = re.compile(r"[가-힣]")


def test_figures_in_korean_take_a_font_that_has_all_their_letters() -> None:
    files = [font.fname for font in fontManager.ttflist if font.name == korean_font()]
    from matplotlib.font_manager import get_font

    assert set(map(ord, LETTERS)) <= set(get_font(files[0]).get_charmap())


def test_figure_in_korean_is_drawn_without_a_missing_glyph(
    run: Run, samples: Path, tmp_path: Path
) -> None:
    korean_font()  # a missing glyph would be a warning, and warnings are errors here
    image = samples / "digit_7.png"
    for lang in ("en", "ko"):
        result = run(
            *("filter", image, "-k", "sobel", "-o", f"{lang}.png", "--figure", f"{lang}.svg"),
            *("--lang", lang),
        )
        assert result.exit_code == 0, result.output
    assert (tmp_path / "en.png").read_bytes() == (tmp_path / "ko.png").read_bytes()
    assert (tmp_path / "en.svg").read_bytes() != (tmp_path / "ko.svg").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("filter", "digit_7.png", "-k", "box", "-o", "r.png"), id="filter"),
        pytest.param(("pool", "digit_7.png", "-o", "r.png"), id="pool"),
        pytest.param(("filter", "four_by_four.png", "-k", "box", "--explain-depth"), id="depth"),
        pytest.param(("kernels", "show", "sobel"), id="kernel"),
        pytest.param(("shape", "8x8", "conv:4"), id="chain"),
    ],
)
def test_without_a_korean_font_a_figure_is_english_which_is_said_once(
    run: Run,
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    own = [font for font in fontManager.ttflist if font.name == style.OWN_FONT]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=own))
    given = [
        samples / each if each.endswith("7.png") or "four" in each else each for each in arguments
    ]
    for lang in ("en", "ko"):
        result = run(*given, "--figure", f"{lang}.png", "--lang", lang, "--overwrite")
        assert result.exit_code == 0, result.output
        assert result.stderr.count("no installed font has Korean letters") == (lang == "ko")
        assert bool(HANGUL.search(result.stdout)) == (lang == "ko")
    assert (tmp_path / "en.png").read_bytes() == (tmp_path / "ko.png").read_bytes()


def test_drawn_chain_is_korean_and_names_fonts_that_viewers_have(run: Run, tmp_path: Path) -> None:
    assert run("shape", "8x8", "conv:4", "--figure", "c.svg", "--lang", "ko").exit_code == 0
    svg = (tmp_path / "c.svg").read_text(encoding="utf-8")
    assert "입력" in svg
    assert "Noto Sans KR" in svg
