"""What of an image is drawn: no more pixels than the figure has, in eight bits."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import ALARM
from cnnviz.render.levels import to_levels
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[Any]


def picture(pixels: Values, values: Values, step: int) -> NDArray[np.uint8]:
    """RGB (h, w, 3) of (H, W, C) ``pixels``, each the mean of at most ``step`` x ``step``.

    Floats are shown from their smallest finite value, black, to their largest, white. Red is
    what has a NaN or an Inf in ``values`` (H, W, C).
    """
    shape = pixels.shape[:2]
    with np.errstate(invalid="ignore", over="ignore"):
        means = shrunk(pixels.__getitem__, shape, step, np.mean)
    seen = np.broadcast_to(_eight_bits(means, pixels), (*means.shape[:2], 3))
    if all_finite(values):
        return seen

    def damaged(rows: slice) -> Values:
        return np.asarray(np.any(~np.isfinite(values[rows]), axis=2))

    seen = seen.copy()
    seen[shrunk(damaged, shape, step, np.any)] = ALARM
    return seen


def all_finite(values: Values) -> bool:
    """Whether there is no NaN and no Inf; much faster than a mask of them."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def largest_difference(first: Values, second: Values, step: int) -> NDArray[np.floating]:
    """(h, w) of |first - second|, the largest of at most ``step`` x ``step`` pixels, all channels.

    So a single wrong value is never lost. NaN where there is no number to compare.
    """

    def rows(part: slice) -> Values:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.fmax.reduce(np.abs(first[part] - second[part]), axis=2))

    return shrunk(rows, first.shape[:2], step, np.fmax.reduce)


def shrunk(
    rows: Callable[[slice], Values],
    shape: tuple[int, ...],
    step: int,
    how: Callable[..., Any],
) -> Values:
    """Blocks of at most ``step`` x ``step`` values made one by ``how``.

    The blocks are as large as each other, to one row or column, so that none is a sliver. ``rows``
    gives some rows of an image of ``shape`` (H, W); a strip at a time keeps memory low.
    """
    if step == 1:
        return rows(slice(None))
    strips = np.stack([how(rows(part), axis=0) for part in _parts(shape[0], step)])
    return np.stack([how(strips[:, part], axis=1) for part in _parts(shape[1], step)], axis=1)


def _parts(length: int, step: int) -> list[slice]:
    """The fewest parts of at most ``step``, of even length."""
    count = ceil(length / step)
    edges = [n * length // count for n in range(count + 1)]
    return [slice(*ends) for ends in pairwise(edges)]


def _eight_bits(means: Values, pixels: Values) -> NDArray[np.uint8]:
    """Means of ``pixels`` on the scale on which these are black to white."""
    if pixels.dtype.kind == "u":
        return to_levels(means, 0, np.iinfo(pixels.dtype).max)
    return to_levels(means, *(finite_range(pixels) or (0.0, 0.0)))
