"""Collects a run's layers as they come."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cnnviz.explorer.exact import Candidates
from cnnviz.explorer.layers import Kept, described, key_of
from cnnviz.explorer.sprites import LARGE, cells_of, most_lossless, sheet_of
from cnnviz.explorer.writer import Page, Told, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from cnnviz.explorer.facts import Head, LayerFacts, PageOptions

TELLING = 6  # channels of a layer in the overview,
THUMB = 56  # and their pixels a side there, where they are not read off the whole sheet


class Explorer:
    """Collects layers as they come, in any order and from any thread, and is written at the end.

    Of a layer's values 256 levels are kept, and the values themselves only as long as they may
    find room in the budget of exact numbers. Of the layers' ``shapes``, if they are known, it
    depends which are kept without loss.
    """

    def __init__(
        self, head: Head, options: PageOptions, shapes: Iterable[Sequence[int]] = ()
    ) -> None:
        self.head, self.options = head, options
        self._most_lossless = most_lossless(shapes, options.cell)
        self._kept: dict[int, Kept] = {}
        self._exact = Candidates(options.exact_budget)
        self._lock = Lock()

    def add(self, entry: Mapping[str, Any], values: NDArray[np.float32], facts: LayerFacts) -> None:
        """Take a layer's (C, …) values in; ``entry`` is its entry in the manifest."""
        kept = self._layer(values, facts)
        with self._lock:
            self._kept[entry["index"]] = kept
            self._exact.add(entry["index"], key_of(entry), values, facts.convolution)

    def html(self, manifest: Mapping[str, Any], beside: Told | None = None) -> Page:
        """The page of all layers that were added, with what the run's ``manifest`` says.

        ``beside`` is the run that it was compared with. Its layers have the same numbers.
        """
        runs = [self.told(manifest), *([beside] if beside else [])]
        return written(runs, self.options)

    def told(self, manifest: Mapping[str, Any]) -> Told:
        """The run, as a page has it."""
        layers = [described(x, self._kept.get(x["index"])) for x in manifest["layers"]]
        exact = self._exact.chosen(self.head.tensor)
        return Told(self.head, manifest, layers, self._kept, exact)

    def _layer(self, values: NDArray[np.float32], facts: LayerFacts) -> Kept:
        cells = cells_of(values, self.options.cell)
        if cells is None:
            return Kept(facts)
        telling = list(telling_of(values) if facts.telling is None else facts.telling)
        lossless = self.options.lossless
        most = LARGE if self.options.html_dir else self._most_lossless
        few = None
        if self.options.html_dir:
            few = replace(cells, levels=cells.levels[telling])
        elif cells.levels.size > LARGE:
            few = cells_of(values[telling], min(THUMB, self.options.cell or THUMB))
        return Kept(
            facts,
            {"kind": cells.kind, "size": cells.size, "reduced": cells.reduced}
            | {"cell": cells.levels.shape[1:]},
            sheet_of(cells, lossless=lossless, most=most),
            tuple(telling),
            sheet_of(few, lossless=lossless) if few else None,
        )


def telling_of(values: NDArray[np.float32]) -> tuple[int, ...]:
    """The channels that differ most within themselves, in their order."""
    rows = np.nan_to_num(values.reshape(len(values), -1), posinf=0, neginf=0)
    spreads = rows.std(axis=1, dtype=np.float64)  # in which squares of float32 do not overflow
    best = np.argsort(-spreads, kind="stable")[:TELLING]
    return tuple(sorted(map(int, best)))
