"""How maps are to look: scale, colours, size. Light: a command line reads its choices here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cnnviz.errors import UsageError

Scale = Literal["channel", "layer", "symmetric", "percentile"]
SCALES: tuple[str, ...] = get_args(Scale)

DIVERGING = ("RdBu", "RdBu_r", "PuOr")
COLOR_MAPS = ("viridis", "gray", "magma", "inferno", "plasma", "cividis", "turbo", *DIVERGING)


@dataclass(frozen=True)
class Look:
    """How maps are drawn.

    ``scale`` says which values take the ends of the colour map. *channel*: each map's own
    smallest and largest; *layer*: those of all maps; *symmetric*: plus and minus the largest
    magnitude of all maps, so that 0 is the middle; *percentile*: the 1st and 99th percentile of
    all maps, beyond which values are cut off.

    ``cmap`` is one of ``COLOR_MAPS``, by matplotlib's names; None is RdBu where the scale is
    symmetric, else viridis. ``tile`` is about how many pixels wide a map is drawn: None is
    chosen by the number of maps.

    Raises:
        UsageError: no such scale or colour map, or a tile below one pixel.
    """

    scale: Scale = "channel"
    cmap: str | None = None
    tile: int | None = None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise UsageError(f"no scale is called {self.scale!r}; use {', '.join(SCALES)}")
        if self.cmap is not None and self.cmap not in COLOR_MAPS:
            raise UsageError(f"no colour map is called {self.cmap!r}; use {', '.join(COLOR_MAPS)}")
        if self.tile is not None and self.tile < 1:
            raise UsageError(f"a tile of {self.tile} pixels cannot be seen; use 1 or more")

    @property
    def colors(self) -> str:
        """The name of the colour map."""
        return self.cmap or ("RdBu" if self.scale == "symmetric" else "viridis")
