"""Bytes that a chain takes: its parameters, and what its layers put out."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.shapes.chain import Fork, Step
from cnnviz.shapes.plain import BatchNorm, Flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.chain import Chain, Item
    from cnnviz.shapes.layer import Shape

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
COUNTER = 8  # batch normalisation counts batches in int64, whatever the rest is


class Memory(NamedTuple):
    """Sizes in bytes.

    ``outputs`` is the output of every layer together, kept when training; ``peak`` is the most
    that is alive at once when each is dropped after its last use.
    """

    params: int
    buffers: int
    outputs: int
    peak: int


def memory_of(chain: Chain, dtype: str = "float32", batch: int = 1) -> Memory:
    """Bytes of a chain in ``dtype``, for ``batch`` images at once.

    Every layer makes a new output, but flatten, which looks at its input in another shape.
    Workspaces of the engine and what the allocator rounds up are not counted.
    """
    width = BYTES[dtype]
    counters = sum(isinstance(step.layer, BatchNorm) for step in chain.steps)
    made = sum(prod(s.output) for s in chain.steps if not isinstance(s.layer, Flatten))
    return Memory(
        params=chain.params * width,
        buffers=(chain.buffers - counters) * width + counters * COUNTER,
        outputs=made * width * batch,
        peak=_peak(chain.items, prod(chain.input), 0) * width * batch,
    )


def _peak(items: Sequence[Item], alive: int, held: int) -> int:
    """The most numbers alive while ``items`` run on an input of ``alive``, beside ``held``.

    The input is dropped once read; the branches of a fork hold it for those after them.
    """
    most = 0
    for item in items:
        if isinstance(item, Fork):
            most = max(most, _fork_peak(item, alive, held))
            alive = prod(item.join.output)
        else:
            made = 0 if isinstance(item.layer, Flatten) else prod(item.output)
            most = max(most, held + alive + made)
            alive = prod(item.output)
    return most


def _fork_peak(fork: Fork, alive: int, held: int) -> int:
    """The same while the branches run and are joined.

    The input is one tensor, however many wait for it: branches to come, and those that only look
    at it, which end as it.
    """
    most = ends = 0
    kept = any(map(_is_view, fork.branches))
    for number, branch in enumerate(fork.branches, 1):
        if _is_view(branch):
            continue
        waited_for = kept or number < len(fork.branches)
        own, others = (0, alive) if waited_for else (alive, 0)
        most = max(most, _peak(branch, own, held + others + ends))
        ends += prod(_output(branch[-1]))
    return max(most, held + alive * kept + ends + prod(fork.join.output))


def _is_view(branch: Sequence[Item]) -> bool:
    """Whether a branch makes nothing new: it is empty, or flattens."""
    return all(isinstance(item, Step) and isinstance(item.layer, Flatten) for item in branch)


def _output(item: Item) -> Shape:
    return item.join.output if isinstance(item, Fork) else item.output
