"""The same channels of two images, or of two checkpoints, side by side on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import SMALL_SIZE
from cnnviz.render.layout import Words, counted, draw_grid, plan_grid
from cnnviz.render.lettering import shortened
from cnnviz.render.look import Look
from cnnviz.render.scales import extent, scaling
from cnnviz.render.sheet import Caption, Note, legend_notes, part_shown
from cnnviz.render.tiles import MapTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[Any]


LONGEST_NAME = 400  # pixels


def draw_side_by_side(
    left: Values,
    right: Values,
    caption: Caption,
    names: tuple[str, str],
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
) -> bytes:
    """A PNG of pairs of maps, (C, H, W) each: of every channel A, and right of it B.

    A pair has one scale, or with a scale other than "channel" all pairs have one, so that A and B
    can be compared by colour. ``names`` say what A and B are. The rest is as in ``draw_maps``.

    Raises:
        ValueError: the two have not the same shape.
        UsageError: the sheet would have more than 100 megapixels.
    """
    if left.shape != right.shape:
        raise ValueError(f"maps of {left.shape} and {right.shape} cannot stand side by side")
    look = look or Look()
    numbers = range(len(left)) if channels is None else channels
    scale = scaling(np.concatenate([left, right], axis=1), look, "pair")
    marks = [caption.marks.get(number, "") for number in numbers]
    words = Words([str(n) for n in numbers], marks, [extent(one) for one in scale.ranges])
    tiles = [MapTiles(maps, scale.limits, look.colors) for maps in (left, right)]
    plan = plan_grid(tiles, left.shape[1:], words, look)
    legend = legend_notes(
        scale.ends,
        look.colors,
        part_shown(len(left), total, caption),
        str(plan.zoom),
        whole=scale.whole,
        flat=scale.flat,
        marked=counted(marks, signs=plan.detail != "words"),
    )
    left_name, right_name = (shortened(name, LONGEST_NAME, SMALL_SIZE) for name in names)
    sides = [Note(f"left: {left_name}"), Note(f"right: {right_name}")]
    return draw_grid(caption, tiles, words, plan, [*sides, *legend])
