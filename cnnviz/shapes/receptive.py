"""Receptive fields: which input pixels a position of a layer's output depends on.

For windows that slide, this is the arithmetic of Araujo, Norris and Sim, "Computing Receptive
Fields of Convolutional Neural Networks", Distill, 2019: a layer with kernel k (dilated: its
span), stride s and padding p makes of field r, stride j and padding q

    r + (k - 1)*j,   j*s,   q + p*j.

Transposed convolutions, interpolation and adaptive pools read differently from one output
position to the next, but repeat themselves after a few. So the field is kept as a short table,
one entry per position until it repeats; a sliding window needs one entry.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import NamedTuple

from cnnviz.shapes.readers import Everything, Reader, Window

WHOLE_INPUT = "whole input"
NOT_COMPUTED = "not computed"

MOST_LOOKUPS = 512  # per layer and axis; a stride of 32 takes 64
LARGEST = 2**63 - 1  # torch's sizes and strides are 64-bit

Span = tuple[int, int]


class Reach(NamedTuple):
    """First and last input pixel seen from each position along one axis, not clipped.

    ``spans`` holds positions 0, 1, …, until they repeat ``advance`` pixels further on;
    None where a position sees nothing.
    """

    advance: int = 1
    spans: tuple[Span | None, ...] = ((0, 0),)

    def at(self, position: int) -> Span | None:
        """What ``position`` sees."""
        turn, entry = divmod(position, len(self.spans))
        span = self.spans[entry]
        return span and (span[0] + turn * self.advance, span[1] + turn * self.advance)

    def through(self, reader: Window) -> Reach | None:
        """The reach one layer on; None when its table would be too long or too large."""
        turns = len(self.spans) // gcd(len(self.spans), reader.advance)
        advance = self.advance * (reader.advance * turns // len(self.spans))
        # Positions that share an entry: the first sees furthest back, the last furthest on.
        ends = 1 if self._is_even() else len(self.spans)
        outputs = reader.period * turns
        if 2 * outputs * ends > MOST_LOOKUPS or advance > LARGEST:
            return None
        spans = []
        for output in range(outputs):
            positions = reader.reads(output)
            nearest = {*positions[:ends], *positions[-ends:]}
            spans.append(_hull([self.at(position) for position in nearest]))
        return Reach(advance, tuple(spans))

    def joined(self, other: Reach) -> Reach | None:
        """Both together, as after an addition; None where they step differently."""
        period = lcm(len(self.spans), len(other.spans))
        advance = self.advance * (period // len(self.spans))
        if other.advance * (period // len(other.spans)) != advance or period > MOST_LOOKUPS:
            return None
        both = ([self.at(position), other.at(position)] for position in range(period))
        return Reach(advance, tuple(_hull(spans) for spans in both))

    def _is_even(self) -> bool:
        """Whether every position sees something, and never less far than the one before it."""
        following = [self.at(position) for position in range(1, len(self.spans) + 1)]
        return all(
            a and b and a[0] <= b[0] and a[1] <= b[1]
            for a, b in zip(self.spans, following, strict=True)
        )


def _hull(spans: list[Span | None]) -> Span | None:
    seen = [span for span in spans if span]
    return (min(a for a, _ in seen), max(b for _, b in seen)) if seen else None


class Field(NamedTuple):
    """The receptive field along one axis of the input.

    ``limit`` says why there is no number: ``WHOLE_INPUT`` or ``NOT_COMPUTED``; ``reach`` is
    then the last that was known.
    """

    reach: Reach = Reach()
    limit: str = ""

    @property
    def size(self) -> int | None:
        """Pixels from the first to the last that one output can see, at the most."""
        if self.limit:
            return None
        return max((span[1] - span[0] + 1 for span in self.reach.spans if span), default=0)

    @property
    def stride(self) -> int | float:
        """Input pixels from one output to the next; a fraction after upsampling."""
        whole, rest = divmod(self.reach.advance, len(self.reach.spans))
        return self.reach.advance / len(self.reach.spans) if rest else whole

    @property
    def padding(self) -> int:
        """How far the field of the first output that sees anything starts before the input."""
        return next((-span[0] for span in self.reach.spans if span), 0)

    def through(self, reader: Reader) -> Field:
        """The field one layer on."""
        if isinstance(reader, Everything):
            return Field(self.reach, WHOLE_INPUT)
        if self.limit:
            return self
        reach = self.reach.through(reader)
        return Field(reach) if reach else Field(self.reach, NOT_COMPUTED)

    def joined(self, other: Field) -> Field:
        """The field of a sum of two branches."""
        limits = {self.limit, other.limit}
        if limits != {""}:
            return Field(self.reach, WHOLE_INPUT if WHOLE_INPUT in limits else NOT_COMPUTED)
        reach = self.reach.joined(other.reach)
        return Field(reach) if reach else Field(self.reach, NOT_COMPUTED)
