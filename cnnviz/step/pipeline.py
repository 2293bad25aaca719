"""The whole way on one slide: input, kernels, maps, and what every layer makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.language import say
from cnnviz.matrices import number_texts, value_text
from cnnviz.step import marks as m
from cnnviz.step.activations import FORMULAS
from cnnviz.step.grids import LEGIBLE, Grid, Style, gray, laid_out, typeset
from cnnviz.step.marks import HEIGHT, WIDTH, arrow, words
from cnnviz.step.painting import text_width
from cnnviz.step.text import after_sum, factor, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cnnviz.matrices import Maps, Matrix
    from cnnviz.step.layers import Pooled, Stage
    from cnnviz.step.marks import Mark, Scene
    from cnnviz.step.setup import Worked

    Place = tuple[int, int, int]
    StyleOf = Callable[[int, int], Style]

MARGIN, TOP, FOOT = 40.0, 124.0, 96.0
TITLE, LABEL, SENTENCE, SMALLEST_SENTENCE = 30.0, 24.0, 28.0, 14.0
MOST_IN_A_COLUMN = 12  # numbers of a row that are drawn below each other
EMPTY = float("nan")  # of a cell that only fills a column up
BETWEEN = 22.0  # maps of a stage; their column alone has a label
COLUMN_GAP = (36.0, 90.0)


class Column(NamedTuple):
    """What stands below each other: a label, matrices, how their cells look.

    ``sign`` stands before it: an arrow, or a text.
    """

    label: str
    maps: Maps
    style: Style
    sign: str = "arrow"
    flat: bool = False


class Progress(NamedTuple):
    """How far an animation is: so many stages are done, of the next so many values.

    ``pooled`` is the window that is being looked at.
    """

    stages: int
    values: int = 0
    pooled: Pooled | None = None


@dataclass(frozen=True)
class Pipeline:
    """Where the stages lie; one for all pictures of them.

    Raises:
        UsageError: so many numbers that none could be seen.
    """

    worked: Worked
    blank: bool = False

    def scene(self, progress: Progress | None = None) -> Scene:
        """All stages with their numbers, or as far as ``progress`` goes."""
        stages = self.worked.stages
        names = [say("convolution"), *(stage.text for stage in stages)]
        marks: list[Mark] = [words(MARGIN, 38, ", ".join(names)[:90], TITLE, m.INK, "start")]
        first = len(self._columns) - len(stages)  # the column of the first stage
        for number, (column, grids) in enumerate(zip(self._columns, self._grids, strict=True)):
            done = number - first
            known = None if progress is None or done < progress.stages else 0
            if progress is not None and done == progress.stages:
                known = progress.values
            read = self._read(progress, done)
            marks += self._column(column, grids, known, read, answers=number >= first - 1)
            marks += self._sign(number)
        if progress is not None and progress.stages < len(stages):
            marks += self._sentence(stages[progress.stages], progress.pooled)
        elif stages:
            marks += self._sentence(stages[-1], None)
        return tuple(marks)

    @cached_property
    def _columns(self) -> list[Column]:
        sliding, output = self.worked.sliding, Style(m.RESULT_FILL)
        columns = [Column(say("input"), sliding.input, Style())]
        if len(sliding.input) == 1:
            weights = tuple(each.weights[0] for each in sliding.filters)
            name = say("kernels") if len(weights) > 1 else say("kernel")
            further = {after_sum(each) for each in sliding.filters}
            name += typeset(further.pop()) if len(further) == 1 else ""
            columns.append(Column(name, weights, Style(m.WEIGHT_FILL, m.WEIGHT), "×"))
        sign = "=" if len(columns) > 1 else "arrow"
        columns.append(Column(say("maps"), sliding.output, output, sign))
        for stage in self.worked.stages:
            maps = stage.output.maps
            maps = (_stood_up(maps[0]),) if stage.output.flat else maps
            columns.append(Column(stage.text, maps, output, flat=stage.output.flat))
        return columns

    @cached_property
    def _grids(self) -> list[list[Grid]]:
        sizes = [(len(c.maps[0]), len(c.maps[0][0]), len(c.maps)) for c in self._columns]
        room = (MARGIN, TOP, WIDTH - 2 * MARGIN, HEIGHT - TOP - FOOT)
        return laid_out(sizes, room, COLUMN_GAP, BETWEEN)

    def _read(self, progress: Progress | None, done: int) -> set[Place]:
        """Cells of a column that the window at hand reads, or writes."""
        pooled = progress.pooled if progress else None
        if progress is None or pooled is None:
            return set()
        if done == progress.stages - 1:
            return {(pooled.map, *cell) for cell in pooled.cells}
        return {(pooled.map, pooled.row, pooled.column)} if done == progress.stages else set()

    def _column(
        self,
        column: Column,
        grids: list[Grid],
        known: int | None,
        read: Collection[Place],
        *,
        answers: bool,
    ) -> list[Mark]:
        """The grids of a column; of its values the first ``known`` are there, or all."""
        marks: list[Mark] = []
        left = known
        for number, (grid, matrix) in enumerate(zip(grids, column.maps, strict=True)):
            texts = _texts(matrix)
            shown = 0 if self.blank and answers else left
            hidden = _cut(texts, shown, column.flat)
            marks += grid.marks(texts, self._style(column, number, matrix, hidden, read))
            left = None if left is None else max(0, left - grid.rows * grid.columns)
        top = grids[0]
        wide = text_width(column.label, LABEL)
        size = min(LABEL, LABEL * (top.width + COLUMN_GAP[0]) / wide)
        middle = top.x + top.width / 2
        marks.append(words(middle, top.y - 24, column.label, round(max(size, 13), 1), m.FAINT))
        return marks

    def _style(
        self,
        column: Column,
        number: int,
        matrix: Matrix,
        hidden: set[tuple[int, int]],
        read: Collection[Place],
    ) -> StyleOf:
        tiny = self._grids[self._columns.index(column)][0].cell < LEGIBLE
        values = [float(v) for row in matrix for v in row if v is not EMPTY]
        low, high = min(values), max(values)
        picture = self.worked.is_picture and column is self._columns[0]

        def style(row: int, c: int) -> Style:
            plain = Style() if (row, c) in hidden else column.style
            if (picture or tiny) and (row, c) not in hidden:
                level = float(matrix[row][c])
                span = self.worked.white if picture else high - low or 1
                plain = gray((level - (0 if picture else low)) / span)
            if (number, row, c) in read:
                return plain._replace(edge=m.WINDOW, thickness=3)
            return plain

        return style

    def _sign(self, number: int) -> list[Mark]:
        """What stands between a column and the one before it."""
        if not number:
            return []
        before, after = self._grids[number - 1][0], self._grids[number][0]
        left, right = before.x + before.width, after.x
        sign, y = self._columns[number].sign, TOP + (HEIGHT - TOP - FOOT) / 2
        if sign == "arrow":
            return list(arrow(left + 6, y, right - left - 12))
        return [words((left + right) / 2, y, sign, TITLE, m.FAINT)]

    def _sentence(self, stage: Stage, pooled: Pooled | None) -> list[Mark]:
        """The working of a value, at the foot."""
        text = _given(stage) if self.blank else _working(stage, pooled)
        size = SENTENCE * min(1, (WIDTH - 2 * MARGIN) / max(text_width(text, SENTENCE), 1))
        if not text or size < SMALLEST_SENTENCE:
            return []
        return [words(WIDTH / 2, HEIGHT - FOOT + 48, text, round(size, 1))]


def _given(stage: Stage) -> str:
    """What a worksheet says of a layer: its weights."""
    if stage.dense is None or len(stage.dense.weights) > 1:
        return ""
    weights, biases = number_texts(stage.dense.weights[0]), number_texts(stage.dense.biases)
    told = "{layer}: weights {weights}; bias {bias}"
    return typeset(say(told, layer=stage.text, weights=", ".join(weights), bias=biases[0]))


def _working(stage: Stage, pooled: Pooled | None) -> str:
    if pooled:
        texts = number_texts(pooled.values)
        made = f"{stage.mode}({', '.join(texts)})"
        if stage.mode == "avg":
            made = f"({' '.join(signed(texts))}) / {pooled.among}"
        return typeset(f"{made} = {value_text(pooled.value)}")
    if stage.dense and len(stage.dense.weights) == 1:
        values = number_texts(stage.input.maps[0][0])
        weights = number_texts(stage.dense.weights[0])
        terms = [f"{factor(v)}×{factor(w)}" for v, w in zip(values, weights, strict=True)]
        bias = stage.dense.biases[0]
        added = f" {signed(['', *number_texts([bias])])[1]}" if bias else ""
        return typeset(f"{' + '.join(terms)}{added} = {value_text(stage.output.maps[0][0][0])}")
    formula = FORMULAS.get(stage.name)
    return typeset(f"{stage.name}: {formula}") if formula else ""


def _stood_up(row: Matrix) -> Matrix:
    """A row of numbers as a column, or as several where it is long; ``EMPTY`` fills the last."""
    values = row[0]
    columns = -(-len(values) // MOST_IN_A_COLUMN)
    height = -(-len(values) // columns)
    filled = (*values, *(EMPTY,) * (height * columns - len(values)))
    return tuple(filled[r::height] for r in range(height))


def _texts(matrix: Matrix) -> list[list[str]]:
    """As ``texts_of``, of a matrix that may have empty cells."""
    texts = iter(number_texts([value for row in matrix for value in row if value is not EMPTY]))
    return [["" if value is EMPTY else next(texts) for value in row] for row in matrix]


def _cut(texts: list[list[str]], known: int | None, by_columns: bool) -> set[tuple[int, int]]:
    """Empty the cells beyond the first ``known``; returns them."""
    if known is None:
        return set()
    cells = [(r, c) for r in range(len(texts)) for c in range(len(texts[0]))]
    if by_columns:
        cells.sort(key=lambda cell: cell[::-1])
    for r, c in cells[known:]:
        texts[r][c] = ""
    return set(cells[known:])
