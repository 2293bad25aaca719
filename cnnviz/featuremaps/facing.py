"""Two runs' values in one picture: each layer's channels in pairs, and a page of all layers."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.featuremaps.channels import most_active
from cnnviz.featuremaps.overview import LARGEST, MOST_ROWS, TILES
from cnnviz.render.levels import short
from cnnviz.render.overview import OverviewRow, draw_overview
from cnnviz.render.pairs import draw_side_by_side
from cnnviz.render.scales import scaling
from cnnviz.render.sheet import Caption
from cnnviz.render.tiles import block_means
from cnnviz.render.vectors import draw_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.look import Look

    Values = NDArray[Any]

MAPS, SEQUENCE = 3, 2  # axes


class Facing:
    """The pictures of a comparison between two sides of these ``names``."""

    def __init__(self, names: tuple[str, str], look: Look) -> None:
        self.names, self.look = names, look
        self._rows: dict[int, tuple[OverviewRow, OverviewRow]] = {}
        self._lock = Lock()

    def drawn(
        self,
        entry: dict[str, Any],
        ours: Values,
        theirs: Values,
        caption: Caption,
        channels: Sequence[int],
    ) -> bytes:
        """A PNG with a pair of tiles for each of the ``channels`` of (C, …) values.

        Of vectors all numbers are shown.
        """
        said = replace(caption, subtitle=f"{caption.subtitle};  {_told(entry['compare'])}")
        if ours.ndim == 1 or ours[0].size == 1:
            said = replace(said, choice="")
            return draw_vectors(ours.reshape(-1), theirs.reshape(-1), said, self.names, self.look)
        numbers = list(channels)
        is_all = numbers == list(range(len(ours)))
        left, right = (_as_maps(one if is_all else one[numbers]) for one in (ours, theirs))
        which: dict[str, Any] = {} if is_all else {"channels": numbers, "total": len(ours)}
        return draw_side_by_side(left, right, said, self.names, self.look, **which)

    def add(self, entry: dict[str, Any], ours: Values, theirs: Values) -> None:
        """Keep the most active channels of a layer with maps."""
        if ours.ndim != MAPS or ours[0].size == 1:
            return
        channels = most_active(ours, TILES)
        sides = [one[channels] for one in (ours, theirs)]
        limits = scaling(np.concatenate(sides, axis=1), self.look).limits
        block = -(-max(ours.shape[1:]) // LARGEST)
        small = [np.stack([block_means(one, block, block) for one in side]) for side in sides]
        name = entry["paper_name"] or entry["name"]
        name = f"{name}#{entry['call']}" if entry["call"] > 1 else name
        what = f"{entry['type']}  {'x'.join(map(str, entry['shape']))}"
        above = OverviewRow(name, what, self.names[0], small[0], channels, limits=limits)
        below = OverviewRow("", "", self.names[1], small[1], channels, limits=limits)
        with self._lock:
            self._rows[entry["index"]] = above, below

    def page(self, title: str, seen: Values) -> bytes | None:
        """A PNG of all layers, two rows each, or of evenly chosen ones of many."""
        pairs = [self._rows[index] for index in sorted(self._rows)]
        if not pairs:
            return None
        step = -(-2 * len(pairs) // MOST_ROWS)
        shown = pairs[::-1][::step][::-1]
        said = f"above: {self.names[0]}, below: {self.names[1]}; the same channels on one scale"
        if len(shown) < len(pairs):
            said += f"; {len(shown)} of {len(pairs)} layers"
        picture = seen if seen.shape[2] == 3 else seen.repeat(3, axis=2)
        rows = [row for pair in shown for row in pair]
        return draw_overview(Caption(title, said), picture, rows, self.look)


def _as_maps(values: Values) -> Values:
    """(C, H, W): a sequence as a map of one row, slices of a volume below each other."""
    if values.ndim == SEQUENCE:
        return values[:, np.newaxis, :]
    return values if values.ndim == MAPS else values.reshape(len(values), -1, values.shape[-1])


def _told(errors: dict[str, Any]) -> str:
    if not errors["max_abs_diff"] and not errors["nonfinite"]:
        return "the two are equal"
    shares = errors["correlation"]
    like = "" if shares is None else f", correlation {shares:.3f}"
    return f"largest difference {short(errors['max_abs_diff'])}{like}"
