"""What ``cnnviz step --show`` draws: the still where it can be read, else the maps as blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnviz.errors import UsageError
from cnnviz.language import legible, say
from cnnviz.preview import drawn, lines_of
from cnnviz.render.tiles import resized
from cnnviz.shapes.table import columns_of
from cnnviz.step import marks as m
from cnnviz.step.layout import GAP, Block, beside, plain
from cnnviz.step.painting import is_lettered, paint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from cnnviz.preview import Terminal
    from cnnviz.step.marks import Scene

    Pixels = NDArray[np.uint8]
    Cells = Collection[tuple[int, int]]

GRID = np.array((96, 112, 140), np.uint8)  # lines between cells; no gray, so no value
FRAME = 10  # a part of the cell's side that is as thick as the frame around it
LEAST_LINED, LARGEST = 4, 8  # pixels of a cell that has lines around it, and of any
MOST_PANELS = 12  # in text
MOST_PICTURES = 3  # below each other, where a still cannot be drawn
SHARPEST = 3.0  # of a still on a screen of very fine pixels


class Panel(NamedTuple):
    """A matrix as (H, W, 3) ``colors``, its title, and cells that stand out in a colour."""

    title: str
    colors: Pixels
    marked: Cells = ()
    mark: str = m.WINDOW


@dataclass(frozen=True)
class View:
    """What can be drawn: the scene of ``--figure``, or panels in rows and what they mean.

    One row alone is broken where that makes the panels larger.
    """

    scene: Callable[[], Scene] | None
    rows: list[list[Panel]]
    legend: str


def view_lines(view: View, terminal: Terminal) -> list[str]:
    """What to print: the still where the terminal has graphics, else or if that cannot be, panels.

    A still cannot be drawn of more numbers than could be read in it.
    """
    if terminal.has_graphics:
        if view.scene is not None:
            try:
                with legible(letters=is_lettered()):
                    return [_still(view.scene(), terminal)]
            except UsageError:  # so many cells that none could be seen; as a map they can
                pass
        return [*_pictures(view.rows[-1][-MOST_PICTURES:], terminal), view.legend]
    lines: list[str] = []
    for row in view.rows:
        lines += [*([""] if lines else []), *_row(row, len(view.rows), terminal)]
    return [*lines, view.legend] if terminal.kind == "blocks" else lines


def _still(scene: Scene, terminal: Terminal) -> str:
    """The scene painted at the size that the terminal has for it: letters stay sharp."""
    high, wide = terminal.cell
    room = terminal.columns * wide / m.WIDTH, terminal.rows * high / m.HEIGHT
    return drawn(np.asarray(paint(scene, min(*room, SHARPEST))), terminal)


def _pictures(panels: Sequence[Panel], terminal: Terminal) -> list[str]:
    """Panels as pictures, each beneath its title; together they fit the screen."""
    rows = max(1, terminal.rows // len(panels) - 1)
    room = min(terminal.columns * terminal.cell[1], rows * terminal.cell[0])
    lines = []
    for panel in panels:
        scale = max(1, room // max(panel.colors.shape[:2]))
        own = replace(terminal, rows=rows)
        lines += [panel.title, drawn(_marked(panel, scale), own)]
    return lines


def _row(row: Sequence[Panel], rows: int, terminal: Terminal) -> list[str]:
    """Panels beneath their titles, beside each other as far as a line goes."""
    shown = row[:MOST_PANELS]
    room = terminal.columns, 2 * (terminal.rows // rows)
    most = max(range(1, len(shown) + 1), key=lambda across: (_least(shown, across, room), across))
    across = len(shown) if rows > 1 else most
    box = _box(len(shown), across, room)
    blocks = [_block(panel, _scale(panel, *box), terminal) for panel in shown]
    lines = beside(blocks, plain, indent=0, width=terminal.columns)
    if len(row) > len(shown):
        lines.append(say("and {count} more", count=len(row) - len(shown)))
    return lines


def _least(panels: Sequence[Panel], across: int, room: tuple[int, int]) -> float:
    """How large the cells are of the panel that comes off worst."""
    return min(_scale(panel, *_box(len(panels), across, room)) for panel in panels)


def _box(count: int, across: int, room: tuple[int, int]) -> tuple[float, float]:
    """Width and height in pixels for each of so many panels, so many of them in a row."""
    wide, high = room
    down = ceil(count / across)
    return (wide + GAP) / across - GAP, high / down - 4  # a title and an empty line: four


def _scale(panel: Panel, wide: float, high: float) -> float:
    """How large a cell can be: whole pixels, or less than one."""
    rows, columns = panel.colors.shape[:2]
    scale = min((wide - 1) / columns, (high - 1) / rows)  # one for the last line
    return float(int(min(scale, LARGEST))) if scale >= 1 else max(scale, 1 / max(rows, columns))


def _block(panel: Panel, scale: float, terminal: Terminal) -> Block:
    colored = terminal.kind == "blocks"
    pixels = _marked(panel, scale) if colored else _enlarged(panel.colors, scale)
    lines = lines_of(pixels, terminal)
    return Block(panel.title, tuple(lines), max(pixels.shape[1], columns_of(panel.title)))


def _enlarged(colors: Pixels, scale: float) -> Pixels:
    rows, columns = (max(1, round(n * scale)) for n in colors.shape[:2])
    return resized(colors, rows, columns)


def _marked(panel: Panel, scale: float) -> Pixels:
    """The cells at their size; large ones have lines around, coloured where they stand out."""
    pixels = np.array(_enlarged(panel.colors, scale))
    mark = np.array([int(panel.mark[n : n + 2], 16) for n in (1, 3, 5)], np.uint8)
    side = int(scale)
    if side < LEAST_LINED:
        for row, column in panel.marked if side else ():
            cell = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
            cell[:] = (cell.astype(np.uint16) + mark) // 2
        return pixels
    pixels = np.pad(pixels, ((0, 1), (0, 1), (0, 0)))
    pixels[::side] = pixels[:, ::side] = GRID
    for row, column in panel.marked:
        down, across = ((n * side, (n + 1) * side) for n in (row, column))
        for inside in range(max(1, side // FRAME)):
            rows, columns = ([start + inside, end - inside] for start, end in (down, across))
            pixels[rows, across[0] : across[1] + 1] = mark
            pixels[down[0] : down[1] + 1, columns] = mark
    return pixels
