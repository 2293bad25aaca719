"""Values to the 256 levels of a colour map, on a stated scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPAN = 1e-30, 1e30  # spans within which float32 is exact enough


def to_levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """``low`` as 0, ``high`` as 255, linear between; beyond them cut off.

    NaN and an empty range give 0.
    """
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    # Three times as fast as float64.
    single = values.dtype == np.float32 and SPAN[0] < high - low < SPAN[1]
    kind = np.float32 if single and max(abs(low), abs(high)) < SPAN[1] else np.float64
    with np.errstate(invalid="ignore", over="ignore"):  # of values far beyond the range
        share = np.subtract(values, kind(low), dtype=kind)
        share /= kind(high - low)  # no reciprocal: the middle must come out as 0.5
        share *= 255
    np.fmin(np.fmax(share, 0, out=share), 255, out=share)  # fmax takes 0 before NaN
    levels: NDArray[np.uint8] = np.rint(share).astype(np.uint8)
    return levels


def short(value: float) -> str:
    """A number in two or three digits, to go under a picture.

    >>> short(-0.0123), short(99.96), short(0.00046), short(0.0)
    ('-0.012', '100.0', '4.6e-4', '0.00')
    """
    size = abs(value)
    if size == 0:
        return "0.00"  # without the sign that a float's zero may have
    if 0.01 <= size < 1e4:
        return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3}f}"
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits}e{int(exponent)}" if exponent else digits  # "nan" and "inf" have none
