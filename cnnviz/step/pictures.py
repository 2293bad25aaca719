"""Visits, reach and shifts as slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.step import marks as m
from cnnviz.step.grids import Style, laid_out, shaded
from cnnviz.step.layout import texts_of
from cnnviz.step.marks import HEIGHT, WIDTH, words
from cnnviz.step.painting import text_width
from cnnviz.step.special_text import different, verdict, way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.matrices import Maps, Matrix
    from cnnviz.step.counting import Counts
    from cnnviz.step.grids import Grid
    from cnnviz.step.marks import Mark, Scene
    from cnnviz.step.shift import Shifted

    StyleOf = Callable[[int, int], Style]

MARGIN, TOP, FOOT = 44.0, 130.0, 70.0
TITLE, LABEL = 30.0, 24.0
DEEP = (31, 78, 140)  # the colour of the pixel that is read most


def visits_scene(counts: Counts) -> Scene:
    """Counts side by side, darker where there are more; red is what is never read.

    Raises:
        UsageError: so many pixels that none could be seen.
    """
    wide = WIDTH - 2 * MARGIN
    columns = [(len(matrix), len(matrix[0]), 1) for matrix in counts.named.values()]
    grids = laid_out(columns, (MARGIN, TOP, wide, HEIGHT - TOP - FOOT))
    size = _fitted(counts.title, wide, TITLE)
    marks: list[Mark] = [words(MARGIN, 38, counts.title, size, m.INK, "start")]
    for (name, matrix), (grid,) in zip(counts.named.items(), grids, strict=True):
        most = max(float(n) for row in matrix for n in row)
        marks += grid.marks(texts_of(matrix), _visited(matrix, most))
        marks.append(_label(grid, name, max(grid.width, wide / len(grids) - 20)))
    return tuple(marks)


def _visited(counts: Matrix, most: float) -> StyleOf:
    def style(row: int, column: int) -> Style:
        count = counts[row][column]
        return shaded(float(count) / most * 0.9, DEEP) if count else Style(m.WRONG_FILL, m.WRONG)

    return style


def shift_scene(
    maps: Maps, moved: Maps, results: Sequence[Shifted], shift: tuple[int, int]
) -> Scene:
    """The input and the maps, above as they were, below as they are; red is what differs.

    Of several maps the first is drawn.

    Raises:
        UsageError: so many pixels that none could be seen.
    """
    pairs = [
        (say("input"), maps[0], moved[0]),
        *((r.what, r.before[0], r.after[0]) for r in results),
    ]
    columns = [(len(before), len(before[0]), 2) for _, before, _ in pairs]
    room = (MARGIN + 96, TOP, WIDTH - 2 * MARGIN - 132, HEIGHT - TOP - FOOT)
    title = say("the input moves {way}", way=way(*shift))
    marks: list[Mark] = [words(MARGIN, 38, title, TITLE, m.INK, "start")]
    grids = laid_out(columns, room, (90.0, 150.0))
    for y, when in ((grids[0][0].middle, say("before")), (grids[0][1].middle, say("after"))):
        marks.append(words(MARGIN, y, when, 22, m.FAINT, "start"))
    for number, ((name, before, after), column) in enumerate(zip(pairs, grids, strict=True)):
        wrong = different(results[number - 1], 0) if number else set()
        fill = m.RESULT_FILL if number else m.PAPER
        marks += column[0].marks(texts_of(before), lambda *_, fill=fill: Style(fill))
        marks += column[1].marks(texts_of(after), _compared(results, number, wrong))
        marks.append(_label(column[0], name, column[0].width + 80))
    sentence = "; ".join(f"{r.what}: {verdict(r, shift)}" for r in results[-1:])
    marks.append(
        words(WIDTH / 2, HEIGHT - 34, sentence, _fitted(sentence, WIDTH - 2 * MARGIN, LABEL))
    )
    return tuple(marks)


def _compared(results: Sequence[Shifted], number: int, wrong: set[tuple[int, int]]) -> StyleOf:
    """Green what is the same after the move, red what is not, white what moved in."""
    down, right = (results[number - 1].by or (0, 0)) if number else (0, 0)

    def style(row: int, column: int) -> Style:
        if not number or row < down or column < right:
            return Style()
        return Style(m.WRONG_FILL, m.WRONG) if (row, column) in wrong else Style(m.RESULT_FILL)

    return style


def _label(grid: Grid, text: str, room: float) -> m.Words:
    size = _fitted(text, room, LABEL)
    return words(grid.x + grid.width / 2, grid.y - 24, text, size, m.FAINT)


def _fitted(text: str, room: float, size: float) -> float:
    return round(min(size, size * room / max(text_width(text, size), 1)), 1)
