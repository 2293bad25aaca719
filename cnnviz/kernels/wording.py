"""A kernel's properties in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.kernels.analysis import factors, rank, symmetries
from cnnviz.language import say

if TYPE_CHECKING:
    from cnnviz.kernels.analysis import Factors
    from cnnviz.kernels.kernel import Kernel

LONGEST_FACTOR = 15  # numbers that are written out
LARGEST_INTEGER = 99_999
MIRRORED = {
    "left-right": "left and right",
    "up-down": "up and down",
    "diagonal": "rows and columns",
}
LIKENESSES = {
    "same": "same with {names} exchanged",
    "negated": "negated with {names} exchanged",
}
TURNED = {
    "same": "same when turned by 180 degrees",
    "negated": "negated when turned by 180 degrees",
}


def symmetry_text(kernel: Kernel) -> str:
    """What stays the same, or only changes its sign, when the kernel is mirrored.

    >>> from cnnviz.kernels import load_kernel
    >>> symmetry_text(load_kernel("sobel_x"))
    'same with up and down exchanged; negated with left and right exchanged'
    """
    found = symmetries(kernel)
    said = []
    for likeness, told in LIKENESSES.items():
        names = [say(each) for name, each in MIRRORED.items() if found.get(name) == likeness]
        if names:
            said.append(say(told, names=say(", or ").join(names)))
    if not said and (turned := found.get("turned")):
        said.append(say(TURNED[turned]))
    return "; ".join(said) or say("none")


def separability_text(kernel: Kernel) -> str:
    """The two vectors that it is the product of, or how many such products it takes.

    >>> from cnnviz.kernels import load_kernel
    >>> separability_text(load_kernel("gaussian"))
    'column (1 2 1) × row (1 2 1) / 16'
    """
    found = factors(kernel)
    if found is None:
        count = rank(kernel)
        return say("no") if count is None else say("no, rank {count}", count=count)
    if max(kernel.shape) > LONGEST_FACTOR:
        return say("yes, rank 1")
    if max(map(abs, (*found.column, *found.row))) > LARGEST_INTEGER:
        return _in_decimals(found)
    column, row = (" ".join(map(str, numbers)) for numbers in (found.column, found.row))
    scale = 1 / found.divisor
    times = f" × {scale.numerator}" if scale.numerator != 1 else ""
    over = f" / {scale.denominator}" if scale.denominator != 1 else ""
    return say("column ({column}) × row ({row})", column=column, row=row) + times + over


def _in_decimals(found: Factors) -> str:
    """Factors of long fractions, to six digits: the column adds up to 1, if that can be."""
    whole = sum(found.column) or max(found.column)
    column = " ".join(f"{n / whole:.6g}" for n in found.column)
    row = " ".join(f"{float(n * whole / found.divisor):.6g}" for n in found.row)
    return say("about column ({column}) × row ({row})", column=column, row=row)
