"""Many small pictures with their names, in rows on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz.figures.filter import lettered, refuse_unmakeable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Exhibit:
    """A picture, (H, W, 1|3) in 8 bits, its name, and a faint note beside that."""

    name: str
    note: str
    pixels: NDArray[Any]


def draw_gallery(exhibits: Sequence[Exhibit], image: str, suffix: str) -> bytes:
    """The sheet as a file of that kind; ``image`` is what the pictures were made of.

    Raises:
        UsageError, CnnvizError: see ``refuse_unmakeable``.
    """
    refuse_unmakeable(suffix)
    from cnnviz.figures.gallery_sheet import draw  # matplotlib: only when it is drawn

    with lettered():
        return draw(exhibits, image, suffix)
