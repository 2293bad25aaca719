"""What a figure says in numbers and words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnviz.language import say
from cnnviz.shapes.wording import many
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.kernels.analysis import Factors

ENGINES = {"opencv": "OpenCV"}
COLORS = ("red", "green", "blue")
DISPLAYS = {
    "abs": "Results are shown as |x|, cut off at white",
    "clip": "Results are shown cut off at black and at white",
    "offset": "Results are shown with 0 at mid gray, cut off at black and at white",
    "minmax": "Results are shown stretched: the smallest is black, the largest white",
}

MOST_FACTORS, LARGEST_FACTOR = 10, 999  # that are written out


def minus(text: str) -> str:
    """A number with the minus sign that is as wide as a plus."""
    return text.replace("-", "−")


def number(value: float) -> str:
    """A number in at most six digits."""
    return minus(f"{value:.6g}")


def signed(value: float) -> str:
    """A number that is added: its sign stands apart."""
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"


def cell(value: float, digits: int) -> str:
    """A number to stand in a cell: whole where it is whole, else in so many digits."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return minus(str(int(value)))
    places = ".0f" if 10**digits <= abs(value) < 1e6 else f".{digits}g"
    return minus(f"{value:{places}}")


def product(found: Factors | None) -> str:
    """A separable kernel as column × row; its rank alone where these are long."""
    if found is None:
        return say("not separable")
    numbers = *found.column, *found.row
    if len(numbers) > MOST_FACTORS or max(map(abs, numbers)) > LARGEST_FACTOR:
        return say("separable: rank 1")
    column, row = (minus(" ".join(map(str, side))) for side in (found.column, found.row))
    return say("separable: ({column})ᵀ × ({row})", column=column, row=row)


def extent(values: NDArray[Any]) -> str:
    """From the smallest finite value to the largest."""
    ends = finite_range(values)
    if ends is None:
        return say("none finite")
    low, high = map(number, ends)
    if ends[0] < ends[1]:
        return say("{low} to {high}", low=low, high=high)
    return say("all {value}", value=low)


def size(values: NDArray[Any]) -> str:
    """Height × width."""
    return "×".join(map(str, values.shape[:2]))


def depth(pixels: NDArray[Any]) -> str:
    """What a pixel holds: channels, format, and for floats the range."""
    colors = "RGB" if pixels.shape[2] == 3 else say("gray")
    if pixels.dtype.kind == "u":
        return say("{colors}, {bits}-bit", colors=colors, bits=8 * pixels.dtype.itemsize)
    return f"{colors} {pixels.dtype}, {extent(pixels)}"


def values(count: int) -> str:
    """So many values."""
    return many(count, "value")


def engine(name: str) -> str:
    """An engine's name as its makers write it."""
    return ENGINES.get(name, name)


def difference(verdict: Verdict) -> str:
    """The largest difference and the bound."""
    largest, bound = (minus(f"{x:.3g}") for x in (verdict.max_abs_diff, verdict.bound.tolerance))
    exact = say(" (exact)") if verdict.bound.exact else ""
    return say("largest {largest}, bound {bound}", largest=largest, bound=bound) + exact


def disagreement(verdict: Verdict, engines: Sequence[str], channels: int) -> tuple[str, str]:
    """That the engines disagree and where most, and what they say there."""
    row, column, channel = verdict.worst
    told = "the engines disagree at row {row}, column {column}"
    where = say(told, row=row, column=column)
    where += f", {say(COLORS[channel])}" if channels == len(COLORS) else ""
    pairs = zip(map(engine, engines), map(number, verdict.pair), strict=True)
    said = ", ".join(f"{name} {value}" for name, value in pairs)
    return where, f"{said}: {difference(verdict)}"
