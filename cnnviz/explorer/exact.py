"""Which exact numbers the page holds: convolutions' inputs, weights and outputs."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.explorer.facts import INPUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from cnnviz.explorer.facts import Convolution

    Numbers = NDArray[np.float32]

SPARE = 4  # numbers without a sum may take one part in so many of the budget
HELD = 4  # budgets of values that are held until it is known which of them fit


def base64_of(values: NDArray[np.generic]) -> str:
    """The values as little-endian bytes, in base64."""
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return base64.b64encode(data.tobytes()).decode("ascii")


def size_of(values: Numbers) -> int:
    """Bytes that the values take in the page."""
    return -(-values.nbytes // 3) * 4


@dataclass(frozen=True)
class _Held:
    key: str
    size: int
    values: Numbers | None
    convolution: Convolution | None


class Candidates:
    """Layers' exact values, as long as they may still find room in the page.

    Of layers that come in any order those are held that are first in the network, so that what
    is chosen does not depend on the order.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._held: dict[int, _Held] = {}

    def add(self, number: int, key: str, values: Numbers, convolution: Convolution | None) -> None:
        """Hold a layer's values, and let go of those that have no room any more."""
        size = size_of(values)
        kept = values if size <= self.budget else None
        self._held[number] = _Held(key, size if kept is not None else 0, kept, convolution)
        total = 0
        for place in sorted(self._held):
            one = self._held[place]
            total += one.size
            if total > HELD * self.budget:
                self._held[place] = _Held(one.key, one.size, None, one.convolution)

    def chosen(self, tensor: Numbers | None) -> dict[str, Numbers]:
        """What the page holds, by name: ``KEY``, ``KEY:weights``, ``KEY:bias``.

        First come convolutions with all that their sums are made of, from the first on; then
        weights of others, and values of further layers, in a part of what is left.
        """
        layers = [self._held[number] for number in sorted(self._held)]
        values = {x.key: x.values for x in layers if x.values is not None}
        if tensor is not None:
            values[INPUT] = tensor
        chosen: dict[str, Numbers] = {}
        room = _take(chosen, _sums(layers, values), self.budget)
        _take(chosen, _more(layers), min(room, self.budget // SPARE))
        return chosen


def _take(chosen: dict[str, Numbers], wishes: Iterable[dict[str, Numbers]], room: int) -> int:
    """Add to ``chosen`` each wish that has room; how much room is left."""
    for wanted in wishes:
        new = {name: numbers for name, numbers in wanted.items() if name not in chosen}
        cost = sum(map(size_of, new.values()))
        if cost <= room:
            chosen |= new
            room -= cost
    return room


def _sums(layers: list[_Held], values: Mapping[str, Numbers]) -> Iterator[dict[str, Numbers]]:
    """For each convolution all that its sums are made of."""
    for layer, convolution in _convolutions(layers):
        reads = convolution.reads
        if reads is not None and reads in values:
            yield {reads: values[reads]} | _kernel(layer.key, convolution)


def _more(layers: list[_Held]) -> Iterator[dict[str, Numbers]]:
    """Weights alone, then values alone."""
    for layer, convolution in _convolutions(layers):
        yield _kernel(layer.key, convolution)
    for layer in layers:
        if layer.values is not None:
            yield {layer.key: layer.values}


def _convolutions(layers: list[_Held]) -> list[tuple[_Held, Convolution]]:
    return [(layer, layer.convolution) for layer in layers if layer.convolution is not None]


def _kernel(key: str, convolution: Convolution) -> dict[str, Numbers]:
    bias = convolution.bias
    numbers = {f"{key}:weights": convolution.weights}
    return numbers if bias is None else numbers | {f"{key}:bias": bias}
