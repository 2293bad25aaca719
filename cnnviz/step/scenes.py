"""One window of a convolution as a slide: input, kernel, products, output, and the sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.matrices import number_texts
from cnnviz.step import marks as m
from cnnviz.step.grids import LEGIBLE, Grid, Style, gray, laid_out, typeset
from cnnviz.step.layout import texts_of
from cnnviz.step.marks import HEIGHT, WIDTH, Words, arrow, words
from cnnviz.step.painting import text_width
from cnnviz.step.sums import sum_lines
from cnnviz.step.text import factor

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.matrices import Matrix, Number
    from cnnviz.step.marks import Mark, Scene
    from cnnviz.step.setup import Worked
    from cnnviz.step.sliding import Window

    StyleOf = Callable[[int, int], Style]

MARGIN = 44.0
TOP, FOOT = 118.0, 170.0  # above the grids for titles, below them for the sum
LABEL, TITLE, NOTE = 24.0, 30.0, 18.0
LONGEST_NAME = 40
CORNER, SMALLEST_CORNER = 58.0, 9.0  # cells of this size show the weight upon them, if it fits
MANY = 20  # products that are not written out, or small: the grids have more room
TOP_OF_MANY, FOOT_OF_MANY = 100.0, 92.0
UNKNOWN = "?"


@dataclass(frozen=True)
class Slide:
    """Where everything of a convolution lies; one per convolution, for all its windows.

    ``blank`` leaves products, sums and the output to be filled in.

    Raises:
        UsageError: so many pixels that none could be seen.
    """

    worked: Worked
    blank: bool = False

    def scene(self, window: Window, filled: int | None = None, *, products: bool = True) -> Scene:
        """The slide at ``window``, with the first ``filled`` values in the output, or all."""
        products = products and not self.blank
        title = ": ".join(filter(None, (self._input_name, self._how)))
        marks: list[Mark] = [words(MARGIN, 38, title, _fitting(title), m.INK, "start")]
        row, column = self.worked.asked.at or (window.row, window.column)
        where = say("row {row}, column {column}", row=row, column=column)
        marks.append(words(WIDTH - MARGIN, 38, where, TITLE, m.WINDOW, "end"))
        marks += self._inputs(window)
        marks += self._weights(window)
        marks += self._products(window, shown=products)
        marks += self._outputs(window, filled)
        if products:
            _, foot = self._rims
            marks += sum_lines(window, HEIGHT - foot + 30, WIDTH - 2 * MARGIN)
        if self._is_rounded:
            note = say("numbers in cells are rounded")
            marks.append(words(MARGIN, HEIGHT - 22, note, NOTE, m.FAINT, "start"))
        return tuple(marks)

    @cached_property
    def _is_rounded(self) -> bool:
        """Whether some number of the input or the output is not written as far as it is known."""
        inputs, _, _, (output,) = self._layout
        sliding = self.worked.sliding
        pairs = [*zip(inputs, sliding.input, strict=True), (output, sliding.output[0])]
        written = [(grid, texts_of(matrix)) for grid, matrix in pairs if grid.cell >= LEGIBLE]
        return any(grid.legible(texts) != texts for grid, texts in written)

    @property
    def _input_name(self) -> str:
        """The title, with a file's name alone, and not all of a long one."""
        title, files = self.worked.title, self.worked.asked.files
        if not files:
            return title
        name = PurePath(files[0]).name
        if len(name) > LONGEST_NAME:
            half = LONGEST_NAME // 2
            name = f"{name[:half]}…{name[-half:]}"
        return title.replace(files[0], name, 1)

    @property
    def _how(self) -> str:
        rows, columns = self.worked.sliding.axes
        kernel = say("{size} kernel", size=f"{rows.kernel_size}×{columns.kernel_size}")
        stride = rows.stride if rows.stride == columns.stride else f"{rows.stride}×{columns.stride}"
        padding = {n for side in self.worked.sliding.padding for n in side} - {0}
        parts = [kernel, say("stride {stride}", stride=stride)]
        told = ", ".join(map(str, sorted(padding)))
        parts += [say("padding {padding}", padding=told)] if padding else []
        dilation = say("dilation {dilation}", dilation=rows.dilation)
        parts += [dilation] if rows.dilation > 1 else []
        return ", ".join([*parts, say("transposed")] if self.worked.asked.transposed else parts)

    @property
    def _rims(self) -> tuple[float, float]:
        """Height above the grids and below them."""
        rows, columns = self.worked.sliding.axes
        channels = max(len(each.channels) for each in self.worked.sliding.filters)
        many = channels * rows.kernel_size * columns.kernel_size > MANY
        return (TOP_OF_MANY, FOOT_OF_MANY) if many else (TOP, FOOT)

    @cached_property
    def _layout(self) -> tuple[list[Grid], list[Grid], list[Grid], list[Grid]]:
        """Grids of the input's channels, the kernel's, the products', and of the maps."""
        sliding = self.worked.sliding
        (above, below), (left, right) = sliding.padding
        kernel = sliding.axes[0].kernel_size, sliding.axes[1].kernel_size
        sizes = [
            (len(sliding.input[0]) + above + below, len(sliding.input[0][0]) + left + right),
            kernel,
            kernel,
            sliding.size,
        ]
        channels = max(len(each.channels) for each in sliding.filters)
        counts = [len(sliding.input), channels, channels, 1]
        columns = [(*size, count) for size, count in zip(sizes, counts, strict=True)]
        top, foot = self._rims
        grids = laid_out(columns, (MARGIN, top, WIDTH - 2 * MARGIN, HEIGHT - top - foot))
        inputs, kernels, products, outputs = grids
        return inputs, kernels, products, outputs

    def _inputs(self, window: Window) -> list[Mark]:
        sliding = self.worked.sliding
        (above, _), (left, _) = sliding.padding
        grids = self._layout[0]
        marks: list[Mark] = []
        for channel, (grid, matrix) in enumerate(zip(grids, sliding.input, strict=True)):
            inside = texts_of(matrix)
            texts = [
                [
                    inside[r - above][c - left]
                    if 0 <= r - above < len(matrix) and 0 <= c - left < len(matrix[0])
                    else "0"
                    for c in range(grid.columns)
                ]
                for r in range(grid.rows)
            ]
            read = {
                (t.row + above, t.column + left): t.weight
                for number, terms in zip(window.filter.channels, window.channels, strict=True)
                for row in terms
                for t in row
                if number == channel
            }
            style = self._input_style(channel, read)
            marks += grid.marks(texts, style)
            marks += _upon(grid, read, style)
            name = say("channel {number}", number=channel) if len(grids) > 1 else say("input")
            marks.append(_label(grid, f"{name} {len(matrix)}×{len(matrix[0])}"))
        return marks

    def _input_style(self, channel: int, read: dict[tuple[int, int], Number]) -> StyleOf:
        matrix = self.worked.sliding.input[channel]
        (above, _), (left, _) = self.worked.sliding.padding

        def style(row: int, column: int) -> Style:
            r, c = row - above, column - left
            outside = not (0 <= r < len(matrix) and 0 <= c < len(matrix[0]))
            plain = Style(m.PADDING_FILL, m.PADDING) if outside else Style()
            if self.worked.is_picture and not outside:
                plain = gray(float(matrix[r][c]) / self.worked.white)
            if (row, column) not in read:
                return plain
            if self.worked.is_picture:
                return plain._replace(edge=m.WINDOW, thickness=4)
            color = m.PADDING if outside else m.INK
            return Style(m.WINDOW_FILL, color, m.WINDOW, 3)

        return style

    def _weights(self, window: Window) -> list[Mark]:
        marks: list[Mark] = []
        divisor = window.filter.divisor
        for number, (grid, weights) in enumerate(
            zip(self._layout[1], window.filter.weights, strict=True)
        ):
            marks += grid.marks(texts_of(weights), lambda *_: Style(m.WEIGHT_FILL, m.WEIGHT))
            after = f" / {factor(str(divisor))}" if divisor != 1 else ""
            name = f"{say('kernel')}{after}"
            if len(window.channels) > 1:
                name = say("on channel {number}", number=number)
            marks.append(_label(grid, name))
            source = self._layout[0][min(number, len(self._layout[0]) - 1)]
            middle = (source.x + source.width + grid.x) / 2
            marks.append(words(middle, grid.middle, "×", TITLE, m.FAINT))
        return marks

    def _products(self, window: Window, *, shown: bool) -> list[Mark]:
        marks: list[Mark] = []
        for number, (grid, terms) in enumerate(zip(self._layout[2], window.channels, strict=True)):
            texts = [[""] * grid.columns for _ in range(grid.rows)]
            if shown and not self.worked.asked.transposed:
                values = iter(number_texts([t.product for row in terms for t in row]))
                texts = [[next(values) for _ in row] for row in terms]
            elif shown:
                texts = self._scattered(window, number, texts)
            marks += grid.marks(texts, lambda *_: Style(m.PRODUCT_FILL))
            marks.append(_label(grid, say("products")))
            kernel = self._layout[1][number]
            middle = (kernel.x + kernel.width + grid.x) / 2
            marks.append(words(middle, grid.middle, "=", TITLE, m.FAINT))
        return marks

    def _scattered(self, window: Window, number: int, texts: list[list[str]]) -> list[list[str]]:
        """Of a transposed convolution: each product where its weight stands in the kernel."""
        rows, columns = self.worked.sliding.taps(window.row, window.column)
        terms = window.channels[number]
        for (a, _), row in zip(rows, terms, strict=True):
            for (b, _), term in zip(columns, row, strict=True):
                texts[a][b] = number_texts([term.product])[0]
        return texts

    def _outputs(self, window: Window, filled: int | None) -> list[Mark]:
        """The map of the window's filter, as far as it is known."""
        sliding = self.worked.sliding
        height, width = sliding.size
        maps, matrix = len(sliding.filters), sliding.output[window.number]
        (grid,) = self._layout[3]
        first = window.number * height * width

        def known(row: int, column: int) -> bool:
            seen = filled is None or first + row * width + column < filled
            return seen and not self.blank

        here = window.row, window.column
        shown = [
            [
                text if known(r, c) else UNKNOWN if (r, c) == here and not self.blank else ""
                for c, text in enumerate(row)
            ]
            for r, row in enumerate(texts_of(matrix))
        ]
        levels = matrix if grid.cell < LEGIBLE else None
        name = say("output")
        if maps > 1:
            name = f"{say('map {number}', number=window.number)},"
        products = self._layout[2]
        start = products[0].x + products[0].width
        middle = (products[0].y + products[-1].y + products[0].height) / 2
        return [
            *grid.marks(shown, _output_style(known, here, levels)),
            _label(grid, f"{name} {height}×{width}"),
            *arrow(start + 12, middle, grid.x - start - 24),
        ]


