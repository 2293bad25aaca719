"""A kernel at each of its positions: which pixels it reads, their products, their sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError, UsageError
from cnnviz.matrices import Number, divide, shape_of
from cnnviz.shapes.axes import TransposedAxis
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.window import along

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from cnnviz.matrices import Maps
    from cnnviz.shapes.window import Axis

MOST_PRODUCTS = 2_000_000


@dataclass(frozen=True)
class Filter:
    """Weights for each channel that is read, one matrix each, and what follows their sum.

    The value of a window is ``sum / divisor + bias``; ``channels`` are those of the input.
    """

    name: str
    weights: Maps
    channels: tuple[int, ...]
    divisor: int | Fraction = 1
    bias: int | Fraction = 0


class Term(NamedTuple):
    """One product: a pixel of the input, or the padding around it, and the weight upon it."""

    value: Number
    weight: Number
    row: int
    column: int
    padded: bool

    @property
    def product(self) -> Number:
        """What the term adds to the sum."""
        return self.value * self.weight


Terms = tuple[tuple[Term, ...], ...]
"""The products of one channel as they lie beneath the kernel; rows may be empty."""


class Window(NamedTuple):
    """A filter at one position of its output."""

    filter: Filter
    number: int
    row: int
    column: int
    channels: tuple[Terms, ...]

    @property
    def sums(self) -> list[Number]:
        """The sum of the products of each channel."""
        return [sum(t.product for row in terms for t in row) for terms in self.channels]

    @property
    def value(self) -> Number:
        """What stands in the output."""
        return divide(sum(self.sums), self.filter.divisor) + self.filter.bias

    @property
    def padded(self) -> int:
        """Pixels beneath the kernel, in one channel, that are padding."""
        return sum(term.padded for row in self.channels[0] for term in row)


@dataclass(frozen=True)
class Sliding:
    """Filters of one size over an input, along the height and along the width.

    Raises:
        ShapeError: the kernel is larger than the padded input.
        UsageError: more than two million products.
    """

    input: Maps
    filters: tuple[Filter, ...]
    axes: tuple[Axis, Axis] | tuple[TransposedAxis, TransposedAxis]

    def __post_init__(self) -> None:
        channels = sum(len(each.channels) for each in self.filters)
        products = prod(self.size) * channels * self.axes[0].kernel_size * self.axes[1].kernel_size
        if products > MOST_PRODUCTS:
            raise UsageError(
                f"these are {products:,} products, and at most {MOST_PRODUCTS:,} are worked out"
                " one by one; take a part of the input, or a larger stride"
            )

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        _, height, width = shape_of(self.input)
        rows, columns = self.axes
        return along(rows, "height", height), along(columns, "width", width)

    @property
    def padding(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows above and below, columns left and right; none where copies are laid out."""
        rows, columns = (
            (0, 0) if isinstance(axis, TransposedAxis) else axis.padding for axis in self.axes
        )
        return rows, columns

    @cached_property
    def output(self) -> Maps:
        """Every window's value, one map per filter."""
        height, width = self.size
        return tuple(
            tuple(
                tuple(self.window(number, row, column).value for column in range(width))
                for row in range(height)
            )
            for number in range(len(self.filters))
        )

    def windows(self) -> Iterator[Window]:
        """All windows, row by row, filter by filter."""
        height, width = self.size
        for number in range(len(self.filters)):
            for row in range(height):
                for column in range(width):
                    yield self.window(number, row, column)

    def window(self, number: int, row: int, column: int) -> Window:
        """The window of filter ``number`` whose value stands at (row, column).

        Raises:
            ShapeError: the output has no such position.
        """
        height, width = self.size
        if not (0 <= row < height and 0 <= column < width):
            raise ShapeError(
                f"row {row}, column {column} is not in the output, which is"
                f" {size_text(self.size)}: rows 0 to {height - 1}, columns 0 to {width - 1}"
            )
        chosen = self.filters[number]
        rows, columns = self.taps(row, column)
        channels = tuple(
            tuple(
                tuple(self._term(channel, y, x, weights[a][b]) for b, x in columns) for a, y in rows
            )
            for channel, weights in zip(chosen.channels, chosen.weights, strict=True)
        )
        return Window(chosen, number, row, column, channels)

    def taps(self, row: int, column: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Which weight lies upon which position of the input, along height and width."""
        return self._along(0, row), self._along(1, column)

    def _term(self, channel: int, row: int, column: int, weight: Number) -> Term:
        """A product; what lies outside the input is a zero of the padding."""
        matrix = self.input[channel]
        inside = 0 <= row < len(matrix) and 0 <= column < len(matrix[0])
        return Term(matrix[row][column] if inside else 0, weight, row, column, not inside)

    def _along(self, which: int, output: int) -> list[tuple[int, int]]:
        axis, size = self.axes[which], shape_of(self.input)[1 + which]
        reads = axis.reader(size).reads(output)
        if not isinstance(axis, TransposedAxis):
            return list(enumerate(reads))
        reach = output + axis.padding
        return [((reach - i * axis.stride) // axis.dilation, i) for i in reads if 0 <= i < size]
