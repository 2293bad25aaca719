"""Bands of rows for pools: each is pooled as if it were an image, by torch's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.filtering.bands import BAND_BYTES

if TYPE_CHECKING:
    from cnnviz.engines import Pool
    from cnnviz.shapes.axes import PoolAxis


@dataclass(frozen=True)
class PoolBand:
    """Rows ``start`` to ``stop`` of the result, the rows of the image that they come from.

    Pooled by itself, the ``source`` gives ``skipped`` rows that are those of windows cut off
    above it, then the band's, then perhaps some that are cut off below.
    """

    start: int
    stop: int
    source: slice
    skipped: int

    @property
    def kept(self) -> slice:
        """The band's rows, of those that the source gives."""
        return slice(self.skipped, self.skipped + self.stop - self.start)


def plan_bands(
    shape: tuple[int, int, int], how: Pool, precision: str, *, in_one: bool = False
) -> list[PoolBand]:
    """Bands that together are the result of an image of ``shape`` (H, W, C).

    An image that is one band, or is to be done ``in_one``, is left whole, and so is one that is
    a single window.
    """
    rows, _ = how.axes(shape)
    height, length = shape[0], rows.output_size(shape[0])
    row_bytes = shape[1] * shape[2] * np.dtype(precision).itemsize
    wanted = max(BAND_BYTES // (row_bytes * rows.stride), 2 * rows.span // rows.stride, 1)
    count = -(-length // wanted)
    if count == 1 or in_one:
        return [PoolBand(0, length, slice(0, height), 0)]
    ends = [n * length // count for n in range(count + 1)]
    return [_band(start, stop, height, rows) for start, stop in pairwise(ends)]


def _band(start: int, stop: int, height: int, rows: PoolAxis) -> PoolBand:
    # The padding that the source gets of its own lies over the rows before it; as many windows
    # as read any of it are skipped, so that the image's own rows are in its place.
    skipped = 0 if start == 0 else -(-rows.padding // rows.stride)
    first = max(start - skipped, 0)
    last = (stop - 1) * rows.stride - rows.padding + rows.span
    return PoolBand(
        start=start,
        stop=stop,
        source=slice(first * rows.stride, min(last, height)),
        skipped=start - first,
    )
