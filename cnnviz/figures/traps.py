"""Results that were come to in several ways, beside each other, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz.figures.filter import has_letters, lettered, refuse_unmakeable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Way", "draw_traps", "has_letters", "lettered", "refuse_unmakeable"]


@dataclass(frozen=True)
class Way:
    """A signed result (H, W, C), and where it differs (H, W) from that of the first way."""

    name: str
    result: NDArray[Any]
    differs: NDArray[Any]


def draw_traps(
    title: str,
    subtitle: str,
    ways: Sequence[Way],
    suffix: str,
    *,
    around: tuple[int, int] | None = None,
) -> bytes:
    """The sheet as a file of that kind: ``.png``, ``.svg`` or ``.pdf``.

    Of large results the pixels ``around`` one are shown instead, enlarged, as at an edge.

    Raises:
        UsageError, CnnvizError: see ``refuse_unmakeable``.
    """
    refuse_unmakeable(suffix)
    from cnnviz.figures.traps_sheet import draw  # matplotlib: only when it is drawn

    with lettered():
        return draw(title, subtitle, ways, suffix, around=around)
