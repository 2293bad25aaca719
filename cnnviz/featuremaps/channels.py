"""Which channels of a layer are shown, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.featuremaps.options import Sort

WORDS = {"mean": "by mean", "max": "by largest value", "sparsity": "by sparsity", "index": "first"}


def ordered(channels: list[dict[str, Any]], sort: Sort, count: int | None) -> list[int]:
    """The numbers of ``count`` channels, the largest first where ``sort`` is not by number.

    Channels without a finite value come last.
    """
    numbers = list(range(len(channels)))
    if sort != "index":
        figures = [_figure(channel[sort]) for channel in channels]
        numbers.sort(key=lambda number: -figures[number])
    return numbers[:count]


def most_active(values: NDArray[Any], count: int) -> list[int]:
    """The numbers of the channels of (C, …) with the largest mean magnitude, the largest first.

    Where there are no more than ``count`` all are given, in their own order.
    """
    if len(values) <= count:
        return list(range(len(values)))
    rows = np.abs(np.nan_to_num(values.reshape(len(values), -1), posinf=0, neginf=0))
    best = np.argsort(-rows.mean(axis=1), kind="stable")[:count]
    return [int(number) for number in best]


def _figure(value: float | None) -> float:
    return -np.inf if value is None else value
