"""The windows of a convolution as text: products, sums, and the whole output."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnviz.language import say
from cnnviz.matrices import Number, divide, number_texts, value_text
from cnnviz.shapes.axes import TransposedAxis
from cnnviz.step.kernels import ROWS_NAME
from cnnviz.step.layout import BLANK, beside, blanks, block, plain, texts_of, wrapped
from cnnviz.step.sources import shown_size

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cnnviz.matrices import Maps
    from cnnviz.step.layout import Block, Paint
    from cnnviz.step.sliding import Filter, Sliding, Terms, Window


class Look(NamedTuple):
    """How to write: with which colours, and with the answers or room for them."""

    paint: Paint = plain
    blank: bool = False


def given_lines(
    sliding: Sliding, title: str, look: Look, window: Window | None = None
) -> list[str]:
    """The input and the kernels; the pixels that ``window`` reads stand out."""
    channels = window.channels if window else ()
    read = {(t.row, t.column) for terms in channels for row in terms for t in row}
    several, name = len(sliding.input) > 1, say("input {size}", size=shown_size(sliding.input))
    inputs = [
        block(
            say("channel {number}", number=number) if several else name,
            texts_of(m),
            look.paint,
            "input",
            read,
        )
        for number, m in enumerate(sliding.input)
    ]
    kernels = [each for chosen in sliding.filters for each in _kernel_blocks(chosen, look.paint)]
    head = [look.paint(title, "title")] if title else []
    if not several:
        return [*head, *beside([*inputs, *kernels], look.paint, indent=0)]
    lines = [look.paint(name, "title"), *beside(inputs, look.paint)]
    return [*head, *lines, "", *beside(kernels, look.paint)]


def _kernel_blocks(chosen: Filter, paint: Paint) -> list[Block]:
    """The weights; once, where they are the same on every channel."""
    matrices = chosen.weights
    same = len(set(matrices)) == 1
    size = f"{len(matrices[0])}x{len(matrices[0][0])}"
    name = _kernel_name(chosen)
    after = after_sum(chosen)
    if same and len(matrices) > 1:
        after += say(", on each channel")
    return [
        block(
            f"{name} {size}{after}"
            if same
            else f"{name}{after}, {say('channel {number}', number=number)}",
            texts_of(matrix),
            paint,
            "weight",
        )
        for number, matrix in enumerate(matrices[:1] if same else matrices)
    ]


def _kernel_name(chosen: Filter) -> str:
    """Its own, or that it is a kernel, and the how manieth."""
    if not chosen.name.startswith(ROWS_NAME):
        return chosen.name
    return f"{say(ROWS_NAME)}{chosen.name.removeprefix(ROWS_NAME)}"


def after_sum(chosen: Filter) -> str:
    """What follows a filter's sum: `` / 16 + 1``, or nothing."""
    divided = f" / {factor(str(chosen.divisor))}" if chosen.divisor != 1 else ""
    return divided + _bias_text(chosen.bias)


def _bias_text(bias: Number) -> str:
    if not bias:
        return ""
    (text,) = number_texts([max(bias, -bias)])
    return f" {'-' if bias < 0 else '+'} {text}"


def size_lines(sliding: Sliding) -> list[str]:
    """How the size of the output comes about; one line where height and width are alike."""
    sizes = len(sliding.input[0]), len(sliding.input[0][0])
    down, right = sliding.axes
    told = [down.explain(sizes[0]), right.explain(sizes[1])]
    if told[0] == told[1]:
        return [say("rows and columns of the output: {told}", told=told[0])]
    return [
        say("rows of the output:    {told}", told=told[0]),
        say("columns of the output: {told}", told=told[1]),
    ]


def window_lines(
    window: Window, look: Look, *, several: bool, at: tuple[int, int] | None = None
) -> list[str]:
    """One window: where it is, its products, their sum.

    ``several`` says that there are other maps, so that this one is named; ``at`` is the pixel of
    an image that it is taken around.
    """
    row, column = at or (window.row, window.column)
    head = say("row {row}, column {column}", row=row, column=column)
    if several:
        head = f"{map_name(window.number, window.filter)}, {head}"
    if window.padded:
        count = sum(len(row) for row in window.channels[0])
        told = " ({padded} of {count} pixels are padding)"
        head += say(told, padded=window.padded, count=count)
    lines = [look.paint(head, "title")]
    if not any(row for terms in window.channels for row in terms):
        return [*lines, say("  no copy of the kernel reaches here: 0")]
    if len(window.channels) == 1:
        return lines + _channel(window.channels[0], look, "  ", _ending(window, look))
    sums = number_texts(window.sums)
    for channel, terms, text in zip(window.filter.channels, window.channels, sums, strict=True):
        lines.append(f"  {say('channel {number}', number=channel)}")
        lines += _channel(terms, look, "    ", f"= {_answer(text, look)}")
    return [*lines, *_together(window, look)]


