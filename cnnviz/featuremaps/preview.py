"""The most active maps of a run in a terminal without graphics, as blocks beneath their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.preview import lines_of
from cnnviz.render.scales import scaling
from cnnviz.render.tiles import colored_values, resized
from cnnviz.shapes.table import columns_of
from cnnviz.step.layout import GAP, Block, beside, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.preview import Terminal
    from cnnviz.render.look import Look
    from cnnviz.render.overview import OverviewRow

SIDE = 16  # columns that a map has at most
MOST_LAYERS = 12


def overview_lines(rows: Sequence[OverviewRow], look: Look, terminal: Terminal) -> list[str]:
    """What to print: for each layer its name and as many maps as a line has room for.

    Of many layers evenly chosen ones are shown, which is said.
    """
    step = -(-len(rows) // MOST_LAYERS)
    shown = rows[::-1][:: max(1, step)][::-1]
    lines: list[str] = []
    for row in shown:
        title = "  ".join(filter(None, (row.name, row.type, row.shape, row.note)))
        blocks = _blocks(row, look, terminal)
        lines += [title[: terminal.columns], *beside(blocks, plain, 0, terminal.columns), ""]
    if len(shown) < len(rows):
        lines.append(f"{len(shown)} of {len(rows)} layers are shown here")
    return lines


def _blocks(row: OverviewRow, look: Look, terminal: Terminal) -> list[Block]:
    """The maps that have room beside each other, the most active first, with their numbers."""
    count = max(1, (terminal.columns + GAP) // (SIDE + GAP))
    limits = row.limits or scaling(row.maps, look).limits
    maps = zip(row.channels, row.maps, limits, strict=True)
    return [
        _block(str(channel), colored_values(one, *ends, look.colors), terminal)
        for channel, one, ends in list(maps)[:count]
    ]


def _block(title: str, colors: NDArray[np.uint8], terminal: Terminal) -> Block:
    scale = min(SIDE, terminal.columns) / max(colors.shape[:2])
    scale = int(scale) if scale >= 1 else scale
    height, width = (max(1, round(length * scale)) for length in colors.shape[:2])
    lines = lines_of(resized(colors, height, width), terminal)
    return Block(title, tuple(lines), max(width, columns_of(title)))
