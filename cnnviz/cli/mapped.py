"""What ``cnnviz featuremaps`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.cli.options import shown

if TYPE_CHECKING:
    from pathlib import Path

    from cnnviz.featuremaps.job import FeatureMaps
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.featuremaps.plan import Plan
    from cnnviz.models.loading import LoadedModel

BAR = 30
LONGEST_LABEL = 28
FEW_CLASSES, SHOWN_CLASSES = 10, 5
UNSAID = ("not selected", "used inside its parent's call")  # and nobody expects a picture


def introduction(model: LoadedModel) -> str:
    """The model in a line, and what there is to say of its weights."""
    entry, about = model.entry, model.weights.about
    count = sum(param.numel() for param in model.module.parameters())
    title = f"{entry.title} ({entry.year}), " if entry else ""
    lines = [f"{model.name}: {title}{count:,} parameters, {_weights(model)}"]
    if "test_accuracy" in about:
        accuracy, images = float(about["test_accuracy"]), int(about["test_images"])
        lines[0] += f": {accuracy:.2%} of its {images:,} test images right"
    return "\n".join([*lines, *(f"note: {note}" for note in (*model.notes, *model.weights.notes))])


def _weights(model: LoadedModel) -> str:
    source, about = model.weights.source, model.weights.about
    if source == "random":
        return f"random weights (seed {about['seed']}): it has learned nothing"
    if source == "default":
        return f"weights of {about['from']}'s"
    if source == "own":
        return "weights as its own code makes them"
    if "dataset" in about:
        return f"{source} on {about['dataset']}"
    return f"weights {source}"


def report(result: FeatureMaps, *, quiet: bool, top: int | None = None) -> str:
    """The folder; and unless ``quiet`` the steps, a line per layer, and the predictions."""
    if quiet:
        return f"{shown(result.folder)}/"
    manifest = result.manifest
    size = "x".join(map(str, manifest["preprocess"]["input"]))
    steps = ", ".join(manifest["preprocess"]["steps"]) or "as it is"
    return "\n".join(
        [
            f"{shown(result.input)} → {size}: {shown(steps)}",
            "",
            *_layers(manifest),
            "",
            *_predictions(manifest, top),
            f"{shown(result.folder)}/  {_count(manifest)} pictures and manifest.json"
            f"{_verified(manifest)}",
        ]
    )


def _layers(manifest: dict[str, Any]) -> list[str]:
    """A line for each layer that is drawn, or that one expects to be."""
    rows = [layer for layer in manifest["layers"] if layer["reason"] not in UNSAID]
    cells = [
        (
            layer["paper_name"] or "",
            layer["name"] + (f"#{layer['call']}" if layer["call"] > 1 else ""),
            layer["type"],
            "x".join(map(str, layer["shape"] or ["-"])),
        )
        for layer in rows
    ]
    widths = [max((len(row[n]) for row in cells), default=0) for n in range(4)]
    lines = []
    for row, layer in zip(cells, rows, strict=True):
        named = [f"{shown(cell):<{width}}" for cell, width in zip(row, widths, strict=True)]
        what = layer["file"] or f"not drawn: {layer['reason']}"
        lines.append("  " + "  ".join(cell for cell in (*named, what) if cell.strip() or widths[0]))
    said = manifest["selection"]
    return [*lines, *([f"  {said}"] if said else [])]


def _predictions(manifest: dict[str, Any], top: int | None) -> list[str]:
    found = manifest["predictions"]
    if not found:
        return []
    blank = manifest["preprocess"]["blank"]
    count = top or (FEW_CLASSES if len(found) <= FEW_CLASSES else SHOWN_CLASSES)
    said = manifest["predictions_from"]
    width = min(LONGEST_LABEL, max(len(one["label"]) for one in found[:count]))
    return [
        *(["  the image is blank, so what follows says nothing about it"] if blank else []),
        f"  {said}; they always add up to 100 %, whatever the image shows"
        if "sigmoid" not in said
        else f"  {said}",
        *(_bar(one, width) for one in found[:count]),
        "",
    ]


def _bar(prediction: dict[str, Any], width: int) -> str:
    from cnnviz.render.bars import percent  # cv2, which is loaded by now

    share, label = prediction["probability"], shown(prediction["label"])
    said = "no number" if share is None else percent(share)
    if len(label) > width:
        label = f"{label[: width - 1]}…"
    return f"  {label:<{width}}  {'█' * round((share or 0) * BAR):<{BAR}}  {said:>9}"


def _count(manifest: dict[str, Any]) -> int:
    """Pictures: the input, the overview, the predictions, and one per layer drawn."""
    drawn = sum(layer["file"] is not None for layer in manifest["layers"])
    return 1 + drawn + bool(manifest["overview"]) + bool(manifest["predictions"])


def _verified(manifest: dict[str, Any]) -> str:
    checked = [layer for layer in manifest["layers"] if layer["verified"]]
    if not checked:
        return ""
    values = sum(layer["verified"]["values"] for layer in checked)
    layers = "layer" if len(checked) == 1 else "layers"
    return f"; verified by OpenCV: {values:,} values of {len(checked)} convolution {layers}"


def ledger(planned: Plan, size: str) -> str:
    """Every layer with its size, and whether it is drawn."""
    from cnnviz.featuremaps.plan import memory_of

    rows = []
    for layer in planned.layers:
        if layer.kind == "block" and layer not in planned.selection:
            continue
        shape = "x".join(map(str, layer.shape)) if layer.shape else "-"
        what = "drawn" if layer in planned.selection else layer.reason or ""
        rows.append((shown(layer.key), layer.type, shape, f"{memory_of(layer):,}", what))
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}"
        f"  {memory:>{widths[3]}}  {what}"
        for name, kind, shape, memory, what in rows
    ]
    return "\n".join([f"{size}: nothing is run or written", "", *lines])


def dry_run(path: Path, model: LoadedModel, chosen: MapOptions) -> str:
    """What a run would do for one image."""
    from cnnviz.featuremaps.job import read_input
    from cnnviz.featuremaps.plan import plan

    prepared = read_input(path, model)
    size = "x".join(map(str, prepared.tensor.shape[1:]))
    planned = plan(model.module, [prepared.tensor], chosen.layers, chosen.maps)
    return ledger(planned, f"{shown(path)} → {size}")
