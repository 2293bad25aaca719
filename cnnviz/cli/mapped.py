"""What ``cnnviz featuremaps`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.cli.options import shown

if TYPE_CHECKING:
    from cnnviz.featuremaps.job import FeatureMaps
    from cnnviz.models.loading import LoadedModel

BAR = 30
LONGEST_LABEL = 28
MOST_MISSED = 5  # layers without a picture that are named each
NEVER_RAN = "never ran"
UNSAID = ("not selected", "used inside its parent's call", NEVER_RAN)  # and nobody misses a picture


def introduction(model: LoadedModel) -> str:
    """The model in a line, and what there is to say of its weights."""
    entry, about = model.entry, model.weights.about
    title = f"{entry.title} ({entry.year}), " if entry else ""
    lines = [f"{model.name}: {title}{_parameters(model)}, {_weights(model)}"]
    if "test_accuracy" in about:
        accuracy, images = float(about["test_accuracy"]), int(about["test_images"])
        lines[0] += f": {accuracy:.2%} of its {images:,} test images right"
    return "\n".join([*lines, *(f"note: {note}" for note in (*model.notes, *model.weights.notes))])


def _parameters(model: LoadedModel) -> str:
    from cnnviz.capturing.untouched import has_lazy_layers  # torch, which the model has loaded

    if has_lazy_layers(model.module):
        return "parameters as many as its first image asks for"
    return f"{sum(param.numel() for param in model.module.parameters()):,} parameters"


def _weights(model: LoadedModel) -> str:
    source, about = model.weights.source, model.weights.about
    if source == "random":
        return f"random weights (seed {about['seed']}): it has learned nothing"
    if source == "default":
        return f"weights of {about['from']}'s"
    if source == "own":
        sealed = model.source.home in {"torchscript", "export"}
        return "with the weights in it" if sealed else "weights as its own code makes them"
    if "dataset" in about:
        return f"{source} on {about['dataset']}"
    return f"weights {source}"


def report(
    result: FeatureMaps, *, quiet: bool, verbose: bool = False, top: int | None = None
) -> str:
    """The folder; and unless ``quiet`` the steps, a line per layer, and the predictions.

    ``verbose`` gives every layer of the model its line.
    """
    if quiet:
        return f"{shown(result.folder)}/"
    manifest = result.manifest
    size = "x".join(map(str, manifest["preprocess"]["input"]))
    steps = ", ".join(manifest["preprocess"]["steps"]) or "as it is"
    return "\n".join(
        [
            f"{shown(result.input)} → {size}: {shown(steps)}",
            "",
            *_layers(manifest, verbose=verbose),
            "",
            *_predictions(manifest, top),
            *_explained(manifest),
            f"{shown(result.folder)}/  {_count(manifest)} pictures, {files_beside(manifest)}"
            f"{_verified(manifest)}",
        ]
    )


def _layers(manifest: dict[str, Any], *, verbose: bool) -> list[str]:
    """A line for each layer that is drawn, or that one expects to be."""
    layers = manifest["layers"]
    missed = [layer for layer in layers if _is_missed(layer)]
    few = [] if len(missed) > MOST_MISSED else missed
    rows = [layer for layer in layers if verbose or layer["file"] or layer in few]
    silent = [layer["name"] for layer in layers if layer["reason"] == NEVER_RAN]
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
    if missed and not few and not verbose:
        what = f"{missed[0]['name']}: {missed[0]['reason']}"
        lines.append(f"  {len(missed)} layers have nothing to draw, such as {shown(what)}")
    if silent and not verbose:
        some = ", ".join(map(shown, silent[:3])) + (", …" if len(silent) > 3 else "")
        lines.append(f"  never ran: {some}")
    return [*lines, *([f"  {said}"] if said else [])]


def _is_missed(layer: dict[str, Any]) -> bool:
    """Whether a reader looks for a layer that is not drawn."""
    is_drawn = layer["file"] is not None
    return not is_drawn and layer["type"] != "function" and layer["reason"] not in UNSAID


def _predictions(manifest: dict[str, Any], top: int | None) -> list[str]:
    found = manifest["predictions"]
    if not found:
        return []
    blank = manifest["preprocess"]["blank"]
    from cnnviz.featuremaps.answers import shown_count  # torch, which is loaded by now

    count = shown_count(len(found), top)
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


def _explained(manifest: dict[str, Any]) -> list[str]:
    found = manifest["cam"]
    if found is None:
        return []
    said = f"  {found['file']}: what speaks for {shown(found['class']['label'])}, by Grad-CAM at"
    return [f"{said} {shown(found['layer'])}", ""]


def _count(manifest: dict[str, Any]) -> int:
    """Pictures: the input, those of the layers, and what sums the run up."""
    kinds = ("file", "overlay", "filters")
    of_layers = sum(layer[kind] is not None for layer in manifest["layers"] for kind in kinds)
    rest = ("overview", "predictions", "output", "cam")
    return 1 + of_layers + sum(bool(manifest[name]) for name in rest)


def files_beside(manifest: dict[str, Any]) -> str:
    """What is written beside the pictures."""
    page = manifest.get("page")
    return f"{page} to open in a browser, and manifest.json" if page else "and manifest.json"


def _verified(manifest: dict[str, Any]) -> str:
    checked = [layer for layer in manifest["layers"] if layer["verified"]]
    if not checked:
        return ""
    values = sum(layer["verified"]["values"] for layer in checked)
    layers = "layer" if len(checked) == 1 else "layers"
    return f"; verified by OpenCV: {values:,} values of {len(checked)} convolution {layers}"
