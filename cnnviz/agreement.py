"""How far two correct engines may differ, and whether they do.

A sum of n products in floating point, in any order, is off by at most
``gamma(n) * sum(|w| * |x|)`` with ``gamma(n) = n*u / (1 - n*u)`` and u the unit roundoff
(Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 3.1). A division
and an addition after the sum are one rounding each and count as two terms more. Two engines
may therefore differ by twice that, and where one of them sums by Fourier transforms, by what
these may be off besides (``cnnviz.engines.dft``). When all products and partial sums are
integers that the format holds exactly, nothing is rounded and they may not differ at all.
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

    ``integers`` says that all weights and pixels are whole numbers. ``transforms`` is how far
    Fourier transforms may be off, before the division.
    """

    terms: int
    divisor: float
    offset: float
    integers: bool
    transforms: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The comparison of two results; ``worst`` is (row, column, channel).

    Where they agree, ``bound`` is the largest of the values' bounds and ``worst`` the largest
    difference; else both are those of the value that is furthest beyond its bound.
    """

    agree: bool
    bound: Bound
    max_abs_diff: float
    values: int
    nonfinite: int
    worst: tuple[int, int, int]
    pair: tuple[float, float]

    def moved(self, rows: int) -> Verdict:
        """The verdict on a part that begins ``rows`` below the whole."""
        row, column, channel = self.worst
        return replace(self, worst=(row + rows, column, channel))


def largest_integer(dtype: np.dtype[np.floating]) -> int:
    """The integer up to which the format holds every integer: 2**24 or 2**53."""
    return 1 << int(np.finfo(dtype).nmant) + 1


def is_exact(magnitude: float, total: Sum, dtype: np.dtype[np.floating]) -> bool:
    """Whether no product and no partial sum can be rounded.

    ``magnitude`` is the largest that sum(|w| * |x|) can be, before the division.
    """
    return total.integers and magnitude < largest_integer(dtype)


def refuse_overflow(magnitude: float, total: Sum, dtype: np.dtype[np.floating]) -> None:
    """Refuse sums that may be larger than the format's largest number.

    Raises:
        CnnvizError: names the sum and the limit.
    """
    limit = float(np.finfo(dtype).max)
    largest = max(magnitude, magnitude / abs(total.divisor) + abs(total.offset))
    if not largest < limit:
        raise CnnvizError(
            f"sums may reach {largest:.3g}, beyond {dtype}'s {limit:.3g};"
            " scale the image down or use --precision float64"
        )


def tolerances(
    magnitudes: NDArray[np.floating], total: Sum, dtype: np.dtype[np.floating]
) -> NDArray[np.float64]:
    """How far two results in ``dtype`` may differ, value by value.

    ``magnitudes`` are sum(|w| * |x|), before the division, themselves computed by an engine.
    """
    limits = np.finfo(dtype)
    roundings = (total.terms + 2) * float(limits.eps) / 2
    gamma = roundings / (1 - roundings)
    exact_magnitudes = (magnitudes.astype(np.float64) + total.transforms) * (1 + 2 * gamma)
    size = exact_magnitudes / abs(total.divisor) + abs(total.offset)  # at most
    # Products below the smallest normal number may be flushed to 0, one by one.
    underflow = total.terms * float(limits.smallest_normal) / min(abs(total.divisor), 1.0)
    transforms = total.transforms / abs(total.divisor)
    return np.asarray(2 * (gamma * size + underflow) + transforms)


def compare(
    first: Image,
    second: Image,
    allowed: NDArray[np.float64] | None,
    ignore: NDArray[np.bool_] | None = None,
) -> Verdict:
    """The verdict on two (H, W, C) results; values where ``ignore`` is true are left out.

    ``allowed`` are the values' tolerances; None is for exact arithmetic, where all are 0. A
    value that only one of them could not compute counts as an infinite difference.
    """
    if ignore is None and np.array_equal(first, second):  # no NaN is in them either
        return _identical(first, allowed)
    with np.errstate(invalid="ignore"):  # NaN and Inf are dealt with below
        difference = np.subtract(first, second)
        np.abs(difference, out=difference)
    if ignore is not None:
        difference[ignore] = 0
    if np.isnan(difference.max()):
        difference[first == second] = 0  # infinities
        difference[np.isnan(difference)] = np.inf
    beyond = difference if allowed is None else difference - allowed
    agree = bool((beyond <= 0).all())
    furthest = difference.argmax() if agree else beyond.argmax()
    row, column, channel = (int(i) for i in np.unravel_index(furthest, first.shape))
    place = row, column, channel
    left_out = 0 if ignore is None else int(ignore.sum())
    tolerance = 0.0 if allowed is None else float(allowed.max() if agree else allowed[place])
    return Verdict(
        agree=agree,
        bound=Bound(tolerance, exact=allowed is None),
        max_abs_diff=float(difference[place]),
        values=first.size - left_out,
        nonfinite=left_out,
        worst=place,
        pair=(float(first[place]), float(second[place])),
    )


def _identical(result: Image, allowed: NDArray[np.float64] | None) -> Verdict:
    """The verdict on two results that are the same, in a fifth of the time."""
    return Verdict(
        agree=True,
        bound=Bound(0.0 if allowed is None else float(allowed.max()), exact=allowed is None),
        max_abs_diff=0.0,
        values=result.size,
        nonfinite=0,
        worst=(0, 0, 0),
        pair=(float(result[0, 0, 0]), float(result[0, 0, 0])),
    )


def joined(first: Verdict, second: Verdict) -> Verdict:
    """The verdict on two parts of a result that lie beside each other."""
    return replace(
        both(first, second),
        values=first.values + second.values,
        nonfinite=first.nonfinite + second.nonfinite,
    )


def both(first: Verdict, second: Verdict) -> Verdict:
    """The verdict on values that are made of two results each."""
    worst = max(first, second, key=lambda verdict: (not verdict.agree, verdict.max_abs_diff))
    tolerance = worst.bound.tolerance
    if worst.agree:
        tolerance = max(first.bound.tolerance, second.bound.tolerance)
    exact = first.bound.exact and second.bound.exact
    return replace(worst, bound=Bound(tolerance, exact))
