"""How far two correct engines may differ, and whether they do.

A sum of n products in floating point, in any order, is off by at most
``gamma(n) * sum(|w| * |x|)`` with ``gamma(n) = n*u / (1 - n*u)`` and u the unit roundoff
(Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 3.1). A division
and an addition after the sum are one rounding each and count as two terms more. Two engines
may therefore differ by twice that. When all products and partial sums are integers that the
format holds exactly, nothing is rounded and they may not differ at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.engines import Image


@dataclass(frozen=True)
class Bound:
    """The largest difference that rounding explains; 0 when the arithmetic is exact."""

    tolerance: float
    exact: bool


@dataclass(frozen=True)
class Sum:
    """What is summed for one output value: ``terms`` products, then a division, an offset.

    ``magnitude`` is the largest that sum(|w| * |x|) can be before the division.
    ``integers`` says that all weights and pixels are whole numbers.
    """

    terms: int
    magnitude: float
    divisor: float
    offset: float
    integers: bool


@dataclass(frozen=True)
class Verdict:
    """The comparison of two results; ``worst`` is (row, column, channel)."""

    bound: Bound
    max_abs_diff: float
    values: int
    nonfinite: int
    worst: tuple[int, int, int]
    pair: tuple[float, float]

    @property
    def agree(self) -> bool:
        """Whether no compared value differs by more than the bound."""
        return self.max_abs_diff <= self.bound.tolerance

    def moved(self, rows: int) -> Verdict:
        """The verdict on a part that begins ``rows`` below the whole."""
        row, column, channel = self.worst
        return replace(self, worst=(row + rows, column, channel))


def largest_integer(dtype: np.dtype[np.floating]) -> int:
    """The integer up to which the format holds every integer: 2**24 or 2**53."""
    return 1 << int(np.finfo(dtype).nmant) + 1


def bound(total: Sum, dtype: np.dtype[np.floating], *, direct: bool) -> Bound:
    """The bound for two results computed in ``dtype``.

    ``direct`` says that both engines sum products as such; without it the arithmetic is not
    taken to be exact.

    Raises:
        CnnvizError: the sums may be larger than the format's largest number.
    """
    limits = np.finfo(dtype)
    if total.magnitude >= float(limits.max):
        raise CnnvizError(
            f"sums may reach {total.magnitude:.3g}, beyond {dtype}'s {limits.max:.3g};"
            " scale the image down or use --precision float64"
        )
    if direct and total.integers and total.magnitude < largest_integer(dtype):
        return Bound(0.0, exact=True)
    roundings = (total.terms + 2) * float(limits.eps) / 2
    gamma = roundings / (1 - roundings)
    size = total.magnitude / abs(total.divisor) + abs(total.offset)
    # Products below the smallest normal number may be flushed to 0, one by one.
    underflow = total.terms * float(limits.smallest_normal)
    return Bound(2 * (gamma * size + underflow), exact=False)


def compare(
    first: Image, second: Image, allowed: Bound, ignore: NDArray[np.bool_] | None = None
) -> Verdict:
    """The verdict on two (H, W, C) results; values where ``ignore`` is true are left out.

    A value that only one of them could not compute counts as an infinite difference.
    """
    with np.errstate(invalid="ignore"):  # NaN and Inf are dealt with below
        difference = np.subtract(first, second)
        np.abs(difference, out=difference)
    if ignore is not None:
        difference[ignore] = 0
    if np.isnan(difference.max()):
        difference[np.isnan(difference)] = np.inf
    row, column, channel = (int(i) for i in np.unravel_index(difference.argmax(), first.shape))
    place = row, column, channel
    left_out = 0 if ignore is None else int(ignore.sum())
    return Verdict(
        bound=allowed,
        max_abs_diff=float(difference[place]),
        values=first.size - left_out,
        nonfinite=left_out,
        worst=place,
        pair=(float(first[place]), float(second[place])),
    )


def worse(first: Verdict, second: Verdict) -> Verdict:
    """The verdict on both parts of a result: the larger difference, and all values counted."""
    worst = first if first.max_abs_diff >= second.max_abs_diff else second
    return replace(
        worst,
        values=first.values + second.values,
        nonfinite=first.nonfinite + second.nonfinite,
    )
