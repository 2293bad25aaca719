"""The drawings that figures are made of, each on axes whose units are pixels."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize

from cnnviz.figures import words
from cnnviz.figures.pixels import largest_difference, picture
from cnnviz.figures.style import DPI, shade, text_width
from cnnviz.render.canvas import ALARM, FAINT, INK, legible_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict

    Values = NDArray[Any]
    Cells = list[list[str]]
    Color = tuple[float, float, float]

MOST_CELLS = 12  # pixels a side
MOST_DIFFERENCES = 100  # a side: one of them is then seen from the last row
SMALLEST_TEXT, LARGEST_TEXT, CARD_TEXT = 6.5, 18.0, 24.0  # points
LARGE_ENOUGH, RING = 16.0, 22.0
TICK_TEXT, LABEL_TEXT = 10.5, 15.0
TICK_EVERY = {True: (0.26, 0.22), False: (0.6, 0.42)}  # inches from one column, or row, to the next
LINE_HEIGHT, SIDES = 1.25, 1.15  # of a line of text: over its size; of its cell: over its width
BAR, BAR_GAP, LOWEST_BAR = 0.16, 0.12, 0.9  # inches
EDGE = "#b9bdc4"
KERNEL_COLORS = colormaps["RdBu_r"]
PALER = 1.3  # the scale goes on beyond the largest weight, to where colours are nearly black
DIFFERENCE_COLORS = colormaps["BuPu"].with_extremes(bad=(0.72, 0.72, 0.72), over=shade(ALARM))


def draw_pixels(axes: Axes, pixels: Values, values: Values, cells: Cells | None) -> None:
    """Draw (H, W, C) ``pixels``, with the texts ``cells`` in them; see ``picture``."""
    height, width = pixels.shape[:2]
    wide, high = _inches(axes)
    step = max(1, int(height / high / DPI), int(width / wide / DPI))  # the figure shows no more
    seen = picture(pixels, values, step)
    _show(axes, seen, (height, width))
    if cells:
        _write(axes, cells, seen)


def draw_kernel(axes: Axes, weights: list[list[float]], cells: Cells | None, below: str) -> None:
    """Draw weights, red above 0 and blue below it, with ``cells`` in them or a colour bar."""
    values = np.array(weights)
    top = float(np.abs(values).max()) or 1.0
    norm = Normalize(-PALER * top, PALER * top)
    colors = _bytes(KERNEL_COLORS(norm(values)))
    _show(axes, colors, values.shape)
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(below, fontsize=LABEL_TEXT, color=shade(INK))
    if cells:
        _write(axes, cells, colors)
    else:
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        _bar(axes, ScalarMappable(norm, KERNEL_COLORS), low, high)


def draw_difference(axes: Axes, first: Values, second: Values, verdict: Verdict) -> None:
    """Draw |first - second|, the largest of all channels, with its scale.

    Gray is what is no number, red a difference without end. Where the engines disagree the
    worst pixel is ringed.
    """
    height, width = first.shape[:2]
    step = difference_step(first)
    values = largest_difference(first, second, step)
    top = float(values[np.isfinite(values)].max(initial=0))
    norm = Normalize(0, top or 1.0)
    colors = _bytes(DIFFERENCE_COLORS(norm(values)))
    _show(axes, colors, (height, width), crisp=True)
    if top:
        _bar(axes, ScalarMappable(norm, DIFFERENCE_COLORS), 0.0, top)
    if are_few(first):
        _write(axes, numbers(values[:, :, np.newaxis], 3), colors)
    if not verdict.agree:
        _ring(axes, *verdict.worst[:2], (height, width))


def difference_step(values: Values) -> int:
    """How many pixels a side are drawn as one, by the largest of them."""
    longest: int = max(values.shape[:2])
    return ceil(longest / MOST_DIFFERENCES)


def draw_card(axes: Axes, lines: list[str], color: Color) -> None:
    """Words in place of a picture, as large as fit: in one line, in two or in all three."""
    axes.set(xticks=[], yticks=[], facecolor=(*color, 0.07))
    for spine in axes.spines.values():
        spine.set_visible(False)
    width, height = _inches(axes)

    def size(texts: list[str]) -> float:
        widest = max(text_width(text, 1) for text in texts)
        return min(CARD_TEXT, 0.9 * width / widest, 72 * height / (2 * len(texts)))

    choices = [lines[0], " ".join(lines[1:])], [" ".join(lines)], lines
    best = max(choices, key=lambda texts: min(size(texts), LARGE_ENOUGH))
    axes.text(
        *(0.5, 0.5, "\n".join(best)),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=size(best),
        color=color,
    )


def are_few(pixels: Values) -> bool:
    """Whether there are so few that each is a cell, with room for its number."""
    return bool(max(pixels.shape[:2]) <= MOST_CELLS)


def numbers(values: Values, digits: int) -> Cells:
    """What to write in each cell: the value of each channel on a line of its own."""
    return [
        ["\n".join(words.cell(float(value), digits) for value in pixel) for pixel in row]
        for row in values
    ]


def cell_side(cells: Cells, size: float) -> float:
    """Side in inches of a square cell that holds any of these texts at ``size`` points."""
    texts = [text for row in cells for text in row]
    lines = {line for text in texts for line in text.split("\n")}
    high = max(text.count("\n") + 1 for text in texts) * LINE_HEIGHT * size / 72
    return max(SIDES * max(text_width(line, size) for line in lines), high)


def _write(axes: Axes, cells: Cells, colors: NDArray[np.uint8]) -> None:
    """Put a text into each cell, all as large as the longest can be; none where too small."""
    width, height = _inches(axes)
    side = min(width / len(cells[0]), height / len(cells))
    size = min(LARGEST_TEXT, side / cell_side(cells, 1))
    if size < SMALLEST_TEXT:
        return
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            red, green, blue = colors[row, column].tolist()
            ink = shade(legible_on((red, green, blue)))
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color=ink)


def _show(
    axes: Axes,
    colors: NDArray[np.uint8],
    shape: tuple[int, ...],
    *,
    crisp: bool = False,
) -> None:
    """Put RGB, which may be fewer, on axes that count the pixels of ``shape`` (H, W)."""
    height, width = shape
    few = max(shape) <= MOST_CELLS
    extent = -0.5, width - 0.5, height - 0.5, -0.5
    smoothing = "nearest" if crisp or few else None
    axes.imshow(colors, extent=extent, aspect="auto", interpolation=smoothing)
    _quiet(axes)
    inches = _inches(axes)
    axes.set_xticks(_ticks(width, inches[0] / TICK_EVERY[few][0]))
    axes.set_yticks(_ticks(height, inches[1] / TICK_EVERY[few][1]))
    if few:
        axes.hlines(np.arange(1, height) - 0.5, -0.5, width - 0.5, EDGE, linewidth=0.8)
        axes.vlines(np.arange(1, width) - 0.5, -0.5, height - 0.5, EDGE, linewidth=0.8)


def _ticks(length: int, most: float) -> range:
    """Every 1st, 2nd, 5th, 10th, 20th … of so many pixels, ``most`` of them at most."""
    steps = (n * 10**power for power in range(10) for n in (1, 2, 5))
    return range(0, length, next(step for step in steps if length <= step * max(most, 1)))


def _bar(axes: Axes, colors: ScalarMappable, low: float, high: float) -> None:
    """A colour bar beside the axes, labelled at its ends and at 0."""
    width, height = _inches(axes)
    tall = max(1.0, LOWEST_BAR / height)
    bar = axes.inset_axes((1 + BAR_GAP / width, 1 - tall, BAR / width, tall))
    Colorbar(bar, colors)
    far = 0.1 * (high - low)
    ticks = [low, *([0.0] if min(-low, high) > far else []), high]
    bar.set_ylim(low, high)
    bar.set_yticks(ticks, [words.minus(f"{tick:.3g}") for tick in ticks])
    _quiet(bar)


def _quiet(axes: Axes) -> None:
    """Frame and numbers less dark than what they are for."""
    for spine in axes.spines.values():
        spine.set_color(EDGE)
    axes.tick_params(labelsize=TICK_TEXT, color=EDGE, labelcolor=shade(FAINT), length=3)


def _ring(axes: Axes, row: int, column: int, shape: tuple[int, ...]) -> None:
    """A red ring, white behind, around a pixel: as wide as its cell, but never small."""
    width, height = _inches(axes)
    size = max(RING, 72 * 0.9 * min(width / shape[1], height / shape[0]))
    for line, color in ((5.0, "white"), (2.5, shade(ALARM))):
        axes.plot(
            *([column], [row], "o"),
            markersize=size,
            markerfacecolor="none",
            markeredgecolor=color,
            markeredgewidth=line,
            clip_on=False,
        )


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height."""
    box = axes.get_window_extent()
    return box.width / DPI, box.height / DPI


def _bytes(colors: Values) -> NDArray[np.uint8]:
    """Matplotlib's RGBA of 0 to 1 as RGB of 0 to 255."""
    return np.asarray(np.rint(colors[..., :3] * 255), np.uint8)
