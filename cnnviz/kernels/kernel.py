"""What a filter does: one kernel of exact weights, or several whose results are put together."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Protocol

from cnnviz.errors import KernelError

MOST_NAME_BYTES = 100


@dataclass(frozen=True)
class Kernel:
    """A rectangle of exact rational weights, applied without flipping.

    The result of a window is ``sum(weights * pixels) / divisor + offset``; ``offset`` is in gray
    levels of an 8-bit image, and is scaled with the image's depth.
    """

    name: str
    weights: tuple[tuple[Fraction, ...], ...]
    divisor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    title: str = ""
    description: str = ""
    source: str = ""

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The kernels whose results make up this one's: itself alone."""
        return (self,)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.weights), len(self.weights[0])

    @cached_property
    def denominator(self) -> int:
        """What the sums of ``numerators * pixels`` are divided by, at least 1."""
        return math.lcm(*(w.denominator for row in self._scaled for w in row))

    @cached_property
    def numerators(self) -> tuple[tuple[int, ...], ...]:
        """The weights over ``denominator``: integers, so that sums of products can be exact.

        >>> half = Fraction(1, 2)
        >>> Kernel("k", ((half, Fraction(1, 3)),)).numerators
        ((3, 2),)
        """
        return tuple(tuple(int(w * self.denominator) for w in row) for row in self._scaled)

    @property
    def sum(self) -> Fraction:
        """Sum of the weights over the divisor: what a flat image of ones becomes."""
        return sum((w for row in self._scaled for w in row), Fraction(0))

    @property
    def zero_sum(self) -> bool:
        """Whether a flat image becomes 0, or the offset: the result is about changes alone."""
        return self.sum == 0

    @cached_property
    def rounded(self) -> list[list[float]]:
        """Weights over the divisor as floats, each the nearest to its exact value."""
        return [[float(w) for w in row] for row in self._scaled]

    def split(self, largest: int) -> tuple[Kernel, int]:
        """An integer kernel and the divisor that is left to do after it, offset put aside.

        ``largest`` is the largest integer up to which the arithmetic holds every integer
        (2**24 in float32). Where the integers are larger, the kernel keeps its fractions and
        the divisor is 1.
        """
        biggest = max(abs(n) for row in self.numerators for n in row)
        if max(biggest, self.denominator) > largest:
            return replace(self, offset=Fraction(0)), 1
        rows = tuple(tuple(map(Fraction, row)) for row in self.numerators)
        integers = replace(self, weights=rows, divisor=Fraction(1), offset=Fraction(0))
        return integers, self.denominator

    @property
    def flipped(self) -> Kernel:
        """The kernel turned by 180 degrees: correlating with it is true convolution."""
        return replace(self, weights=tuple(row[::-1] for row in reversed(self.weights)))

    @cached_property
    def _scaled(self) -> tuple[tuple[Fraction, ...], ...]:
        return tuple(tuple(w / self.divisor for w in row) for row in self.weights)


@dataclass(frozen=True)
class Magnitude:
    """The length of the vector of its parts' results: ``sqrt(first**2 + second**2 + ...)``.

    Of the derivatives along x and y that is how steep the image is, in whatever direction.

    Raises:
        KernelError: the parts differ in shape, or have offsets.
    """

    name: str
    parts: tuple[Kernel, ...]
    title: str = ""
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for part in self.parts:
            if part.shape != self.shape:
                raise KernelError(
                    f"part {part.name} of the magnitude is {part.shape[0]}x{part.shape[1]} but"
                    f" {self.parts[0].name} is {self.shape[0]}x{self.shape[1]}; pad it with zeros"
                )
            if part.offset:
                raise KernelError(
                    f"part {part.name} of the magnitude has the offset {float(part.offset):g};"
                    " a length is measured from 0, so leave it out"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of every part."""
        return self.parts[0].shape

    @property
    def offset(self) -> Fraction:
        """0: the parts have none."""
        return Fraction(0)

    @property
    def zero_sum(self) -> bool:
        """Whether a flat image becomes 0."""
        return all(part.zero_sum for part in self.parts)

    @property
    def flipped(self) -> Magnitude:
        """The magnitude of the parts turned by 180 degrees."""
        return replace(self, parts=tuple(part.flipped for part in self.parts))


class Named(Protocol):
    """What is applied to images, and has a name: a kernel, a pool."""

    @property
    def name(self) -> str:
        """What results are called after."""


def file_name(kernel: Named) -> str:
    """The name with nothing in it that could leave a folder, and not too long for one."""
    safe = re.sub(r"[^\w.-]+", "_", kernel.name)
    return safe.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
