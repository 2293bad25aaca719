"""What one kernel does to one image: input, kernel, both results, and how far they differ."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.language import ENGLISH, legible, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.kernels import Kernel

SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Comparison:
    """What a figure of ``cnnviz filter`` or ``cnnviz pool`` shows.

    ``input`` names the image of (H, W, 1|3) ``source`` pixels: uint8, uint16 or float. There is
    one kernel, or several where the result is the root of the sum of their squared results, which
    is then called ``magnitude``; or none, and ``magnitude`` and ``title`` say what was done.
    ``results`` are the exact (h, w, C) results by the engine's name, of one engine or of two,
    ``shown`` the same as pixels, mapped as ``display`` says. ``verdict`` is None when one engine
    worked alone. ``details`` is a line for the foot of the figure, such as the border.
    """

    input: str
    source: NDArray[Any]
    kernels: tuple[Kernel, ...]
    results: Mapping[str, NDArray[Any]]
    shown: Mapping[str, NDArray[Any]]
    display: str
    verdict: Verdict | None
    magnitude: str = ""
    details: str = ""
    title: str = ""


def refuse_unmakeable(suffix: str) -> None:
    """Refuse, before any work is done, a figure that could not be made.

    Raises:
        UsageError: a format that is none of PNG, SVG, PDF.
        CnnvizError: matplotlib is not installed.
    """
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise UsageError(f"a figure's name ends in {suffix!r}; it must end in {known}")
    if find_spec("matplotlib") is None:
        raise CnnvizError("figures need matplotlib; install it with: pip install 'cnnviz[figures]'")


def has_letters() -> bool:
    """Whether figures can be written in the language that is spoken; where matplotlib is."""
    if spoken() == ENGLISH:
        return True
    from cnnviz.figures.style import language_fonts  # matplotlib, which will be needed anyway

    return bool(language_fonts())


@contextmanager
def lettered() -> Iterator[None]:
    """Within, and in this thread, figures are in English where no font has other letters."""
    with legible(letters=has_letters()):
        yield


def draw_filter(comparison: Comparison, suffix: str) -> bytes:
    """The figure as a file of that kind: ``.png``, ``.svg`` or ``.pdf``.

    The same comparison gives the same bytes.

    Raises:
        UsageError, CnnvizError: see ``refuse_unmakeable``.
    """
    refuse_unmakeable(suffix)
    from cnnviz.figures.sheet import draw  # matplotlib: only when there is something to draw

    return draw(comparison, suffix)
