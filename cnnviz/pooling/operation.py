"""Pools as what files are run through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnviz.figures.filter import Comparison
from cnnviz.pooling.image import pool_and_compare, result_size
from cnnviz.pooling.options import PoolOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnviz.engines import Pool
    from cnnviz.filtering.bands import Crew
    from cnnviz.filtering.operation import Take
    from cnnviz.filtering.outcome import Outcome

OUTSIDE = {"max": "-inf", "min": "inf", "avg": "zeros", "lp": "none"}


@dataclass(frozen=True)
class Pooling:
    """Pooling images; an ``Operation``."""

    options: PoolOptions = field(default_factory=PoolOptions)

    def engines(self, what: Pool) -> tuple[str, ...]:
        """Those asked for; torch alone where OpenCV has no such sums."""
        return self.options.engines_for(what)

    def precision(self, pixels: Any, what: Pool) -> str:
        """The one asked for, or the one that rounds nothing."""
        return self.options.precision_for(pixels, what)

    def size(self, pixels: Any, what: Pool) -> tuple[int, int, int]:
        """(H, W, C) of the result."""
        return result_size(pixels, what)

    def display(self, asked: str, what: Pool) -> str:
        """Pixels as they are; lp pools, which grow with the window, stretched."""
        if asked != "auto":
            return asked
        return "minmax" if what.mode == "lp" else "clip"

    def keeps_zero(self, what: Pool) -> bool:
        """No: results move with the image's range."""
        return False

    def run(self, pixels: Any, what: Pool, take: Take, crew: Crew) -> Outcome:
        """See ``pool_and_compare``."""
        return pool_and_compare(pixels, what, self.options, take, crew)

    def settings(self, what: Pool) -> dict[str, Any]:
        """The window, and what lies beyond the image; its size is in the name."""
        return {
            "border": OUTSIDE[what.mode],
            "padding": what.padding,
            "stride": what.stride or what.kernel_size,
            "dilation": what.dilation,
            "flip": False,
        }

    def comparison(self, what: Pool, shown: Mapping[str, Any]) -> Comparison:
        """No kernel beside what is ``shown``: its name says all."""
        return Comparison(kernels=(), magnitude=what.name, title=what.title, **shown)
