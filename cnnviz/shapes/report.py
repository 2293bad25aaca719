"""A chain as text for people, and as the document that ``--json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cnnviz.language import say
from cnnviz.shapes.chain import Fork
from cnnviz.shapes.coverage import unread
from cnnviz.shapes.explain import COUNTED_OF_ALL, UNITS, field_text, working
from cnnviz.shapes.layer import AXIS_NAMES
from cnnviz.shapes.memory import memory_of
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.plain import Concatenate
from cnnviz.shapes.table import bytes_text, lines_text, table_text
from cnnviz.shapes.wording import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.shapes.chain import Chain, Fields, Item, Step
    from cnnviz.shapes.explain import Row


class Wanted(NamedTuple):
    """What a report says beside sizes, parameters and multiply-adds."""

    flops: bool = False
    explain: bool = False
    memory: bool = True
    dtype: str = "float32"
    batch: int = 1


def document(chain: Chain, wanted: Wanted) -> dict[str, Any]:
    """What ``--json`` prints; sizes of tensors are lists, channels first."""
    return {
        "input": list(chain.input),
        "output": list(chain.output),
        "params": chain.params,
        "biases": chain.biases,
        "buffers": chain.buffers,
        **_operations(chain.macs, wanted),
        **_geometry(chain.fields),
        "unread": list(unread(chain)),
        "memory": {
            "dtype": wanted.dtype,
            "batch": wanted.batch,
            **memory_of(chain, wanted.dtype, wanted.batch)._asdict(),
        },
        "layers": [
            {
                "layer": step.text,
                "output": list(step.output),
                "params": step.layer.params,
                "buffers": step.layer.buffers,
                **_operations(step.macs, wanted),
                **_geometry(step.fields),
            }
            for step in chain.steps
        ],
    }


def _operations(macs: int, wanted: Wanted) -> dict[str, int]:
    return {"macs": macs, "flops": 2 * macs} if wanted.flops else {"macs": macs}


def _geometry(fields: Fields) -> dict[str, Any]:
    sizes = [field.size for field in fields]
    return {
        "receptive_field": sizes if sizes and None not in sizes else None,
        "effective_stride": [field.stride for field in fields],
        "effective_padding": [field.padding for field in fields],
    }


def layer_report(chain: Chain, wanted: Wanted, channels_note: str) -> str:
    """The working of a chain's only layer, with what was asked for beside it."""
    (step,) = chain.steps
    rows = working(step, chain.start, words=wanted.explain, channels_note=channels_note)
    return lines_text([*rows, *_extras(chain, wanted)])


def chain_report(chain: Chain, wanted: Wanted, channels_note: str) -> str:
    """A table of the layers and their totals; with ``explain`` the working of each before it."""
    blocks = list(_workings(chain.items, chain.start)) if wanted.explain else []
    rows = [(say("input"), f"{size_text(chain.input)}{say(channels_note)}"), *_totals(chain)]
    return "\n\n".join([*blocks, _table(chain), lines_text([*rows, *_extras(chain, wanted)])])


def _workings(items: Sequence[Item], before: Fields) -> Iterator[str]:
    for item in items:
        if isinstance(item, Fork):
            for branch in item.branches:
                yield from _workings(branch, before)
        step = item.join if isinstance(item, Fork) else item
        told = "layer {position}, {text}: "
        heading = f"  {say(told, position=step.position, text=step.text)}{_change(step)}"
        yield "\n".join([heading, lines_text(working(step, before, words=True), indent=4)])
        before = step.fields


def _change(step: Step) -> str:
    """The sizes before and after."""
    channels = step.layer.parts if isinstance(step.layer, Concatenate) else step.input[:1]
    given = ", ".join(size_text((count, *step.input[1:])) for count in channels)
    return f"{given} → {size_text(step.output)}"


def _totals(chain: Chain) -> list[Row]:
    parts = f"{many(chain.params - chain.biases, 'weight')}, {many(chain.biases, 'bias', 'biases')}"
    if chain.buffers:
        parts += say("; {buffers} beside them", buffers=many(chain.buffers, "buffer"))
    rows = [
        (say("parameters"), f"{chain.params:,} ({parts})"),
        (say("multiply-adds"), f"{chain.macs:,} ({say(COUNTED_OF_ALL)})"),
    ]
    return [*rows, (say("receptive field"), _field(chain))] if chain.fields else rows


def _field(chain: Chain) -> str:
    """The field of the output; where it is the whole input, also the last that was not."""
    if not any(field.limit for field in chain.fields):
        return _grid(chain.fields)
    known = [s for s in chain.steps if not any(field.limit for field in s.fields)]
    if not known:
        return field_text(chain.fields)
    last = known[-1]
    return say(
        "{whole}; up to layer {position} ({text}) {grid}",
        whole=field_text(chain.fields),
        position=last.position,
        text=last.text,
        grid=_grid(last.fields),
    )


def _grid(fields: Fields) -> str:
    """A field and how it moves from one output to the next."""
    stride = size_text(tuple(round(field.stride, 4) for field in fields))
    padding = size_text(tuple(field.padding for field in fields))
    sizes = {"field": field_text(fields), "stride": stride, "padding": padding}
    return say("{field}, stride {stride}, padding {padding}", **sizes)


def _extras(chain: Chain, wanted: Wanted) -> Iterator[Row]:
    lost = unread(chain)
    if any(lost):
        names = AXIS_NAMES[len(lost)]
        counts = zip(lost, chain.input[1:], names, strict=True)
        each = "{lost} of {size} {unit}"
        said = [say(each, lost=c, size=n, unit=say(UNITS[name])) for c, n, name in counts if c]
        yield say("never read"), ", ".join(said)
    if wanted.flops:
        totals = {"flops": f"{2 * chain.macs:,}", "macs": f"{chain.macs:,}"}
        yield "FLOPs", say("{flops} = 2 * {macs} multiply-adds", **totals)
    if wanted.memory:
        memory = memory_of(chain, wanted.dtype, wanted.batch)
        told = say(
            "{kept} of parameters and buffers, {outputs} of outputs; at most {peak} of input and"
            " outputs at once ({dtype}, batch {batch})",
            kept=bytes_text(memory.params + memory.buffers),
            outputs=bytes_text(memory.outputs),
            peak=bytes_text(memory.peak),
            dtype=wanted.dtype,
            batch=wanted.batch,
        )
        yield say("memory"), told


def _table(chain: Chain) -> str:
    rows = [
        ("", *map(say, ("layer", "output", "params", "MACs", "receptive field"))),
        *(_table_row(step) for step in chain.steps),
        ("", say("total"), "", f"{chain.params:,}", f"{chain.macs:,}", ""),
    ]
    return table_text(rows, numbers={0, 3, 4})


def _table_row(step: Step) -> tuple[str, ...]:
    return (
        str(step.position),
        step.indent + step.text,
        size_text(step.output),
        f"{step.layer.params:,}",
        f"{step.macs:,}",
        field_text(step.fields),
    )
