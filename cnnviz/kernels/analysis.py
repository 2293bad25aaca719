"""What can be said of a kernel by looking at its weights: symmetry, rank, and its factors.

All of it is exact: weights are fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.kernels.kernel import Kernel

    Rows = tuple[tuple[Fraction, ...], ...]

LARGEST_RANKED = 31  # a side; fractions grow long in the elimination


class Factors(NamedTuple):
    """A kernel as ``column × row / divisor``: integers without a common factor in both."""

    column: tuple[int, ...]
    row: tuple[int, ...]
    divisor: Fraction


def symmetries(kernel: Kernel) -> dict[str, str]:
    """How the weights change when they are mirrored or turned: ``same``, ``negated`` or nothing.

    Keys are ``left-right``, ``up-down``, ``turned`` (by 180 degrees) and, for squares,
    ``diagonal`` (rows and columns exchanged); those that change in other ways are left out.
    """
    rows = kernel.weights
    changed: dict[str, Rows] = {
        "left-right": tuple(row[::-1] for row in rows),
        "up-down": rows[::-1],
        "turned": kernel.flipped.weights,
    }
    if len(rows) == len(rows[0]):
        changed["diagonal"] = tuple(zip(*rows, strict=True))
    found = {name: _likeness(rows, other) for name, other in changed.items()}
    return {name: likeness for name, likeness in found.items() if likeness}


def factors(kernel: Kernel) -> Factors | None:
    """The column and the row whose products the weights are; None where there are none.

    A kernel of zeros has none. The divisor and the column's last number are positive.

    >>> from cnnviz.kernels import load_kernel
    >>> factors(load_kernel("sobel_x"))
    Factors(column=(1, 2, 1), row=(-1, 0, 1), divisor=Fraction(1, 1))
    >>> factors(load_kernel("gaussian")).divisor
    Fraction(16, 1)
    """
    rows = kernel.weights
    top = next((row for row in rows if any(row)), None)
    if top is None:
        return None
    pivot = next(n for n, weight in enumerate(top) if weight)
    shares = [row[pivot] / top[pivot] for row in rows]
    if any(
        weight != share * first
        for row, share in zip(rows, shares, strict=True)
        for weight, first in zip(row, top, strict=True)
    ):
        return None
    (column, down), (row, across) = _integers(shares), _integers(top)
    divisor = kernel.divisor / (down * across)
    if divisor < 0:  # the sign goes into the row
        row, divisor = tuple(-n for n in row), -divisor
    return Factors(column, row, divisor)


def rank(kernel: Kernel) -> int | None:
    """How many separable kernels it is the sum of, at least; None for more than 31 a side."""
    if max(kernel.shape) > LARGEST_RANKED:
        return None
    rows, found = [list(row) for row in kernel.weights], 0
    for column in range(kernel.shape[1]):
        pivot = next((n for n in range(found, len(rows)) if rows[n][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for below in rows[found + 1 :]:
            share = below[column] / rows[found][column]
            below[:] = [a - share * b for a, b in zip(below, rows[found], strict=True)]
        found += 1
    return found


def _likeness(rows: Rows, other: Rows) -> str:
    if rows == other:
        return "same"
    return "negated" if other == tuple(tuple(-weight for weight in row) for row in rows) else ""


def _integers(values: Sequence[Fraction]) -> tuple[tuple[int, ...], Fraction]:
    """Integers without a common factor, and what they are to be multiplied by.

    The last that is not 0 is positive, as in a derivative.
    """
    whole = math.lcm(*(value.denominator for value in values))
    numbers = [int(value * whole) for value in values]
    common = math.gcd(*numbers)
    last = next(n for n in reversed(numbers) if n)
    sign = -1 if last < 0 else 1
    return tuple(sign * n // common for n in numbers), Fraction(sign * common, whole)
