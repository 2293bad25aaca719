"""Which values take the ends of the colour map, and the words that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.levels import short
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.render.look import Look

    Values = NDArray[Any]
    Range = tuple[float, float]

LOW_PERCENT, HIGH_PERCENT = 1, 99


@dataclass(frozen=True)
class Scaling:
    """The scales of some maps.

    ``ranges``: what each map spans itself, None where nothing is finite; ``limits``: the values
    that its darkest and lightest colour stand for; ``ends``: the words beside the colour bar, none
    where there is nothing to tell apart; ``whole``: whether every value is a finite number.
    """

    ranges: list[Range | None]
    limits: list[Range]
    ends: tuple[str, ...]
    whole: bool

    @property
    def flat(self) -> bool:
        """Whether a map has no scale, as all its values are equal."""
        return any(
            span is not None and low == high
            for span, (low, high) in zip(self.ranges, self.limits, strict=True)
        )


def scaling(maps: Values, look: Look, each: str = "map", part: str = "") -> Scaling:
    """How (C, …) values are scaled.

    In the words, ``each`` is what has a scale of its own, and ``part`` says which maps the one
    scale is that of, where these are not all.
    """
    whole = bool(np.isfinite(maps.reshape(-1).sum(dtype=np.float64))) or bool(
        np.isfinite(maps).all()
    )
    ranges = _ranges(maps, whole=whole)
    if look.scale == "channel" and len(maps) > 1:
        ends: tuple[str, ...] = (f"each {each}’s smallest value", "its largest")
        return Scaling(ranges, [one or (0.0, 0.0) for one in ranges], ends, whole)
    low, high = _common(maps, look, [one for one in ranges if one])
    return Scaling(ranges, [(low, high)] * len(maps), _ends(low, high, look, part), whole)


def extent(span: Range | None) -> str:
    """What stands above a tile: its range, or its one value."""
    if span is None:
        return "no number"
    low, high = span
    return f"{short(low)} to {short(high)}" if high > low else short(low)


def _ranges(maps: Values, *, whole: bool) -> list[Range | None]:
    if not whole:
        return [finite_range(one) for one in maps]
    rows = maps.reshape(len(maps), -1)
    return list(zip(rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True))


def _common(maps: Values, look: Look, ranges: list[Range]) -> Range:
    """The one scale of all maps."""
    if not ranges:
        return 0.0, 0.0
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if look.scale == "symmetric":
        largest = max(abs(low), abs(high))
        return -largest, largest
    if look.scale == "percentile":
        finite = maps[np.isfinite(maps)]
        cut = np.percentile(finite, [LOW_PERCENT, HIGH_PERCENT])
        # Where nearly all values are equal the percentiles are too: then all of them are shown.
        return (float(cut[0]), float(cut[1])) if cut[1] > cut[0] else (low, high)
    return low, high


def _ends(low: float, high: float, look: Look, part: str) -> tuple[str, ...]:
    if high <= low:
        return ()
    if look.scale == "symmetric":
        return short(low), "0", f"{short(high)}{part}"
    if look.scale == "percentile":
        return f"1st percentile {short(low)}", f"99th percentile {short(high)}{part}"
    return short(low), f"{short(high)}{part}"
