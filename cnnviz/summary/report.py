"""A model's summary as text, as comma-separated values, and as the document of ``--json``."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cnnviz.shapes.explain import COUNTED, field_text
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.table import bytes_text, lines_text, table_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.shapes.receptive import Field
    from cnnviz.summary.layers import LayerSummary
    from cnnviz.summary.model import ModelSummary

SORTS = ("forward", "params", "macs", "memory")
CSV_KEYS = ("name", "call", "type", "output", "params", "trainable_params", "macs", "memory")


def sorted_layers(summary: ModelSummary, sort: str) -> list[LayerSummary]:
    """The layers in the order of the forward pass, or the largest first."""
    if sort == "forward":
        return list(summary.layers)
    return sorted(summary.layers, key=lambda layer: int(getattr(layer, sort)), reverse=True)


def document(summary: ModelSummary, layers: Sequence[LayerSummary]) -> dict[str, Any]:
    """What ``--json`` prints; sizes are without the batch."""
    last = summary.last_map
    return {
        "model": summary.model,
        "year": summary.year,
        "input": list(summary.input),
        "output": list(summary.output) if summary.output else None,
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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*CSV_KEYS, "receptive_field", "note"])
    for layer in layers:
        cells = {**_entry(layer), "output": size_text(layer.output or ())}
        field = field_text(layer.fields)
        writer.writerow([*(cells[key] for key in CSV_KEYS), field, layer.note])
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
        size_text(layer.output) if layer.output is not None else "",
        f"{layer.params:,}",
        f"{layer.trainable_params:,}",
        f"{layer.macs:,}",
        "; ".join(filter(None, (field_text(layer.fields), layer.note))),
    ]


def _totals(summary: ModelSummary) -> Iterator[tuple[str, str]]:
    yield "input", size_text(summary.input)
    beside = f"; {summary.buffers:,} buffers beside them" if summary.buffers else ""
    trained = f"{summary.trainable_params:,} trainable"
    yield "parameters", f"{summary.total_params:,} ({trained}{beside})"
    yield "multiply-adds", f"{summary.macs:,} ({COUNTED} and normalisation)"
    yield "depth", f"{summary.depth} layers with weights on the longest way"
    last = summary.last_map
    if last:
        stride = size_text(tuple(field.stride for field in last.fields))
        padding = size_text(tuple(field.padding for field in last.fields))
        known = f"{field_text(last.fields)}, stride {stride}, padding {padding}"
        is_output = last.fields == summary.fields
        said = known if is_output else f"{field_text(summary.fields)}; up to {last.key} {known}"
        yield "receptive field", said
    kept = bytes_text(summary.memory["params"] + summary.memory["buffers"])
    outputs = bytes_text(summary.memory["outputs"])
    yield "memory", f"{kept} of parameters and buffers, {outputs} of outputs (one image)"


def comparison(summaries: Sequence[ModelSummary]) -> str:
    """One row per model."""
    heads = ["model", "year", "depth", "params", "MACs", "input", "receptive field"]
    rows = [
        [
            summary.model,
            str(summary.year or ""),
            str(summary.depth),
            f"{summary.total_params:,}",
            f"{summary.macs:,}",
            size_text(summary.input),
            field_text(summary.last_map.fields) if summary.last_map else "",
        ]
        for summary in summaries
    ]
    return table_text([heads, *rows], numbers={1, 2, 3, 4})
