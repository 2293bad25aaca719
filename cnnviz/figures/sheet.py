"""The sheet of a filter figure: its panels in their places, words above, between and below."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from cnnviz.figures import drawings, layout, panels, words
from cnnviz.figures.layout import MARGIN, WIDTH
from cnnviz.figures.pixels import all_finite
from cnnviz.figures.style import (
    DPI,
    drawing_alone,
    encoded,
    language_fonts,
    lettering,
    own_settings,
    shade,
    write_line,
)
from cnnviz.language import say, titled
from cnnviz.render.canvas import FAINT, INK

if TYPE_CHECKING:
    from cnnviz.figures.filter import Comparison
    from cnnviz.figures.layout import Place
    from cnnviz.figures.panels import Panel

TITLE_TEXT, SUBTITLE_TEXT, PANEL_TEXT, NOTE_TEXT, FOOT_TEXT = 22, 13.5, 15, 12, 11  # points
TITLE_DOWN, SUBTITLE_DOWN, TOP = 0.47, 0.77, 0.95  # inches below the upper edge
PANEL_DOWN = 0.24  # of a panel's title, below its top
HAIR = 1e-9  # inches
FOOT_UP, BOTTOM = 0.2, 0.46  # inches above the lower edge


def draw(comparison: Comparison, suffix: str) -> bytes:
    """The file of the figure; see ``draw_filter``."""
    kernels = [text for kernel in comparison.kernels for text in (kernel.name, kernel.title)]
    said = [comparison.input, comparison.details, comparison.magnitude, *kernels]
    fonts, instead = lettering(said)
    fonts = [fonts[0], *language_fonts(), *fonts[1:]]
    with drawing_alone, own_settings(fonts):
        return encoded(build(_legible(comparison, instead)), suffix)


def build(comparison: Comparison) -> Figure:
    """The figure of a comparison whose texts can be drawn."""
    sources, others = panels.of(comparison)
    every = [*sources, *others]
    demands = [panel.demand for panel in every]
    height, places = layout.arrange(demands, len(sources), top=TOP, bottom=BOTTOM)
    figure = Figure((WIDTH, height), dpi=DPI)
    _head(figure, comparison)
    for panel, place in zip(every, places, strict=True):
        _put(figure, panel, place)
    write_line(figure, _foot(comparison), MARGIN, FOOT_UP, FOOT_TEXT, shade(FAINT))
    return figure


def _legible(comparison: Comparison, instead: dict[int, str]) -> Comparison:
    """The same with ``instead`` of characters that cannot be drawn."""
    kernels = (
        replace(kernel, name=kernel.name.translate(instead), title=kernel.title.translate(instead))
        for kernel in comparison.kernels
    )
    return replace(
        comparison,
        input=comparison.input.translate(instead),
        details=comparison.details.translate(instead),
        magnitude=comparison.magnitude.translate(instead),
        kernels=tuple(kernels),
    )


def _head(figure: Figure, comparison: Comparison) -> None:
    names = [kernel.name for kernel in comparison.kernels]
    subtitle = comparison.title or comparison.kernels[0].title
    if len(names) > 1:
        subtitle = say("Magnitude √({sum})", sum=" + ".join(f"{name}²" for name in names))
    title = f"{comparison.input} × {comparison.magnitude or say(' and ').join(names)}"
    height = figure.get_figheight()
    write_line(figure, title, MARGIN, height - TITLE_DOWN, TITLE_TEXT, shade(INK), weight="bold")
    write_line(
        figure, titled(subtitle), MARGIN, height - SUBTITLE_DOWN, SUBTITLE_TEXT, shade(FAINT)
    )


def _foot(comparison: Comparison) -> str:
    """What holds for several panels, and the details."""
    display, verdict, source = comparison.display, comparison.verdict, comparison.source
    said = [say("Sizes are rows × columns"), f"{say(words.DISPLAYS[display])} ({display})"]
    arrays = (source, *comparison.results.values())
    written = [(cells, x) for x in arrays if (cells := panels.numbers(x, source))]
    if any(x.shape[2] > 1 for _, x in written):
        said.append(say("in a cell: red, green, blue"))
    if any(panels.are_rounded(*pair) for pair in written):
        said.append(say("numbers in cells are rounded"))
    if not all(map(all_finite, arrays)):
        said.append(say("red: NaN or Inf"))
    if verdict and verdict.nonfinite:
        count = words.values(verdict.nonfinite)
        said.append(say("gray: left out of the comparison, {count}", count=count))
    step = drawings.difference_step(arrays[-1])
    if verdict and verdict.max_abs_diff and step > 1:
        told = "a dot of the difference: the largest of up to {step}×{step} pixels"
        said.append(say(told, step=step))
    return "   ·   ".join(filter(None, (*said, comparison.details)))


def _put(figure: Figure, panel: Panel, place: Place) -> None:
    """Draw a panel in its place, with its title and its notes above it."""
    box, height = layout.within(place, panel.aspect), figure.get_figheight()
    # On whole pixels, so that two pictures that are the same are drawn the same.
    x, y, wide, high = (round(n * DPI) / DPI for n in (box.x, box.y, box.width, box.height))
    # A width that is a rounding error above so many pixels would be drawn one pixel wider.
    wide, high = wide - HAIR, high - HAIR
    rectangle = x / WIDTH, y / height, wide / WIDTH, high / height
    panel.draw(figure.add_axes(rectangle))
    y, width = place.top - PANEL_DOWN, place.text_width
    write_line(figure, panel.title, place.x, y, PANEL_TEXT, shade(INK), width, "bold")
    for note, color in panel.notes:
        y -= layout.LINE
        write_line(figure, note, place.x, y, NOTE_TEXT, color, width)
