"""The overview page: a row per layer with its most active channels, beside the input."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.featuremaps.channels import most_active
from cnnviz.render.overview import OverviewRow, draw_overview
from cnnviz.render.sheet import Caption
from cnnviz.render.tiles import block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.look import Look

TILES, LARGEST = 8, 160  # of a row, and pixels a side that are kept of each
MOST_ROWS = 24


class Overview:
    """Small copies of the most active maps, until all layers are there."""

    def __init__(self, seen: NDArray[Any], look: Look) -> None:
        self.seen, self.look = seen, look
        self._rows: dict[int, OverviewRow] = {}
        self._places = 0
        self._lock = Lock()

    def place(self, entry: dict[str, Any]) -> int:
        """The row of a layer, to be filled in later."""
        self._places += len(entry["shape"]) == 3
        return self._places

    def add(self, place: int, entry: dict[str, Any], values: NDArray[Any]) -> None:
        """Keep a layer's most active maps; vectors and the like have none."""
        if values.ndim != 3 or values[0].size == 1:
            return
        channels = most_active(values, TILES)
        shown = values[channels]
        block = -(-max(shown.shape[1:]) // LARGEST)
        shown = np.stack([block_means(one, block, block) for one in shown])
        name = entry["paper_name"] or entry["name"]
        if entry["call"] > 1:
            name = f"{name}#{entry['call']}"
        shape = "x".join(map(str, entry["shape"]))
        row = OverviewRow(name, entry["type"], shape, shown, channels, _note(entry))
        with self._lock:
            self._rows[place] = row

    @property
    def rows(self) -> list[OverviewRow]:
        """The rows in the layers' order."""
        return [self._rows[place] for place in sorted(self._rows)]

    def drawn(self, title: str, predictions: Sequence[tuple[str, float]] = ()) -> bytes | None:
        """A PNG of all rows, or evenly chosen ones of very many; None without any.

        ``predictions``, classes with their shares, stand below the input.
        """
        rows = self.rows
        if not rows:
            return None
        step = -(-len(rows) // MOST_ROWS)
        shown = rows[::-1][::step][::-1]
        said = "the most active channels of each layer, each on its own scale"
        if len(shown) < len(rows):
            said += f"; {len(shown)} of {len(rows)} layers"
        seen = self.seen if self.seen.shape[2] == 3 else self.seen.repeat(3, axis=2)
        return draw_overview(Caption(title, said), seen, shown, self.look, predictions)


def _note(entry: dict[str, Any]) -> str:
    dead = sum("dead" in channel["flags"] for channel in entry["channels"])
    return f"{dead} of {len(entry['channels'])} dead" if dead else ""
