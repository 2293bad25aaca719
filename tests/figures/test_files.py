"""The figure as a file: each format, the same bytes again, nothing left behind."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.figures import filter as figures
from cnnviz.figures.filter import SUFFIXES, draw_filter, refuse_unmakeable
from tests.figures.made import comparison, noise, said, same, spoilt


def test_png_has_the_width_of_a_projector_and_the_shape_of_a_slide() -> None:
    with Image.open(io.BytesIO(draw_filter(same(noise(400, 600)), ".png"))) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (1920, 1080))


def test_svg_is_xml_that_needs_no_font() -> None:
    root = ElementTree.fromstring(draw_filter(same(noise(40, 60)), ".svg"))  # noqa: S314 (ours)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert [element for element in root.iter() if element.tag.endswith("}text")] == []


def test_pdf_is_one_whole_page() -> None:
    pdf = draw_filter(same(noise(40, 60)), ".pdf")
    assert pdf.startswith(b"%PDF-1.")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert pdf.count(b"/Type /Page ") == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_comparison_gives_the_same_bytes(suffix: str) -> None:
    made = spoilt(noise(40, 60), 3, 4)
    drawn = draw_filter(made, suffix)
    assert drawn == draw_filter(made, suffix)
    assert not any(word in drawn for word in (b"CreationDate", b"dc:date", b"Software"))


@pytest.mark.parametrize("suffix", ["", ".jpg", "png", ".PNG"])
def test_other_formats_are_refused(suffix: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.png, \.svg, \.pdf"):
        draw_filter(same(noise(4, 4)), suffix)


def test_missing_matplotlib_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_unmakeable(".png")
    monkeypatch.setattr(figures, "find_spec", {"matplotlib": None}.__getitem__)
    with pytest.raises(CnnvizError, match=r"pip install 'cnnviz\[figures\]'"):
        refuse_unmakeable(".png")


def test_settings_of_the_user_neither_change_the_figure_nor_are_changed() -> None:
    made, log = same(noise(40, 60)), logging.getLogger("matplotlib.font_manager")
    drawn, level = draw_filter(made, ".svg"), log.level
    theirs: Any = {"figure.facecolor": "red", "font.size": 3, "axes.spines.left": False}
    with matplotlib.rc_context(theirs):
        before = dict(matplotlib.rcParams)
        assert draw_filter(made, ".svg") == drawn
        assert dict(matplotlib.rcParams) == before
    assert log.level == level


def test_drawing_loads_no_pyplot_and_says_nothing() -> None:
    code = (
        "import sys; from tests.figures.made import noise, same\n"
        "from cnnviz.figures.filter import draw_filter\n"
        "for suffix in ('.png', '.svg', '.pdf'): draw_filter(same(noise(40, 60)), suffix)\n"
        "print('matplotlib.figure' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True False\n", "")


NAMES = [
    pytest.param("costs $5 or $x^2$.png", "costs $5 or $x^2$.png", id="dollars"),
    pytest.param("a\nb\x07.png", r"a\nb\x07.png", id="control"),
    pytest.param("bad\udcff.png", r"bad\udcff.png", id="not-UTF-8"),
    pytest.param("<b>&amp;.png", "&lt;b&gt;&amp;amp;.png", id="markup"),
    pytest.param(r"$\frac{1}$ %d.png", r"$\frac{1}$ %d.png", id="formula that is none"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_name_is_written_as_it_is(name: str, shown: str) -> None:
    assert f"{shown} × edge" in said(same(noise(40, 60), input=name))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "name", ["커피 한 잔.png", "\U00013000.png", "👩‍🔬.png", "עברית.png", "", "x" * 5000]
)
def test_no_name_is_too_strange(
    name: str, suffix: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert draw_filter(comparison(noise(20, 30), noise(20, 30), input=name), suffix)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
