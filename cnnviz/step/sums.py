"""The sum of a window on a slide: products in colours, and what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.matrices import number_texts, value_text
from cnnviz.step import marks as m
from cnnviz.step.grids import typeset
from cnnviz.step.marks import WIDTH, Words
from cnnviz.step.painting import text_width
from cnnviz.step.text import factor, signed

if TYPE_CHECKING:
    from cnnviz.step.marks import Mark
    from cnnviz.step.sliding import Window

    Parts = list[tuple[str, str]]

SIZES = (30.0, 26.0, 22.0, 19.0, 17.0, 15.0)


def sum_lines(window: Window, y: float, width: float) -> list[Mark]:
    """The products and their sum in one or two lines, or how many they are."""
    answer = _answer(window)
    alone = sum(len(row) for terms in window.channels for row in terms) == 1
    for size in SIZES:
        lines = [_terms(window), [("= ", m.FAINT), *_values(window), *answer]]
        lines = [[*lines[0], *answer]] if alone else lines
        if all(text_width("".join(t for t, _ in line), size) <= width for line in lines):
            return [
                Words(WIDTH / 2, y + number * 1.7 * size, tuple(line), size)
                for number, line in enumerate(lines)
            ]
    return [Words(WIDTH / 2, y, (*_in_short(window), *answer), SIZES[1])]


def _in_short(window: Window) -> Parts:
    """How many products there are, and what each channel's add up to."""
    count = sum(len(row) for terms in window.channels for row in terms)
    if len(window.channels) == 1:
        return [(say("{count} products add up", count=count), m.INK)]
    sums = " ".join(signed(number_texts(window.sums)))
    total = value_text(sum(window.sums)).partition(" ≈")[0].removeprefix("≈ ")
    several = [(say("the sums of the channels: {sums}", sums=typeset(sums)), m.INK)]
    later = window.filter.divisor != 1 or window.filter.bias
    return [*several, (f" = {typeset(total)}", m.INK)] if later else several


def _terms(window: Window) -> Parts:
    flat = [t for terms in window.channels for row in terms for t in row]
    values = number_texts([t.value for t in flat])
    weights = number_texts([t.weight for t in flat])
    parts: Parts = []
    for number, (value, weight) in enumerate(zip(values, weights, strict=True)):
        parts += [(" + ", m.FAINT)] if number else []
        color = m.PADDING if flat[number].padded else m.WINDOW
        parts += [
            (typeset(factor(value)), color),
            ("×", m.FAINT),
            (typeset(factor(weight)), m.WEIGHT),
        ]
    return parts


def _values(window: Window) -> Parts:
    texts = number_texts([t.product for terms in window.channels for row in terms for t in row])
    return [(typeset(" ".join(signed(texts))), m.INK)] if texts else [("0", m.INK)]


def _answer(window: Window) -> Parts:
    """``= 8``, and what divisor and bias make of it."""
    total, divisor, bias = sum(window.sums), window.filter.divisor, window.filter.bias
    parts: Parts = []
    if divisor != 1 or bias:
        text = value_text(total).partition(" ≈")[0].removeprefix("≈ ")
        text = f"({text})" if divisor == 1 and total < 0 else text
        text += f" / {factor(str(divisor))}" if divisor != 1 else ""
        text += f" {signed(['', *number_texts([bias])])[1]}" if bias else ""
        parts = [("  →  ", m.FAINT), (typeset(text), m.INK)]
    result = typeset(value_text(window.value))
    sign = " " if result.startswith("≈") else " = "
    return [*parts, (sign, m.FAINT), (result, m.RESULT)]
