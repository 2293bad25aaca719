"""Numbers and sizes as people write them: plain digits, joined by a cross."""

import re

from cnnviz.errors import ShapeError

WHOLE = r"[0-9]{1,9}"  # ASCII digits only, and no number that would ask for absurd arithmetic
CROSS = r"[xX×]"
LONGEST_QUOTE = 40


def quoted(text: str) -> str:
    """``text`` in quotes, cut where it would flood a sentence."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…")


def whole_number(text: str, minimum: int = 1) -> int:
    """The number that ``text`` spells.

    Raises:
        ShapeError: not a whole number in plain digits, or below ``minimum``.
    """
    if not re.fullmatch(rf"-?{WHOLE}", text):
        raise ShapeError(f"{quoted(text)} is not a whole number of at most 9 digits")
    if int(text) < minimum:
        raise ShapeError(f"{int(text)} is below {minimum}")
    return int(text)


def per_axis(text: str, minimum: int = 1) -> tuple[int, ...]:
    """One number for all axes, or two or three, one per axis: ``3``, ``3x5``.

    Raises:
        ShapeError: not of that form, or a number is below ``minimum``.
    """
    if not re.fullmatch(rf"-?{WHOLE}(?:{CROSS}-?{WHOLE}){{0,2}}", text):
        raise ShapeError(
            f"{quoted(text)} is neither a whole number of at most 9 digits"
            " nor one number per axis, such as 3x5"
        )
    return tuple(whole_number(part, minimum) for part in re.split(CROSS, text))


def both_ends(text: str) -> tuple[tuple[int, int], ...]:
    """What is added before and after every axis, or each: ``0+1``, ``0+1x2+2``, ``0+1x3``.

    Raises:
        ShapeError: not of that form, or a number is below 0.
    """
    axes = [part.partition("+") for part in re.split(CROSS, text)]
    ends = [(before, after if plus else before) for before, plus, after in axes]
    befores, afters = ("x".join(each) for each in zip(*ends, strict=True))
    return tuple(zip(per_axis(befores, 0), per_axis(afters, 0), strict=True))


def size_text(shape: tuple[float, ...]) -> str:
    """A size as it is shown: ``3x224x224``.

    >>> size_text((3, 224, 224))
    '3x224x224'
    """
    return "x".join(map(str, shape))