def _channel(terms: Terms, look: Look, indent: str, ending: str) -> list[str]:
    """Products as they lie beneath the kernel, then their values in a row, and what they make."""
    rows = [row for row in terms if row]
    flat = [term for row in rows for term in row]
    values = iter(number_texts([term.value for term in flat]))
    weights = iter(number_texts([term.weight for term in flat]))
    pairs = [[(next(values), next(weights), term.padded) for term in row] for row in rows]
    if look.blank:
        pairs = [[("__", "__", False) for _ in row] for row in pairs]
    widths = [
        max(len(factor(p[0]) + factor(p[1])) for row in pairs if c < len(row) for p in (row[c],))
        for c in range(max(map(len, pairs)))
    ]
    lines = [
        indent
        + ("+ " if number else "  ")
        + " + ".join(_product(*pair, width, look) for pair, width in zip(row, widths, strict=False))
        for number, row in enumerate(pairs)
    ]
    if look.blank or len(flat) == 1:
        return [*lines, f"{indent}{ending}"]
    products = number_texts([term.product for term in flat])
    return [*lines, *wrapped([*signed(products), ending], f"{indent}= ", f"{indent}  ")]


def _product(value: str, weight: str, padded: bool, width: int, look: Look) -> str:
    value, weight = factor(value), factor(weight)
    room = " " * (width - len(value) - len(weight))
    role = "padding" if padded else "read"
    return f"{room}{look.paint(value, role)}×{look.paint(weight, 'weight')}"


def factor(text: str) -> str:
    """A number that is multiplied: in brackets where it would be misread."""
    return f"({text})" if text.startswith("-") or "/" in text else text


def signed(texts: Sequence[str]) -> list[str]:
    """Numbers to be added: a negative one is taken away."""
    first, *others = texts
    return [first, *(f"- {t[1:]}" if t.startswith("-") else f"+ {t}" for t in others)]


def _ending(window: Window, look: Look) -> str:
    """What follows the products of the only channel: their sum, the divisor, the bias."""
    (total,) = window.sums
    return f"= {_finished(total, window, look)}"


def _together(window: Window, look: Look) -> list[str]:
    """The sums of the channels, added up."""
    texts = number_texts(window.sums)
    parts = [BLANK] * len(texts) if look.blank else texts
    return [f"  {' '.join(signed(parts))} = {_finished(sum(window.sums), window, look)}"]


def _finished(total: Number, window: Window, look: Look) -> str:
    """A sum, and what the divisor and the bias make of it: ``8 / 4 = 2; 2 + 1 (bias) = 3``."""
    divisor, bias = window.filter.divisor, window.filter.bias
    quotient = divide(total, divisor)
    steps = [value_text(total)]
    if divisor != 1:
        steps.append(f"{_alone(total)} / {factor(str(divisor))} = {value_text(quotient)}")
    if bias:
        added = f"{_alone(quotient)}{_bias_text(bias)}{say(' (bias)')}"
        steps.append(f"{added} = {value_text(quotient + bias)}")
    if look.blank:
        return BLANK
    *before, last = "; ".join(steps).rpartition(" = " if len(steps) > 1 else "; ")
    return "".join([*before, look.paint(last, "result")])


def _alone(value: Number) -> str:
    """A number to go on with: the exact one, where that is short enough."""
    return value_text(value).partition(" ≈")[0].removeprefix("≈ ")


def _answer(text: str, look: Look) -> str:
    return BLANK if look.blank else look.paint(text, "result")


def maps_lines(
    maps: Maps, names: Sequence[str], look: Look, marked: Collection[tuple[int, int]] = ()
) -> list[str]:
    """Maps beside each other beneath their names, or room to fill them in."""
    size = len(maps[0]), len(maps[0][0])
    blocks = [
        block(name, blanks(*size) if look.blank else texts_of(matrix), look.paint, "result", marked)
        for name, matrix in zip(names, maps, strict=True)
    ]
    return beside(blocks, look.paint)


def map_name(number: int, chosen: Filter) -> str:
    """``map 0 (sobel_x)``; kernels that were written as rows have no name of their own."""
    own = not chosen.name.startswith(ROWS_NAME)
    name = say("map {number}", number=number)
    return f"{name} ({chosen.name})" if own else name


def output_lines(sliding: Sliding, look: Look, here: Window | None = None) -> list[str]:
    """The whole output of the convolution; the value of ``here`` stands out."""
    title = say("output of the convolution, {size}", size=shown_size(sliding.output))
    if isinstance(sliding.axes[0], TransposedAxis):
        told = "output of the transposed convolution, {size}"
        title = say(told, size=shown_size(sliding.output))
    marked = {(here.row, here.column)} if here else set()
    if len(sliding.filters) == 1:
        texts = blanks(*sliding.size) if look.blank else texts_of(sliding.output[0])
        only = block("", texts, look.paint, "result", marked)
        return [look.paint(title, "title"), *(f"  {line}" for line in only.lines)]
    names = [map_name(n, each) for n, each in enumerate(sliding.filters)]
    maps = maps_lines(sliding.output, names, look, marked)
    return [look.paint(title, "title"), *maps]
