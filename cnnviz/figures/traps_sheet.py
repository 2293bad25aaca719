"""The sheet of ways to a result: the results above, below each where it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from cnnviz.figures import words
from cnnviz.figures.drawings import are_few, draw_pixels, numbers
from cnnviz.figures.style import (
    DPI,
    drawing_alone,
    encoded,
    fitted,
    language_fonts,
    lettering,
    own_settings,
    shade,
    write_line,
)
from cnnviz.language import say
from cnnviz.render.canvas import ALARM, FAINT, INK
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnviz.figures.traps import Way

    Place = tuple[int, int]

WIDTH, MARGIN, GAP, LEFT = 40 / 3, 0.45, 0.3, 0.35  # inches, as all below
HEAD, LABEL, BELOW, FOOT, HIGHEST = 1.0, 0.62, 0.3, 0.4, 3.2
TITLE_TEXT, SUBTITLE_TEXT, NAME_TEXT, NOTE_TEXT = 22, 13.5, 12.5, 11  # points
MARK, PALEST = (214, 39, 40), 0.55  # where they differ; how pale the result is where not
MOST_MARKS = 160  # a side, that are drawn one by one
FEW_MARKS = 0.05  # of all pixels; so few are drawn larger where they would not be seen
CORNER = 8  # pixels a side of a large result that are drawn around one


def draw(
    title: str, subtitle: str, ways: Sequence[Way], suffix: str, *, around: Place | None
) -> bytes:
    """The file of the sheet; the same bytes each time."""
    fonts, instead = lettering([title])
    fonts = [fonts[0], *language_fonts(), *fonts[1:]]
    with drawing_alone, own_settings(fonts):
        figure = build(title.translate(instead), subtitle, ways, around=around)
        return encoded(figure, suffix)


def build(title: str, subtitle: str, ways: Sequence[Way], *, around: Place | None) -> Figure:
    """The figure of ways whose title can be drawn."""
    whole = ways[0].result
    rows, columns = slice(0, whole.shape[0]), slice(0, whole.shape[1])
    enlarged = around is not None and not are_few(whole)
    if around and enlarged:
        rows, columns = (_near(n, length) for n, length in zip(around, whole.shape, strict=False))
    upper = [way.result[rows, columns] for way in ways]
    step = (WIDTH - 2 * MARGIN + GAP) / len(ways)
    sizes = [_size(shape, step) for shape in (upper[0].shape, ways[0].differs.shape)]
    height = round(HEAD + sum(high for _, high in sizes) + 2 * (LABEL + BELOW) + FOOT, 2)
    figure = Figure((WIDTH, height), dpi=DPI)
    write_line(figure, title, MARGIN, height - 0.5, TITLE_TEXT, shade(INK), weight="bold")
    write_line(figure, subtitle, MARGIN, height - 0.8, SUBTITLE_TEXT, shade(FAINT))
    shown = _shown([way.result for way in ways])
    for number, (way, result) in enumerate(zip(ways, upper, strict=True)):
        x, y, (wide, high) = MARGIN + number * step, height - HEAD - LABEL, sizes[0]
        _name(figure, way.name, x, y, step - GAP)
        write_line(
            figure, words.extent(way.result), x + LEFT, y + 0.07, NOTE_TEXT, shade(FAINT), wide
        )
        axes = _axes(figure, x + LEFT, y - high, wide, high)
        cells = numbers(result, 4) if are_few(result) else None
        draw_pixels(axes, shown[number][rows, columns], result, cells)
        axes.set_xticks(axes.get_xticks(), [f"{n + columns.start:g}" for n in axes.get_xticks()])
        axes.set_yticks(axes.get_yticks(), [f"{n + rows.start:g}" for n in axes.get_yticks()])
        if number:
            y -= high + BELOW + LABEL
            _draw_marks(figure, way, shown[number], (x + LEFT, y, *sizes[1]), step - GAP - LEFT)
    foot = [say("All results are shown in one scale, the smallest value black, the largest white")]
    if enlarged:
        told = "upper row: rows {top} to {low}, columns {left} to {right}"
        ends = {"low": rows.stop - 1, "right": columns.stop - 1}
        foot.append(say(told, top=rows.start, left=columns.start, **ends))
    said = "   ·   ".join([*foot, say("red: differs from {name}", name=ways[0].name)])
    write_line(figure, said, MARGIN, 0.17, NOTE_TEXT, shade(FAINT))
    return figure


def _near(place: int, length: int) -> slice:
    """So many pixels as are enlarged, with that one among them."""
    start = max(0, min(place - CORNER // 2, length - CORNER))
    return slice(start, min(start + CORNER, length))


def _size(shape: tuple[int, ...], step: float) -> tuple[float, float]:
    """Width and height of a picture of that shape, of which there is one every ``step``."""
    wide = min(step - GAP - LEFT, HIGHEST * shape[1] / shape[0])
    return wide, wide * shape[0] / shape[1]


def _draw_marks(
    figure: Figure,
    way: Way,
    shown: NDArray[np.uint8],
    place: tuple[float, float, float, float],
    width: float,
) -> None:
    """Draw where a way differs, below ``place``'s (x, y), and how many pixels that are."""
    x, y, wide, high = place
    count, all_of_them = f"{int(way.differs.sum()):,}", f"{way.differs.size:,}"
    said = say("{count} of {all} pixels differ", count=count, all=all_of_them)
    color = ALARM if way.differs.any() else FAINT
    write_line(figure, said, x, y + 0.07, NOTE_TEXT, shade(color), width)
    marks = _marks(way.differs, shown)
    draw_pixels(_axes(figure, x, y - high, wide, high), marks, marks, None)


