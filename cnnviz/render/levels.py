"""Values to the 256 levels of a colour map, on a stated scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """``low`` as 0, ``high`` as 255, linear between; beyond them cut off.

    NaN and an empty range give 0.
    """
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    share = (values.astype(np.float64) - low) / (high - low)
    return np.rint(np.nan_to_num(np.clip(share, 0, 1)) * 255).astype(np.uint8)


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
