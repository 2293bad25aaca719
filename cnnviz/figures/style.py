"""matplotlib kept to ourselves: settings, fonts, text that cannot fail, the encoded file."""

from __future__ import annotations

import io
import logging
from bisect import bisect_right
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.textpath import text_to_path

from cnnviz.language import KOREAN, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.figure import Figure

    Color = tuple[float, float, float]

DPI = 144  # a figure 40/3 inches wide has the 1920 pixels of a projector

OWN_FONT = "DejaVu Sans"  # comes with matplotlib: the same letters on every machine
# Those that systems come with or install first, sans-serif; any other will do where none is there.
KOREAN_FONTS = (
    *("Noto Sans KR", "Noto Sans CJK KR", "Noto Sans CJK JP", "NanumGothic", "NanumBarunGothic"),
    *("Apple SD Gothic Neo", "AppleGothic", "Malgun Gothic", "Pretendard", "Source Han Sans KR"),
    *("NanumSquare", "Spoqa Han Sans Neo", "IBM Plex Sans KR", "UnDotum", "Baekmuk Dotum"),
)
NO_GLYPH = "□"
LONGEST = 400  # characters; no line of a figure holds more
SMALLER = 0.75

# What would differ from one run to the next is left out: the same figure is the same bytes.
UNDATED = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


drawing_alone = Lock()  # matplotlib's settings are those of the whole process


@contextmanager
def own_settings(fonts: list[str]) -> Iterator[None]:
    """Matplotlib's defaults, ``fonts``, and no formulas in texts; the user's settings return.

    It is silent of fonts, such as one without a bold face, for which it takes the next best.
    Its settings are the whole process's: see ``drawing_alone``.
    """
    ours = dict(matplotlib.rcParamsDefault)
    del ours["backend"]  # none is chosen here, and looking for one would import pyplot
    ours |= {"font.family": fonts, "text.parse_math": False, "svg.hashsalt": "cnnviz"}
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context(ours):
            yield
    finally:
        log.setLevel(level)


def encoded(figure: Figure, suffix: str, dpi: float = DPI) -> bytes:
    """The figure as a ``.png``, ``.svg`` or ``.pdf`` file."""
    file = io.BytesIO()
    kind = suffix.removeprefix(".")
    figure.savefig(file, format=kind, dpi=dpi, metadata=UNDATED[kind])
    return file.getvalue()


def lettering(texts: Iterable[str]) -> tuple[list[str], dict[int, str]]:
    """Installed fonts that have the texts' characters, and what to write for the others.

    The second is for ``str.translate``: escapes for control characters, a box for letters that
    no font has. matplotlib would warn of either.
    """
    wanted = {ord(char) for text in texts for char in text}
    escapes = {code: _escape(code) for code in wanted if not chr(code).isprintable()}
    families = _families()
    fonts, missing = [OWN_FONT], wanted - escapes.keys() - _characters(families.pop(OWN_FONT))
    for name in sorted(families, key=_serifs_last) if missing else ():
        if found := missing & _characters(families[name]):
            fonts.append(name)
            missing -= found
    return fonts, escapes | dict.fromkeys(missing, NO_GLYPH)


def language_fonts() -> list[str]:
    """An installed font with the letters of the language that is spoken; none, if none has them.

    English needs none.
    """
    if spoken() != KOREAN:
        return []
    from cnnviz.language.korean import LETTERS  # only for those who read it

    families, wanted = _families(), set(map(ord, LETTERS))
    known = [name for name in KOREAN_FONTS if name in families]
    others = sorted(families.keys() - {*known}, key=_serifs_last)
    for name in (*known, *others):
        if wanted <= _characters(families[name]):
            return [name]
    return []


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches of one line of text of ``size`` points."""
    font = FontProperties(size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def write_line(
    figure: Figure,
    text: str,
    x: float,
    y: float,
    size: float,
    color: Any,
    width: float | None = None,
    weight: str = "normal",
) -> None:
    """One line of text whose baseline begins ``x`` and ``y`` inches from the lower left.

    It is at most ``width`` inches wide; without, as wide as leaves the same margin on both sides.
    """
    text, size = fitted(
        text, figure.get_figwidth() - 2 * x if width is None else width, size, weight
    )
    place = x / figure.get_figwidth(), y / figure.get_figheight()
    figure.text(*place, text, fontsize=size, color=color, fontweight=weight)


def fitted(text: str, width: float, size: float, weight: str = "normal") -> tuple[str, float]:
    """``text`` and a size at which it is at most ``width`` inches wide.

    It is made smaller first; where that is not enough, its middle is left out.
    """
    if len(text) <= LONGEST:
        natural = text_width(text, size, weight)
        if SMALLER * natural <= width:
            return text, size * min(1.0, width / natural) if natural else size
    size *= SMALLER
    halves = range(1, min(len(text), LONGEST) // 2)
    fit = bisect_right(halves, width, key=lambda n: text_width(_halves(text, n), size, weight))
    return _halves(text, max(fit, 1)), size


def _halves(text: str, half: int) -> str:
    return f"{text[:half]}…{text[-half:]}"


def _escape(code: int) -> str:
    return chr(code).encode("unicode_escape", "surrogatepass").decode()


def _families() -> dict[str, list[str]]:
    """The files of each installed font family."""
    files: dict[str, list[str]] = {}
    for font in fontManager.ttflist:
        if not font.name.startswith("Last Resort"):  # it draws boxes, for every character
            files.setdefault(font.name, []).append(font.fname)
    return files


def _serifs_last(family: str) -> tuple[bool, str]:
    return "Sans" not in family and "Gothic" not in family, family


def _characters(files: list[str]) -> set[int]:
    """The characters that every face of a family can draw; none where a file cannot be used."""
    try:
        faces = [get_font(file) for file in files]
    except (OSError, RuntimeError):  # FreeType refuses it, or it has gone
        return set()
    if not all(face.scalable for face in faces):
        return set()
    return set.intersection(*(set(face.get_charmap()) for face in faces))


def shade(color: tuple[int, int, int]) -> Color:
    """A colour of 0 to 255 as matplotlib's of 0 to 1."""
    red, green, blue = (value / 255 for value in color)
    return red, green, blue
