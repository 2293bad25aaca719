"""Exact numbers: read as people write them, and written as people read them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.shapes.notation import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

Number = int | Fraction | float
"""Whole numbers are ints, other exact ones Fractions; a float is what could not stay exact."""

WRITTEN = re.compile(
    r"[-+]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:e[-+]?[0-9]{1,2})?"
    r"|[-+]?[0-9]{1,15}/[0-9]{1,15}",
    re.IGNORECASE,
)
MINUS = "\N{MINUS SIGN}"
LARGEST = 10**30  # so that sums of products of sums of products are still floats
MOST_PLACES = 3  # after the point; what needs more is written as a fraction
MOST_PLACES_ALONE = 6
LARGEST_DENOMINATOR = 9999


def parse_number(text: str) -> int | Fraction:
    """The number that ``text`` spells, exactly: ``3``, ``-0.5``, ``1/16``, ``2.5e3``.

    Raises:
        UsageError: it spells none, or divides by 0.

    >>> parse_number("0.5"), parse_number("4/2")
    (Fraction(1, 2), 2)
    """
    plain = text.replace(MINUS, "-")
    if not WRITTEN.fullmatch(plain):
        raise UsageError(f"{quoted(text)} is not a number; write 3, -0.5 or 1/16")
    try:
        value = exact(Fraction(plain))
    except ZeroDivisionError:
        raise UsageError(f"{quoted(text)} divides by 0; write 3, -0.5 or 1/16") from None
    if not -LARGEST <= value <= LARGEST:
        raise UsageError(f"{quoted(text)} is beyond 1e30, the limit; scale the numbers down")
    return value


def exact(value: Fraction) -> int | Fraction:
    """The same number, as an int where it is whole."""
    return value.numerator if value.denominator == 1 else value


def divide(value: Number, divisor: int | Fraction) -> Number:
    """``value / divisor``, exact where ``value`` is.

    >>> divide(10, 4), divide(12, 4)
    (Fraction(5, 2), 3)
    """
    if isinstance(value, float):
        return value / float(divisor)
    return exact(Fraction(value) / divisor)


def number_texts(values: Sequence[Number]) -> list[str]:
    """Numbers that stand together, all in one style.

    Decimals where they all end within three places, else fractions; a float, or a fraction of
    a large denominator, is rounded.

    >>> number_texts([Fraction(3, 3), Fraction(1, 2)])
    ['1', '0.5']
    >>> number_texts([1, Fraction(1, 2), Fraction(1, 16)])
    ['1', '1/2', '1/16']
    """
    short = all(_ends_soon(value) for value in values if isinstance(value, Fraction))
    return [_written(value, decimal=short) for value in values]


def value_text(value: Number) -> str:
    """A result: its exact value, and what that is about where it is a fraction.

    >>> value_text(Fraction(2314, 3)), value_text(Fraction(1, 16))
    ('2314/3 ≈ 771.333', '0.0625')
    """
    if not isinstance(value, Fraction):
        return _written(value, decimal=True)
    if _ends_soon(value, MOST_PLACES_ALONE):
        return f"{float(value):.{MOST_PLACES_ALONE}f}".rstrip("0").removesuffix(".")
    about = f"≈ {float(value):.6g}"
    return f"{value} {about}" if value.denominator <= LARGEST_DENOMINATOR else about


def _ends_soon(value: Fraction, places: int = MOST_PLACES) -> bool:
    return int(10**places) % value.denominator == 0


def _written(value: Number, *, decimal: bool) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "0" if value == 0 else f"{value:.4f}" if 1e-4 <= abs(value) < 1e6 else f"{value:.4g}"
    if decimal:
        return f"{float(value):.{MOST_PLACES}f}".rstrip("0").removesuffix(".")
    if value.denominator <= LARGEST_DENOMINATOR:
        return str(value)
    return f"{float(value):.6g}"
