"""Which input rows and columns a chain never reads."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from cnnviz.shapes.chain import Fork
from cnnviz.shapes.readers import Everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.chain import Chain, Item, Step
    from cnnviz.shapes.readers import Window

MOST_READS = 1_000_000

Positions = range | AbstractSet[int]


def unread(chain: Chain) -> tuple[int | None, ...]:
    """How many positions along each axis of the input no output depends on.

    None where counting them would take too long.
    """
    return tuple(_unread(chain, axis) for axis in range(len(chain.input) - 1))


def unread_by(step: Step, axis: int) -> int | None:
    """How many positions along one axis of its own input a single layer never reads."""
    size = step.input[axis + 1]
    read = _Backwards(axis).through((step,), range(step.output[axis + 1]))
    return None if read is None else size - len(read)


def _unread(chain: Chain, axis: int) -> int | None:
    # A row of features stands for all positions of the axis it was flattened from.
    end = range(chain.output[axis + 1]) if len(chain.output) > 1 else range(1)
    read = _Backwards(axis).through(chain.items, end)
    return None if read is None else chain.input[axis + 1] - len(read)


class _Backwards:
    """Follows what is read from the last layer to the first; ``left`` bounds the work."""

    def __init__(self, axis: int) -> None:
        self.axis, self.left = axis, MOST_READS

    def through(self, items: Sequence[Item], needed: Positions) -> Positions | None:
        """What of the items' input the ``needed`` positions of their output read."""
        for item in reversed(items):
            found = self._fork(item, needed) if isinstance(item, Fork) else self._step(item, needed)
            if found is None:
                return None
            needed = found
        return needed

    def _fork(self, fork: Fork, needed: Positions) -> Positions | None:
        read: Positions = range(0)
        for branch in fork.branches:
            found = self.through(branch, needed)
            both = None if found is None else self._both(read, found)
            if both is None:
                return None
            read = both
        return read

    def _both(self, first: Positions, second: Positions) -> Positions | None:
        if not first or not second:
            return first or second
        if isinstance(first, range) and isinstance(second, range):
            first, second = sorted((first, second), key=lambda each: each.start)
            if second.start <= first.stop:
                return range(first.start, max(first.stop, second.stop))
        self.left -= len(first) + len(second)
        return {*first, *second} if self.left > 0 else None

    def _step(self, step: Step, needed: Positions) -> Positions | None:
        if len(step.input) == 1:
            return needed
        size = step.input[self.axis + 1]
        reader = step.layer.readers(step.input)[self.axis]
        if not needed:
            return range(0)
        if isinstance(reader, Everything) or len(step.output) == 1:
            return range(size)
        if isinstance(needed, range) and reader.leaves_no_gap:
            first, last = reader.reads(needed[0]), reader.reads(needed[-1])
            return range(size)[max(first.start, 0) : max(last.stop, 0)]
        return self._one_by_one(reader, needed, size)

    def _one_by_one(self, reader: Window, needed: Positions, size: int) -> set[int] | None:
        read: set[int] = set()
        for output in needed:
            positions = reader.reads(output)
            self.left -= len(positions) + 1
            if self.left < 0:
                return None
            read.update(positions)
        return {position for position in read if 0 <= position < size}
