"""What files are run through: kernels are correlated, pools pooled, by the same machinery."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from cnnviz.engines import Image
    from cnnviz.figures.filter import Comparison
    from cnnviz.filtering.bands import Crew
    from cnnviz.filtering.outcome import Outcome
    from cnnviz.kernels import Named

    Take = Callable[[slice, Sequence[Image]], None]

W = TypeVar("W", bound="Named")
W_contra = TypeVar("W_contra", bound="Named", contravariant=True)


class Operation(Protocol[W_contra]):
    """How pixels become results; ``what`` is a kernel or a pool.

    Equal operations have equal ``repr``: it is part of what ``--resume`` compares.
    """

    def engines(self, what: W_contra) -> tuple[str, ...]:
        """Which are to compute, both or one."""

    def precision(self, pixels: Any, what: W_contra) -> str:
        """float32 or float64: what the results are computed in."""

    def size(self, pixels: Any, what: W_contra) -> tuple[int, int, int]:
        """(H, W, C) of the result.

        Raises:
            ShapeError: the window does not fit.
        """

    def display(self, asked: str, what: W_contra) -> str:
        """``asked``, with ``auto`` made definite."""

    def keeps_zero(self, what: W_contra) -> bool:
        """Whether a flat image becomes 0, so that results do not move with an image's range."""

    def run(self, pixels: Any, what: W_contra, take: Take, crew: Crew) -> Outcome:
        """Compute and compare; rows and the results for them, one of each engine, go to ``take``.

        ``take`` is called from several threads, once for each band, in no order. A disagreement
        is in the outcome instead of raised.
        """

    def settings(self, what: W_contra) -> dict[str, Any]:
        """Border, padding, stride, dilation and flip, as ``--json`` prints them."""

    def comparison(self, what: W_contra, shown: Mapping[str, Any]) -> Comparison:
        """What a figure shows: ``shown`` is what holds whatever the operation."""
