from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from matplotlib.font_manager import fontManager, get_font

from cnnviz.figures import style
from cnnviz.figures.style import fitted, lettering, own_settings, text_width

HANGUL = "한"


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    with own_settings([style.OWN_FONT]):
        yield


def only(monkeypatch: pytest.MonkeyPatch, *families: str) -> None:
    """Let matplotlib know these font families alone."""
    fonts = [font for font in fontManager.ttflist if font.name in families]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=fonts))


def characters(family: str) -> set[int]:
    faces = [font.fname for font in fontManager.ttflist if font.name == family]
    return set.intersection(*(set(get_font(face).get_charmap()) for face in faces))


def test_letters_of_no_font_become_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, style.OWN_FONT)
    fonts, instead = lettering([f"a{HANGUL}b\n"])
    assert fonts == [style.OWN_FONT]
    assert f"a{HANGUL}b\n".translate(instead) == r"a□b\n"


def test_letters_of_another_font_bring_it_in(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, style.OWN_FONT, "cmsy10", "STIXGeneral")
    foreign = characters("STIXGeneral") - characters(style.OWN_FONT) - characters("cmsy10")
    rare = next(chr(code) for code in sorted(foreign) if chr(code).isprintable())
    fonts, instead = lettering(["plain", rare])
    assert fonts == [style.OWN_FONT, "STIXGeneral"]
    assert rare.translate(instead) == rare


def test_fonts_of_boxes_are_not_taken_for_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, style.OWN_FONT, "Last Resort High-Efficiency")
    assert lettering([HANGUL])[0] == [style.OWN_FONT]


def test_font_that_has_gone_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [font for font in fontManager.ttflist if font.name == style.OWN_FONT]
    gone = SimpleNamespace(name="A Sans", fname="/nowhere/a.ttf")
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=[gone, *own]))
    assert lettering([HANGUL])[0] == [style.OWN_FONT]


@pytest.mark.parametrize("length", [1, 2, 3, 40, 120, 399, 400, 401, 5000])
@pytest.mark.parametrize("width", [1.0, 5.0])
def test_text_is_made_to_fit_and_keeps_both_ends(length: int, width: float) -> None:
    text = "abcdefghij" * (length // 10) + "z" * (length % 10)
    shown, size = fitted(text, width, 20)
    assert text_width(shown, size) <= width * 1.001
    assert 20 * style.SMALLER <= size <= 20
    assert shown == text or ("…" in shown and (shown[0], shown[-1]) == (text[0], text[-1]))


def test_text_that_fits_is_left_alone() -> None:
    assert fitted("short", 5.0, 12) == ("short", 12)
    assert fitted("", 5.0, 12) == ("", 12)


def test_text_width_is_in_inches() -> None:
    # The em dash of DejaVu Sans is one em wide: 72 points at size 72, an inch.
    assert text_width("—", 72) == pytest.approx(1.0, abs=0.02)
