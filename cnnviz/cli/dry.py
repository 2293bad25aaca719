"""``cnnviz featuremaps --dry-run``: what would be done, and what it would take."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnviz.cli.options import shown

if TYPE_CHECKING:
    from pathlib import Path

    from cnnviz.capturing import LayerOutput
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.models.loading import LoadedModel

NOT_COUNTED = "not counted: the model's code needs values"
STEPS = (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")


def dry_run(path: Path, model: LoadedModel, folder: Path, chosen: MapOptions) -> dict[str, Any]:
    """What a run would do for one image, as ``--json`` prints it."""
    from cnnviz.featuremaps.beside import Beside
    from cnnviz.featuremaps.drawing import Drawing
    from cnnviz.featuremaps.estimate import estimate
    from cnnviz.featuremaps.job import planned_for, read_input

    prepared = read_input(path, model)
    planned = planned_for(model, prepared, chosen)
    files = Drawing(model, folder, chosen, planned, prepared, Beside()).files()
    took = estimate(model.module, prepared.tensor, planned, chosen, len(files))
    return {
        "input": str(path),
        "output": str(folder),
        "model": model.name,
        "notes": list(model.notes),
        "size": list(prepared.tensor.shape[1:]),
        "preprocess": prepared.steps,
        "selection": planned.selection.said,
        "layers": _layers(planned),
        "totals": asdict(took),
    }


def _layers(planned: Plan) -> list[dict[str, Any]]:
    from cnnviz.featuremaps.plan import memory_of

    return [
        {
            "name": layer.key,
            "type": layer.type,
            "shape": None if layer.shape is None else list(layer.shape),
            "bytes": memory_of(layer),
            "drawn": layer in planned.selection and layer.type != "Flatten",
            "reason": _reason(layer, planned),
        }
        for layer in planned.layers
        if layer.kind != "block" or layer in planned.selection
    ]


def _reason(layer: LayerOutput, planned: Plan) -> str | None:
    """Why a layer is not drawn; None where it is."""
    from cnnviz.featuremaps.manifest import IN_A_ROW

    if layer in planned.selection:
        return IN_A_ROW if layer.type == "Flatten" else None
    return layer.reason


def text_of(found: dict[str, Any]) -> str:
    """The ledger as a table: every layer with its size, and whether it is drawn; the totals."""
    rows = [("layer", "type", "output", "bytes", "")]
    rows += [
        (
            shown(layer["name"]),
            shown(layer["type"]),
            "x".join(map(str, layer["shape"] or ["-"])),
            f"{layer['bytes']:,}",
            "drawn" if layer["drawn"] else layer["reason"] or "",
        )
        for layer in found["layers"]
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}"
        f"  {memory:>{widths[3]}}  {what}".rstrip()
        for name, kind, shape, memory, what in rows
    ]
    size = "x".join(map(str, found["size"]))
    head = f"{found['model']}, {shown(found['input'])} → {size}: nothing is computed or written"
    notes = [f"note: {shown(note)}" for note in found["notes"]]
    said = [f"  {found['selection']}"] if found["selection"] else []
    return "\n".join([head, *notes, "", *lines, *said, "", *_totals(found)])


def _totals(found: dict[str, Any]) -> list[str]:
    totals = found["totals"]
    macs, seconds = totals["macs"], totals["seconds"]
    count = f"{macs:,}, twice: once without hooks, to compare" if macs is not None else NOT_COUNTED
    rows = [
        ("layers", f"{totals['layers']:,}, of which {totals['drawn']:,} are drawn"),
        ("files", f"up to {totals['files']:,} in {shown(found['output'])}/"),
        ("parameters", f"{totals['parameters']:,} ({bytes_text(totals['weights_bytes'])})"),
        ("multiply-adds", count),
        (
            "maps",
            f"{bytes_text(totals['maps_bytes'])} are drawn, at most"
            f" {bytes_text(totals['held_bytes'])} held at once",
        ),
    ]
    if totals["raw_bytes"]:
        rows.append(("raw file", bytes_text(totals["raw_bytes"])))
    if seconds is not None:
        rows.append(("time", f"about {_about(seconds)} here, and what loading takes"))
    return [f"  {name:<13}  {text}" for name, text in rows]


def bytes_text(count: int) -> str:
    """A number of bytes in the unit that suits it: 1.5 MiB."""
    for size, unit in STEPS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _about(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    return f"{seconds:.2g} s" if seconds < 90 else f"{seconds / 60:.0f} min"
