"""A model's summary as text, as comma-separated values, and as the document of ``--json``."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cnnviz.shapes.explain import COUNTED, field_text
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.table import bytes_text, lines_text, table_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cnnviz.shapes.layer import Shape
    from cnnviz.shapes.receptive import Field
    from cnnviz.summary.layers import LayerSummary
    from cnnviz.summary.model import ModelSummary

SORTS = ("forward", "params", "macs", "memory")
COMPARED = ("model", "year", "depth", "params", "macs", "input", "receptive_field")
CSV_KEYS = ("name", "call", "type", "output", "params", "trainable_params", "macs", "memory")


def sorted_layers(summary: ModelSummary, sort: str) -> list[LayerSummary]:
    """The layers in the order of the forward pass, or the largest first."""
    if sort == "forward":
        return list(summary.layers)
    return sorted(summary.layers, key=lambda layer: int(getattr(layer, sort)), reverse=True)


def sorted_models(summaries: Sequence[ModelSummary], sort: str) -> list[ModelSummary]:
    """The models in the order that they were named in, or the largest first."""
    keys: dict[str, Callable[[ModelSummary], int]] = {
        "params": lambda summary: summary.total_params,
        "macs": lambda summary: summary.macs,
        "memory": lambda summary: sum(summary.memory.values()),
    }
    if sort == "forward":
        return list(summaries)
    return sorted(summaries, key=keys[sort], reverse=True)


def document(summary: ModelSummary, layers: Sequence[LayerSummary]) -> dict[str, Any]:
    """What ``--json`` prints; sizes are without the batch."""
    last = summary.last_map
    return {
        "model": summary.model,
        "year": summary.year,
        "input": list(summary.input),
        "inputs": [list(size) for size in summary.inputs],
        "output": list(summary.output) if summary.output is not None else None,
        "total_params": summary.total_params,
        "trainable_params": summary.trainable_params,
        "buffers": summary.buffers,
        "macs": summary.macs,
        "depth": summary.depth,
        "memory": summary.memory,
        **_geometry(summary.fields),
        "last_map": {"layer": last.key, **_geometry(last.fields)} if last else None,
        "notes": list(summary.notes),
        "layers": [_entry(layer) for layer in layers],
    }


def _entry(layer: LayerSummary) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": layer.type,
        "call": layer.call,
        "output": list(layer.output) if layer.output is not None else None,
        "params": layer.params,
        "trainable_params": layer.trainable_params,
        "macs": layer.macs,
        "memory": layer.memory,
        **_geometry(layer.fields),
        "note": layer.note,
    }


def _geometry(fields: tuple[Field, ...]) -> dict[str, Any]:
    known = fields and not any(field.limit for field in fields)
    return {
        "receptive_field": [field.size for field in fields] if known else None,
        "effective_stride": [field.stride for field in fields] if known else None,
        "effective_padding": [field.padding for field in fields] if known else None,
    }


def csv_text(layers: Sequence[LayerSummary]) -> str:
    """The rows for a spreadsheet; sizes as 64x56x56."""
    rows: list[list[Any]] = [[*CSV_KEYS, "receptive_field", "note"]]
    for layer in layers:
        cells = {**_entry(layer), "output": _output_text(layer.output)}
        rows.append([*(cells[key] for key in CSV_KEYS), field_text(layer.fields), layer.note])
    return _separated(rows)


def _separated(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def report(
    summary: ModelSummary, layers: Sequence[LayerSummary], *, trainable: bool, notes: bool = True
) -> str:
    """The table and, below it, the totals; with ``trainable`` a column of what is trained."""
    lines = [*_totals(summary), *(("note", note) for note in summary.notes if notes)]
    return f"{_table(summary, layers, trainable)}\n\n{lines_text(lines)}"


def _table(summary: ModelSummary, layers: Sequence[LayerSummary], trainable: bool) -> str:
    heads = ["layer", "type", "output", "params", "trainable", "MACs", "receptive field"]
    total = [
        *("total", "", ""),
        *(f"{summary.total_params:,}", f"{summary.trainable_params:,}", f"{summary.macs:,}", ""),
    ]
    rows = [heads, *map(_cells, layers), total]
    if not trainable:
        rows = [row[:4] + row[5:] for row in rows]
    return table_text(rows, numbers={3, 4, 5} if trainable else {3, 4})


def _cells(layer: LayerSummary) -> list[str]:
    return [
        layer.key,
        layer.type,
        _output_text(layer.output),
        f"{layer.params:,}",
        f"{layer.trainable_params:,}",
        f"{layer.macs:,}",
        "; ".join(filter(None, (field_text(layer.fields), layer.note))),
    ]


def _output_text(output: Shape | None) -> str:
    if output is None:
        return ""
    return size_text(output) or "scalar"


def _totals(summary: ModelSummary) -> Iterator[tuple[str, str]]:
    yield "input", " and ".join(map(size_text, summary.inputs))
    beside = f"; {summary.buffers:,} buffers beside them" if summary.buffers else ""
    trained = f"{summary.trainable_params:,} trainable"
    yield "parameters", f"{summary.total_params:,} ({trained}{beside})"
    yield "multiply-adds", f"{summary.macs:,} ({COUNTED} and normalisation)"
    if summary.depth is not None:
        layers = "layer" if summary.depth == 1 else "layers"
        yield "depth", f"{summary.depth} {layers} with weights on the longest way"
    yield from _field_line(summary)
    kept = bytes_text(summary.memory["params"] + summary.memory["buffers"])
    outputs = bytes_text(summary.memory["outputs"])
    yield "memory", f"{kept} of parameters and buffers, {outputs} of outputs (one image)"


def _field_line(summary: ModelSummary) -> Iterator[tuple[str, str]]:
    """The receptive field of the output and, where that has none, the largest that is known."""
    last, output = summary.last_map, field_text(summary.fields)
    if last is None:
        if output:
            yield "receptive field", output
    else:
        stride = size_text(tuple(field.stride for field in last.fields))
        padding = size_text(tuple(field.padding for field in last.fields))
        known = f"{field_text(last.fields)}, stride {stride}, padding {padding}"
        is_output = last.fields == summary.fields
        before = f"{output or 'not of the input'}; up to {last.key} "
        yield "receptive field", known if is_output else before + known


def comparison(summaries: Sequence[ModelSummary]) -> str:
    """One row per model."""
    heads = ["model", "year", "depth", "params", "MACs", "input", "receptive field"]
    rows = [
        [f"{cell:,}" if key in {"params", "macs"} else str(cell) for key, cell in row.items()]
        for row in map(_compared, summaries)
    ]
    return table_text([heads, *rows], numbers={1, 2, 3, 4})


def comparison_csv(summaries: Sequence[ModelSummary]) -> str:
    """The comparison for a spreadsheet."""
    return _separated([COMPARED, *(list(_compared(summary).values()) for summary in summaries)])


def _compared(summary: ModelSummary) -> dict[str, int | str]:
    last = summary.last_map
    cells = (
        summary.model,
        summary.year or "",
        "" if summary.depth is None else summary.depth,
        summary.total_params,
        summary.macs,
        " and ".join(map(size_text, summary.inputs)),
        field_text(last.fields if last else summary.fields),
    )
    return dict(zip(COMPARED, cells, strict=True))
