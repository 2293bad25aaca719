"""One picture under a title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.render.canvas import MARGIN
from cnnviz.render.overlay import of_good_size
from cnnviz.render.sheet import open_sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.render.sheet import Caption


def draw_picture(picture: NDArray[Any], caption: Caption) -> bytes:
    """A PNG of an RGB (H, W, 3) picture, small ones enlarged by a whole factor."""
    large = of_good_size(picture)
    height, width = large.shape[:2]
    canvas, top = open_sheet(caption, height, width, [])
    canvas.paste(large, MARGIN, top)
    return canvas.png()
