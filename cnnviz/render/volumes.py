"""Volumes: each channel a row of its slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.render.canvas import ALARM, FAINT, MARGIN, SMALL_SIZE
from cnnviz.render.layout import ENOUGH, SEAM, counted
from cnnviz.render.lettering import text_width
from cnnviz.render.look import Look
from cnnviz.render.scales import extent, scaling
from cnnviz.render.sheet import Caption, legend_notes, open_sheet, part_shown
from cnnviz.render.tiles import MapTiles, zoom_to, zooms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[Any]

MOST_SLICES = 8
SIDE, LEAST_SIDE = 112, 28  # pixels of a slice, about
GAP = 10
LINE = 18


def draw_volumes(
    volumes: Values,
    caption: Caption,
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
) -> bytes:
    """A PNG of (C, D, H, W) values: each channel a row of slices through its depth.

    Of more than 8 slices 8 are shown, evenly spaced from the first to the last, and their depths
    stand above them. A channel has one scale for all its slices. The rest is as in ``draw_maps``.
    """
    look = look or Look()
    count, depth, height, width = volumes.shape
    numbers = list(range(count) if channels is None else channels)
    depths = np.unique(np.linspace(0, depth - 1, min(depth, MOST_SLICES)).round().astype(int))
    scale = scaling(volumes, look, "channel")
    side = max(LEAST_SIDE, min(SIDE, ENOUGH // count - LINE - GAP))
    zoom = (
        zoom_to(height, width, look.tile)
        if look.tile
        else next(
            zoom
            for zoom in zooms(height, width, side)
            if max(zoom.size(height, width)) <= side * 1.5
        )
    )
    tile_height, tile_width = zoom.size(height, width)
    shown = f"{len(depths)} of {depth} slices" if len(depths) < depth else f"all {depth} slices"
    marks = [caption.marks.get(number, "") for number in numbers]
    legend = legend_notes(
        scale.ends,
        look.colors,
        f"a row is a channel: {shown}, numbered above by depth",
        part_shown(count, total, caption),
        str(zoom),
        whole=scale.whole,
        flat=scale.flat,
        marked=counted(marks, signs=False),
    )
    said = [
        "  ".join(filter(None, [mark, extent(one)]))
        for mark, one in zip(marks, scale.ranges, strict=True)
    ]
    before = max(text_width(str(number), SMALL_SIZE) for number in numbers) + 10
    after = max(text_width(one, SMALL_SIZE) for one in said) + 12
    right = tile_width + SEAM
    size = LINE + count * (tile_height + GAP), before + len(depths) * right - SEAM + after
    canvas, top = open_sheet(caption, *size, legend)
    left = MARGIN + before
    for place, at in enumerate(depths):
        canvas.text(str(at), left + place * right + tile_width / 2, top, SMALL_SIZE, FAINT, "ma")
    for n, number in enumerate(numbers):
        y = top + LINE + n * (tile_height + GAP)
        tiles = MapTiles(volumes[n][depths], [scale.limits[n]] * len(depths), look.colors)
        for place in range(len(depths)):
            canvas.paste(tiles.pixels(place, zoom), left + place * right, y)
        across = len(depths) * right - SEAM
        if marks[n]:
            canvas.frame(left, y, across, tile_height, ALARM)
        middle, color = y + tile_height / 2, ALARM if marks[n] else FAINT
        canvas.text(str(number), left - 10, middle, SMALL_SIZE, anchor="rm")
        canvas.text(said[n], left + across + 12, middle, SMALL_SIZE, color, "lm")
    return canvas.png()
