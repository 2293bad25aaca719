"""The panels of a filter figure: what each is called, says, asks for, and draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import floor, log10
from typing import TYPE_CHECKING, Any

from cnnviz.figures import drawings, words
from cnnviz.figures.layout import COLOR_BAR, Demand
from cnnviz.figures.style import shade
from cnnviz.kernels.analysis import factors
from cnnviz.language import say
from cnnviz.render.canvas import ALARM, FAINT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnviz.figures.drawings import Cells
    from cnnviz.figures.filter import Comparison
    from cnnviz.kernels import Kernel

    Values = NDArray[Any]
    Note = tuple[str, Any]

GOOD = (20, 105, 58)
MOST_KERNELS = 3  # that have room beside the input
MOST_WEIGHTS = 11 * 11  # to be written as numbers
WRITTEN = {"exact": (10.0, 2.2), "rounded": (7.5, 2.5)}  # weights: points, inches at most
LOWEST_KERNEL, HIGHEST_KERNEL, WIDEST_KERNEL = 1.5, 2.7, 2.9  # inches
HIGHEST_CELLS, WIDEST_CELLS = 2.9, 3.0  # such that three, or one and two kernels, have room
NARROWEST_CARD = 0.6
THINNEST = 12  # how many times longer than wide pictures are; thinner ones are drawn wider


@dataclass(frozen=True)
class Panel:
    """A drawing of width over height ``aspect``, with its title and coloured notes."""

    title: str
    notes: list[Note]
    demand: Demand
    aspect: float
    draw: Callable[[Axes], None]


def of(comparison: Comparison) -> tuple[list[Panel], list[Panel]]:
    """Input and kernels; results and difference."""
    sources = [_source(comparison), *_kernels(comparison.kernels)]
    return sources, [*_results(comparison), *_difference(comparison)]


def _kernels(kernels: Sequence[Kernel]) -> list[Panel]:
    """A panel for each kernel; of many, for the first ones."""
    if not kernels:
        return []
    rows, columns = kernels[0].shape
    most = MOST_KERNELS if columns <= 2 * rows else 2
    drawn = kernels if len(kernels) <= most else kernels[: most - 1]
    panels = [kernel_panel(kernel) for kernel in drawn]
    if rest := len(kernels) - len(drawn):
        panels.append(_rest(len(kernels), rest))
    return panels


def _rest(count: int, rest: int) -> Panel:
    lines = say("and {count} more", count=rest).rsplit(" ", 1)
    return _card(say("{count} kernels", count=count), [], lines, FAINT, 1.0)


def numbers(values: Values, source: Values) -> Cells | None:
    """What to write into the pixels of a picture; None where they are too many or too long.

    The picture stands in a place of the shape of the ``source``. Values that are not whole are
    rounded to four digits, or to three.
    """
    shape = _aspect(source)
    for digits in (4, 3) if drawings.are_few(values) else ():
        cells = drawings.numbers(values, digits)
        height = _height_of(cells, drawings.SMALLEST_TEXT, shape)
        if height <= min(HIGHEST_CELLS, WIDEST_CELLS / shape):
            return cells
    return None


def are_rounded(cells: Cells, values: Values) -> bool:
    """Whether some of the numbers that are written have more digits."""
    return cells != drawings.numbers(values, 6)


def _source(comparison: Comparison) -> Panel:
    pixels = comparison.source
    notes = [_faint(words.depth(pixels))]
    return _picture(comparison, say("input {size}", size=words.size(pixels)), notes, pixels, pixels)


def _results(comparison: Comparison) -> list[Panel]:
    built = []
    for name, values in comparison.results.items():
        engine = words.engine(name)
        notes = [_faint(say("values {extent}", extent=words.extent(values)))]
        if comparison.verdict is None:
            alone = say("not verified: {engine} alone", engine=engine)
            notes.append((alone, shade(ALARM)))
        title, pixels = f"{engine} {words.size(values)}", comparison.shown[name]
        built.append(_picture(comparison, title, notes, pixels, values))
    return built


def _picture(
    comparison: Comparison, title: str, notes: list[Note], pixels: Values, values: Values
) -> Panel:
    cells, shape = numbers(values, comparison.source), _aspect(comparison.source)
    lowest = _height_of(cells, drawings.SMALLEST_TEXT, shape) if cells else 0.0
    draw = partial(drawings.draw_pixels, pixels=pixels, values=values, cells=cells)
    return Panel(title, notes, Demand(shape, len(notes), lowest=lowest), _aspect(pixels), draw)


def kernel_panel(kernel: Kernel, high: float = HIGHEST_KERNEL) -> Panel:
    """A kernel at most ``high`` inches high, its weights as numbers where they have room."""
    rows, columns = kernel.shape
    weights = [[float(weight) for weight in row] for row in kernel.weights]
    shape = _clamped(columns / rows)
    highest = min(high, WIDEST_KERNEL / shape)
    cells, lowest = _weights(weights, shape, highest)
    right = 0 if cells else COLOR_BAR
    demand = Demand(shape, right=right, lowest=lowest, highest=highest)
    after = _after_sum(kernel)
    draw = partial(drawings.draw_kernel, weights=weights, cells=cells, below=after)
    note = say("weights sum to {sum}", sum=words.number(float(kernel.sum)))
    if cells and cells != _typeset(weights):
        note += say(", shown rounded")
    notes = [_faint(note)]
    if found := factors(kernel):
        notes.append(_faint(words.product(found)))
        demand = replace(demand, lines=len(notes))
    return Panel(f"{kernel.name} {rows}×{columns}", notes, demand, shape, draw)


def _after_sum(kernel: Kernel) -> str:
    """What is done to the sum of products: the division, the addition."""
    divisor = f"÷ {words.number(float(kernel.divisor))}" if kernel.divisor != 1 else ""
    offset = words.signed(float(kernel.offset)) if kernel.offset else ""
    return "  ".join(filter(None, (divisor, offset)))


def _weights(
    weights: list[list[float]], shape: float, highest: float
) -> tuple[Cells | None, float]:
    """The weights as text, and the height that they need; None where a colour bar says more.

    They are rounded where they would be too long; the largest then has three digits.
    """
    least = min(LOWEST_KERNEL, highest)
    if len(weights) * len(weights[0]) > MOST_WEIGHTS:
        return None, least
    largest = max(abs(weight) for row in weights for weight in row)
    decimals = 2 - floor(log10(largest)) if largest else 0
    rounded = [[round(weight, decimals) for weight in row] for row in weights]
    for kind, said in (("exact", weights), ("rounded", rounded)):
        cells, (size, limit) = _typeset(said), WRITTEN[kind]
        height = _height_of(cells, size, shape)
        if height <= min(limit, highest):
            return cells, max(height, least)
    return None, least


def _typeset(weights: list[list[float]]) -> Cells:
    return [[words.number(weight) for weight in row] for row in weights]


def _height_of(cells: Cells, size: float, aspect: float) -> float:
    """How high a place of that ``aspect`` must be for square cells with text of that ``size``."""
    side = drawings.cell_side(cells, size)
    return max(side * len(cells), side * len(cells[0]) / aspect)


def _difference(comparison: Comparison) -> list[Panel]:
    """The panel of the difference; none where there is nothing to compare."""
    verdict = comparison.verdict
    if verdict is None:
        return []
    (one, first), (other, second) = comparison.results.items()
    title = f"|{words.engine(one)} − {words.engine(other)}|"
    shape = _aspect(comparison.source)
    if not verdict.values:
        lines = [say("not verified:"), say("every window"), say("holds NaN or Inf")]
        return [_card(title, [], lines, ALARM, shape)]
    count = words.values(verdict.values)
    largest = _faint(words.difference(verdict))
    if verdict.max_abs_diff == 0:
        lines = [say("identical"), *say("on {count}", count=count).rsplit(" ", 1)]
        return [_card(title, [largest], lines, GOOD, shape)]
    notes = [(say("within the bound on {count}", count=count), shade(GOOD)), largest]
    if not verdict.agree:
        where, what = words.disagreement(verdict, tuple(comparison.results), first.shape[2])
        notes = [(where, shade(ALARM)), _faint(what)]
    draw = partial(drawings.draw_difference, first=first, second=second, verdict=verdict)
    return [Panel(title, notes, Demand(shape, len(notes), right=COLOR_BAR), _aspect(first), draw)]


def _card(
    title: str, notes: list[Note], lines: list[str], color: tuple[int, int, int], shape: float
) -> Panel:
    """Words in place of a picture."""
    shape = max(shape, NARROWEST_CARD)
    draw = partial(drawings.draw_card, lines=lines, color=shade(color))
    return Panel(title, notes, Demand(shape, len(notes)), shape, draw)


def _aspect(values: Values) -> float:
    height, width = values.shape[:2]
    return _clamped(width / height)


def _clamped(aspect: float) -> float:
    return min(max(aspect, 1 / THINNEST), THINNEST)


def _faint(text: str) -> Note:
    return text, shade(FAINT)
