"""The working behind each number of a layer, as formulas and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.shapes.coverage import unread_by
from cnnviz.shapes.layer import AXIS_NAMES
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.readers import Slide
from cnnviz.shapes.receptive import NOT_COMPUTED, WHOLE_INPUT, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.shapes.chain import Fields, Step
    from cnnviz.shapes.readers import Reader

Row = tuple[str, str]

UNITS = {"length": "positions", "depth": "slices", "height": "rows", "width": "columns"}
COUNTED = "as torchvision counts: without bias"
COUNTED_OF_ALL = "as torchvision counts: without bias and normalisation"
NONE_COUNTED = "0 (torchvision counts convolutions and linear layers)"


def field_text(fields: Fields) -> str:
    """The receptive field as ``7x7``, or why there is no number."""
    limits = {field.limit for field in fields}
    if len(limits) == 1 and limits != {""}:
        return say(limits.pop())
    words = {WHOLE_INPUT: "all", NOT_COMPUTED: "?"}
    return "x".join(say(words.get(field.limit, str(field.size))) for field in fields)


def working(step: Step, before: Fields, *, words: bool, channels_note: str = "") -> list[Row]:
    """Rows of (what, how it comes about); ``before`` are the fields of the step's input."""
    rows = list(_sizes(step, words=words))
    if step.layer.axes_on(step.input):
        given = {"given": step.input[0], "made": step.output[0], "note": say(channels_note)}
        rows.append(("channels", say("{given} in{note}, {made} out", **given)))
    elif told := step.layer.explain_output(step.input) or ("" if words else size_text(step.output)):
        rows.append(("output", told))
    rows.append(("parameters", step.layer.explain_params()))
    if step.macs:
        rows.append(("multiply-adds", f"{step.layer.explain_macs(step.input)} ({say(COUNTED)})"))
    else:
        rows.append(("multiply-adds", say(NONE_COUNTED)))
    if step.fields:
        grown = _growth(step, before) if words else []
        rows += [("receptive field", grown[0] if grown else field_text(step.fields))]
        rows += [("", more) for more in grown[1:]]
    return [(say(name), text) for name, text in rows]


def _sizes(step: Step, *, words: bool) -> Iterator[Row]:
    rules = step.layer.axes_on(step.input)
    if not rules:
        return
    said = set()
    each = zip(rules, AXIS_NAMES[len(rules)], step.input[1:], strict=True)
    for axis, (rule, name, size) in enumerate(each):
        yield name, rule.explain(size)
        if words and (rule, size) not in said:  # a square input needs no words twice
            said.add((rule, size))
            unit = say(UNITS[name])
            yield from (("", part) for part in rule.words(size, unit).split("; "))
            if lost := unread_by(step, axis):
                told = "never read by this layer: {lost} of {size} {unit}"
                yield "", say(told, lost=lost, size=size, unit=unit)


def _growth(step: Step, before: Fields) -> list[str]:
    """How the field grew: a term for all axes, or one for each where they differ."""
    if len(step.input) == 1:
        return []
    each = zip(before, step.layer.readers(step.input), step.fields, strict=True)
    terms = [_term(old, reader, new) for old, reader, new in each]
    if len(set(terms)) == 1 or not all(terms):
        return terms[:1] if all(terms) else []
    names = map(say, AXIS_NAMES[len(terms)])
    return [f"{name}: {term}" for name, term in zip(names, terms, strict=True)]


def _term(old: Field, reader: Reader, new: Field) -> str:
    if not isinstance(reader, Slide) or reader.kernel_size == 1:
        return ""
    if old.limit or new.limit or len(old.reach.spans) > 1:
        return ""
    dilated = f"{reader.dilation}*" if reader.dilation > 1 else ""
    return say(
        "{old} + {dilated}({kernel_size} - 1)*{stride} = {new}: what it was, and {more} taps more,"
        " {apart} px of the first input apart",
        old=old.size,
        dilated=dilated,
        kernel_size=reader.kernel_size,
        stride=old.stride,
        new=new.size,
        more=reader.kernel_size - 1,
        apart=reader.dilation * old.stride,
    )