def _label(grid: Grid, text: str) -> Words:
    size = min(LABEL, LABEL * max(grid.width + 40, 60) / max(text_width(text, LABEL), 1))
    return words(grid.x + grid.width / 2, grid.y - 22, text, round(size, 1), m.FAINT)


def _upon(grid: Grid, read: dict[tuple[int, int], Number], style: StyleOf) -> list[Mark]:
    """The weights in the corners of the cells that they lie upon."""
    if grid.cell < CORNER:
        return []
    texts = [f"×{typeset(text)}" for text in number_texts(list(read.values()))]
    widest = max((text_width(text, 1.0) for text in texts), default=1.0)
    size = round(min(0.25 * grid.cell, (grid.cell - 10) / widest), 1)
    if size < SMALLEST_CORNER:
        return []
    marks: list[Mark] = []
    for (row, column), text in zip(read, texts, strict=True):
        x, y = grid.corner(row, column)
        at = x + grid.cell - 5, y + grid.cell - 0.5 * size - 2
        color = m.WEIGHT_ON_DARK if style(row, column).color == m.PAPER else m.WEIGHT
        marks.append(words(*at, text, size, color, "end"))
    return marks


def _fitting(title: str) -> float:
    """The size at which a title leaves room for the position at the right."""
    return min(TITLE, TITLE * 0.7 * WIDTH / text_width(title, TITLE))


def _output_style(
    known: Callable[[int, int], bool], here: tuple[int, int] | None, levels: Matrix | None
) -> StyleOf:
    """Cells that are known, gray levels where ``levels`` are to be seen without numbers."""
    values = [float(value) for row in levels or () for value in row]
    low, high = min(values, default=0.0), max(values, default=1.0)

    def style(row: int, column: int) -> Style:
        plain = Style(m.RESULT_FILL if known(row, column) else m.PAPER)
        if levels and known(row, column):
            plain = gray((float(levels[row][column]) - low) / (high - low or 1))
        if (row, column) == here:
            return plain._replace(color=m.RESULT, edge=m.RESULT, thickness=4)
        return plain

    return style
