from __future__ import annotations

import pytest
from PIL import ImageFont

from cnnviz.render import lettering
from cnnviz.render.lettering import legible, mask, shortened, text_width, wrapped


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "OTHERS", ())
    _forget()


def _forget() -> None:
    """No answers of before; those without fonts would be wrong after, too."""
    lettering._lettered.cache_clear()
    lettering._written.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("layer1.0", "layer1.0", id="plain"),
        pytest.param("a\x1b[31mb\n", "a\\x1b[31mb\\n", id="control characters"),
        pytest.param("\u202eevil", "\\u202eevil", id="right-to-left override"),
        pytest.param("a\udcffb", "a\\udcffb", id="surrogate"),
        pytest.param("64×7 − 1", "64x7 - 1", id="signs with a plain form"),
        pytest.param("conv · “a” …", "conv · “a” …", id="signs that the font has"),
        pytest.param("레이어", "\\ub808\\uc774\\uc5b4", id="letters that no font has"),
    ],
)
@pytest.mark.usefixtures("no_other_fonts")
def test_odd_letters_are_written_visibly(text: str, said: str) -> None:
    assert legible(text, 13) == said
    _forget()


def test_lines_are_no_wider_than_asked_and_lose_nothing() -> None:
    text = "features.12.conv.3 of a network, " + "x" * 120
    lines = wrapped(text, 150, 13)
    assert all(text_width(line, 13) <= 150 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_long_label_loses_its_end() -> None:
    said = shortened("black-and-tan coonhound", 90, 13)
    assert said.endswith("…")
    assert "black-and-tan coonhound".startswith(said[:-1])
    assert text_width(said, 13) <= 90 < text_width("black-and-tan coonhound", 13)


def test_short_label_is_kept() -> None:
    assert shortened("hen", 90, 13) == "hen"


@pytest.mark.parametrize("text", ["-0.12 to 1.33", "W", "fjord AVAVA To.", "512"])
def test_no_text_is_wider_than_its_width(text: str) -> None:
    ink, left, _ = mask(text, 12, "la")
    assert left + ink.shape[1] <= text_width(text, 12) + 1


@pytest.mark.parametrize("anchor", ["la", "ra", "mm", "lm", "rm", "ma"])
def test_letters_of_other_fonts_stand_on_the_same_line(
    anchor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another font that is the same font: a text in two of them must look as in one.
    plain, *place = mask("ab cd gh", 16, anchor)
    twin = ImageFont.load_default(16)

    def halves(text: str, size: int) -> tuple[tuple[str, lettering.Font], ...]:
        return (text[:3], lettering._own_font(size)), (text[3:], twin)

    monkeypatch.setattr(lettering, "_lettered", halves)
    mask.cache_clear()
    mixed, *other = mask("ab cd gh", 16, anchor)
    mask.cache_clear()
    assert abs(other[0] - place[0]) <= 1
    assert other[1] == place[1]
    assert mixed.shape[0] == plain.shape[0]
    assert abs(mixed.shape[1] - plain.shape[1]) <= 2
