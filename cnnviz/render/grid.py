"""Many maps on one sheet: each channel a tile with its number and range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.render.kernels import KernelTiles, Thumbnails
from cnnviz.render.layout import Words, counted, draw_grid, plan_grid
from cnnviz.render.look import Look
from cnnviz.render.scales import extent, scaling
from cnnviz.render.sheet import Caption, Note, legend_notes, part_shown
from cnnviz.render.tiles import MapTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.layout import Tiles
    from cnnviz.render.sheet import Item

    Values = NDArray[Any]


def draw_maps(
    maps: Values,
    caption: Caption,
    look: Look | None = None,
    channels: Sequence[int] | None = None,
    total: int | None = None,
    kernels: Values | None = None,
) -> bytes:
    """A PNG of (C, H, W) maps as tiles with their numbers and ranges.

    Small maps are enlarged by whole factors without smoothing, so that a block is a value: a
    square, except in maps so thin that they are enlarged more across. Maps that would make a
    sheet of more than 4000 pixels a side are shrunk to the means of blocks. ``channels`` are the
    maps' numbers where they are not 0, 1, 2 …, of ``total``. ``kernels`` (C, I, kh, kw)
    are drawn left of the maps that they made.

    Raises:
        UsageError: the sheet would have more than 100 megapixels.
    """
    look = look or Look()
    numbers = range(len(maps)) if channels is None else channels
    part = f" over the {len(maps)} maps shown" if total and total > len(maps) else ""
    scale = scaling(maps, look, part=part)
    marks = [caption.marks.get(number, "") for number in numbers]
    words = Words(
        [str(n) if len(maps) > 1 or channels is not None else "" for n in numbers],
        marks,
        [extent(one) for one in scale.ranges],
    )
    tiles = MapTiles(maps, scale.limits, look.colors)
    sources: list[Tiles] = [tiles]
    notes: list[Item] = []
    if kernels is not None:
        beside = KernelTiles(kernels, Look(look.scale))
        sources.insert(0, Thumbnails(beside, *maps.shape[1:]))
        notes = [Note("left of each map its kernel"), *beside.legend()]
    plan = plan_grid(sources, maps.shape[1:], words, look)
    unsaid = "ranges are not printed: the tiles are too small" if plan.detail == "number" else ""
    legend = legend_notes(
        scale.ends,
        look.colors,
        part_shown(len(maps), total, caption),
        str(plan.zoom),
        unsaid if look.scale == "channel" else "",
        whole=scale.whole,
        flat=scale.flat,
        marked=counted(marks, signs=plan.detail != "words"),
    )
    return draw_grid(caption, sources, words, plan, [*legend, *notes])