def _shown(results: Sequence[NDArray[Any]]) -> list[NDArray[np.uint8]]:
    """Results as pixels of 8 bits, all in one scale."""
    ends = [found for result in results if (found := finite_range(result))]
    low, high = min((a for a, _ in ends), default=0.0), max((b for _, b in ends), default=1.0)
    scale = 255 / (high - low) if high > low else 1.0
    scaled = (np.nan_to_num((result - low) * scale, posinf=255, neginf=0) for result in results)
    return [np.asarray(np.rint(np.clip(each, 0, 255)), np.uint8) for each in scaled]


def _marks(differs: NDArray[Any], shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels, pale, with red where they differ; a few are seen in a large image too."""
    gray = shown.mean(axis=2, keepdims=True)
    pale = np.repeat(255 - (255 - gray) * (1 - PALEST), 3, axis=2)
    reach = max(differs.shape) // MOST_MARKS if differs.mean() < FEW_MARKS else 0
    for axis in (0, 1):
        length = differs.shape[axis]
        pads = [(reach, reach) if n == axis else (0, 0) for n in (0, 1)]
        padded = np.pad(differs, pads)
        parts = (padded.take(range(n, n + length), axis) for n in range(2 * reach + 1))
        differs = np.logical_or.reduce(list(parts))
    pale[differs] = MARK
    return np.asarray(np.rint(pale), np.uint8)


def _name(figure: Figure, name: str, x: float, y: float, width: float) -> None:
    """A name in one line, or in two where it has a comma."""
    first, comma, rest = name.partition(", ")
    if comma and fitted(name, width - LEFT, NAME_TEXT, "bold")[1] < NAME_TEXT:
        write_line(
            figure, f"{first},", x + LEFT, y + 0.48, NAME_TEXT, shade(INK), width - LEFT, "bold"
        )
        write_line(figure, rest, x + LEFT, y + 0.28, NAME_TEXT, shade(INK), width - LEFT, "bold")
    else:
        write_line(figure, name, x + LEFT, y + 0.28, NAME_TEXT, shade(INK), width - LEFT, "bold")


def _axes(figure: Figure, x: float, y: float, wide: float, high: float) -> Axes:
    height = figure.get_figheight()
    return figure.add_axes((x / WIDTH, y / height, wide / WIDTH, high / height))
