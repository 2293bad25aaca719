"""What follows the convolution, as text: every stage with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.matrices import number_texts, value_text
from cnnviz.shapes.notation import size_text
from cnnviz.step.activations import FORMULAS
from cnnviz.step.layout import BLANK, blanks, block, texts_of, wrapped
from cnnviz.step.text import factor, maps_lines, signed

if TYPE_CHECKING:
    from cnnviz.step.layers import Pooled, Stage
    from cnnviz.step.text import Look


def stage_lines(stage: Stage, look: Look, most: int | None) -> list[str]:
    """The stage's title, its working where there is some, at most so many of it, its output."""
    formula = FORMULAS.get(stage.name)
    before, after = size_text(stage.input.shape), size_text(stage.output.shape)
    head = f"{stage.text}: {formula}" if formula else stage.text
    sizes = after if before == after else f"{before} → {after}"
    return [
        look.paint(f"{head}, {sizes}", "title"),
        *_pooling(stage, look, most),
        *_connecting(stage, look),
        *_result(stage, look),
    ]


def _pooling(stage: Stage, look: Look, most: int | None) -> list[str]:
    shown = stage.pooled[:most]
    several = stage.output.shape[0] > 1
    lines = [f"  {_pool_line(each, stage.mode, look, several=several)}" for each in shown]
    if len(shown) < len(stage.pooled):
        lines.append(say("  … and {count} more windows", count=len(stage.pooled) - len(shown)))
    return lines


def _pool_line(pooled: Pooled, mode: str, look: Look, *, several: bool) -> str:
    where = say("row {row}, column {column}", row=pooled.row, column=pooled.column) + ": "
    if several:
        where = f"{say('map {number}', number=pooled.map)}, {where}"
    texts = number_texts(pooled.values)
    result = BLANK if look.blank else look.paint(value_text(pooled.value), "result")
    inside = BLANK if look.blank else ", ".join(texts)
    if mode != "avg":
        return f"{where}{mode}({inside}) = {result}"
    total = BLANK if look.blank else " ".join(signed(texts))
    return f"{where}({total}) / {pooled.among} = {result}"


def _connecting(stage: Stage, look: Look) -> list[str]:
    if stage.dense is None:
        return []
    values = number_texts(stage.input.maps[0][0])
    lines = []
    for number, (row, bias) in enumerate(zip(stage.dense.weights, stage.dense.biases, strict=True)):
        weights = number_texts(row)
        pairs = [
            f"{look.paint(BLANK if look.blank else factor(v), 'input')}"
            f"×{look.paint(factor(w), 'weight')}"
            for v, w in zip(values, weights, strict=True)
        ]
        value = stage.output.maps[0][0][number]
        result = BLANK if look.blank else look.paint(value_text(value), "result")
        parts = [pairs[0], *(f"+ {pair}" for pair in pairs[1:])]
        if bias:
            parts.append(f"{signed(['', *number_texts([bias])])[1]}{say(' (bias)')}")
        lines += wrapped(
            [*parts, f"= {result}"], f"  {say('output {number}', number=number)}: ", "    "
        )
    return lines


def _result(stage: Stage, look: Look) -> list[str]:
    maps = stage.output.maps
    if stage.output.flat or len(maps) == 1:
        texts = blanks(len(maps[0]), len(maps[0][0])) if look.blank else texts_of(maps[0])
        return [f"  {line}" for line in block("", texts, look.paint, "result").lines]
    return maps_lines(maps, [say("map {number}", number=n) for n in range(len(maps))], look)
