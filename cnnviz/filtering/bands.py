"""An image of any height in bands of rows, each with the halo that the kernel needs.

The grid of bands depends on the sizes alone, never on the number of threads: torch chooses its
algorithm by size, and the same command must give the same bytes everywhere.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Condition
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cnnviz.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from cnnviz.engines import Engine, Window
    from cnnviz.shapes import Axis

T = TypeVar("T")
B = TypeVar("B")

PIXELS_AT_ONCE = 64_000_000  # of images that are worked on side by side
BAND_BYTES = 3_000_000  # of float pixels: large enough to hide Python, small enough for caches


@dataclass(frozen=True)
class Band:
    """Rows ``start`` to ``stop`` of the result, and what of the image they are computed from."""

    start: int
    stop: int
    source: slice | NDArray[np.intp]
    window: Window


def plan_bands(
    shape: tuple[int, int, int],
    kernel_shape: tuple[int, int],
    window: Window,
    precision: str,
    *,
    in_one: bool = False,
) -> list[Band]:
    """Bands that together are the result of an image of ``shape`` (H, W, C).

    In each, an engine finds its own border where the image ends: a band is taller than what a
    border mirrors. For ``wrap`` the rows from the other end are handed over as if they were
    neighbours. An image that is one band, or is to be done ``in_one``, is left whole.
    """
    rows, columns = window.axes(kernel_shape)
    height = shape[0]
    length = rows.output_size(height)
    # From its first window's first row to its last one's last, a band has twice the rows that a
    # border can mirror: then half of them lie inside the image.
    mirrored = rows.span + 2 * max(rows.padding) + rows.stride
    row_bytes = shape[1] * shape[2] * np.dtype(precision).itemsize
    wanted, least = (n // rows.stride + 1 for n in (BAND_BYTES // row_bytes, mirrored))
    count = max(min(-(-length // wanted), length // least), 1)
    if count == 1 or in_one:
        return [Band(0, length, slice(0, height), window)]
    ends = [n * length // count for n in range(count + 1)]
    return [_band(*both, height, (rows, columns), window) for both in pairwise(ends)]


def _band(start: int, stop: int, height: int, axes: tuple[Axis, Axis], window: Window) -> Band:
    rows, columns = axes
    first = start * rows.stride - rows.padding[0]
    last = (stop - 1) * rows.stride - rows.padding[0] + rows.span
    beyond = max(-first, 0), max(last - height, 0)
    if window.border == "wrap" and any(beyond):
        source: Any = np.arange(first, last) % height
        beyond = 0, 0
    else:
        source = slice(max(first, 0), min(last, height))
    return Band(start, stop, source, replace(window, padding=(beyond, columns.padding)))


class Crew:
    """Threads that work on bands, and libraries that leave the threads to them.

    Several images may be worked on side by side, each by a thread of its own that calls ``run``;
    then they share the ``threads``. From the first band on until the crew is dismissed, at the
    end of its ``with``, the engines keep to one thread each.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or cores()
        self._held: list[Engine] = []
        self._releases = ExitStack()
        self._admitted: list[int] = []
        self._changed = Condition()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._releases.close()

    @contextmanager
    def admitted(self, pixels: int) -> Iterator[None]:
        """Within it an image of so many pixels may be in memory; waits until there is room.

        An image that is too large to share the room has it alone.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: not self._admitted or sum(self._admitted) + pixels <= PIXELS_AT_ONCE
            )
            self._admitted.append(pixels)
        try:
            yield
        finally:
            with self._changed:
                self._admitted.remove(pixels)
                self._changed.notify_all()

    @property
    def threads(self) -> int:
        """How many there are for each image that is being worked on."""
        return max(self._threads // max(len(self._admitted), 1), 1)

    def run(self, job: Callable[[B], T], bands: Sequence[B], engines: Iterable[Engine]) -> list[T]:
        """``job`` for each band, in order."""
        with self._changed:
            for engine in engines:
                if engine not in self._held:
                    self._held.append(engine)
                    self._releases.enter_context(engine.one_thread())
        workers = min(self.threads, len(bands))
        if workers == 1:
            return [job(band) for band in bands]
        pool = ThreadPoolExecutor(workers)
        try:
            return list(pool.map(job, bands))
        finally:
            pool.shutdown(wait=False)  # an interruption does not wait for the bands at work
