"""One image through one model: every layer as a grid, the predictions, the manifest."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import images, storage
from cnnviz.capturing import run_and_capture
from cnnviz.errors import OutputError
from cnnviz.render.bars import draw_bars
from cnnviz.render.canvas import grays
from cnnviz.render.grid import Caption, draw_maps, draw_values
from cnnviz.render.levels import short
from cnnviz.statistics import channel_statistics, layer_statistics
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput
    from cnnviz.models.loading import LoadedModel, Prepared

INPUT, PREDICTIONS, MANIFEST = "00_input.png", "predictions.png", "manifest.json"


@dataclass(frozen=True)
class FeatureMaps:
    """What was written for one image: the folder, and what its ``manifest.json`` says."""

    input: Path
    folder: Path
    manifest: dict[str, Any]


def save_feature_maps(
    path: Path, model: LoadedModel, folder: Path, inputs: Iterable[Path] = ()
) -> FeatureMaps:
    """Draw every layer's output for the image at ``path`` into ``folder``.

    The manifest is removed first and written last: where it is, the pictures are whole and
    belong to it. ``inputs`` are other files that must not be replaced.

    Raises:
        ImageError: the file is not an image that can be read.
        CnnvizError: the model failed on it.
        UsageError: a picture would replace an input.
        OutputError: a picture cannot be written.
    """
    prepared = model.prepare(images.read_image(path))
    run = run_and_capture(model.module, prepared.tensor)
    files = [INPUT, PREDICTIONS, MANIFEST, *(_file(n, x) for n, x in enumerate(run.layers, 1))]
    storage.refuse_existing((folder / file for file in files), [path, *inputs], overwrite=True)
    _remove(folder / MANIFEST)
    storage.write_bytes(folder / INPUT, _input_picture(prepared))
    layers = [
        _save_layer(number, layer, model, folder) for number, layer in enumerate(run.layers, 1)
    ]
    predictions = _predictions(run.output.softmax(0).numpy(), model.entry.labels)
    storage.write_bytes(
        folder / PREDICTIONS, _bars(predictions, model.entry.title, blank=prepared.blank)
    )
    manifest = {
        "cnnviz": __version__,
        "model": model.entry.name,
        "weights": {"source": "trained", **model.training},
        "image": str(path),
        "preprocess": {
            "steps": prepared.steps,
            "input": list(prepared.tensor.shape[1:]),
            "blank": prepared.blank,
        },
        "predictions": predictions,
        "layers": layers,
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    storage.write_bytes(folder / MANIFEST, text.encode("utf-8", "backslashreplace"))
    return FeatureMaps(path, folder, manifest)


def _remove(manifest: Path) -> None:
    try:
        manifest.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{manifest} cannot be written: {error.strerror or error}") from error


def _input_picture(prepared: Prepared) -> bytes:
    seen = prepared.tensor[0].numpy()
    size = "x".join(map(str, seen.shape))
    steps = ", ".join(prepared.steps) or "the image as it is"
    return draw_maps(seen, Caption(f"What the model sees: {size}", steps, {}), grays)


def _save_layer(
    number: int, layer: LayerOutput, model: LoadedModel, folder: Path
) -> dict[str, Any]:
    """Draw one layer, and return its entry in the manifest."""
    entry: dict[str, Any] = {
        "index": number,
        "name": layer.name,
        "paper_name": model.entry.paper_names.get(layer.name),
        "type": layer.type,
        "call": layer.call,
        "shape": None,
        "status": "skipped",
        "reason": layer.reason,
        "file": None,
        "stats": None,
        "channels": [],
        "verified": None,
    }
    if layer.values is None:
        return entry
    values = layer.values.float().numpy()
    entry["shape"] = list(values.shape)
    if layer.type == "Flatten":
        return entry | {"reason": "the values of the layer before it in one row"}
    channels = [
        {"index": index, **channel_statistics(channel, layer.type)}
        for index, channel in enumerate(values)
    ]
    file = _file(number, layer)
    entry |= {
        "status": "captured",
        "file": file,
        "stats": layer_statistics(values),
        "channels": channels,
    }
    storage.write_bytes(folder / file, _picture(values, entry, model.entry.labels))
    return entry


def _file(number: int, layer: LayerOutput) -> str:
    return f"{number:02}_{layer.key}.png"


def _picture(values: NDArray[Any], entry: dict[str, Any], labels: tuple[str, ...]) -> bytes:
    """Maps as tiles; vectors and 1x1 maps, which have nothing to look at, as numbered cells."""
    shape = "x".join(map(str, values.shape))
    title = "  ·  ".join(filter(None, (entry["paper_name"], entry["name"], entry["type"], shape)))
    stats = entry["stats"]
    subtitle = (
        "no finite value"
        if stats["min"] is None
        else f"layer: {short(stats['min'])} to {short(stats['max'])},"
        f" mean {short(stats['mean'])}, std {short(stats['std'])}"
    )
    marks = {c["index"]: ", ".join(c["flags"]) for c in entry["channels"] if c["flags"]}
    caption = Caption(title, subtitle, marks)
    if values.ndim == 3 and values[0].size > 1:
        return draw_maps(values, caption)
    names = labels if entry["paper_name"] == "OUTPUT" else ()
    return draw_values(values.reshape(-1), caption, names)


def _predictions(
    probabilities: NDArray[np.floating], labels: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Classes from the most probable to the least; ``None`` where the scores are no numbers."""
    return [
        {
            "index": int(i),
            "label": labels[i],
            "probability": float(probabilities[i]) if np.isfinite(probabilities[i]) else None,
        }
        for i in np.argsort(-probabilities, kind="stable")
    ]


def _bars(predictions: list[dict[str, Any]], title: str, *, blank: bool) -> bytes:
    best, share = predictions[0]["label"], predictions[0]["probability"]
    said = f"{title} reads {best}" if share is not None else f"{title}: its scores are no numbers"
    if blank:
        said = f"{title} was shown nothing to read"
    ordered = sorted(predictions, key=lambda prediction: int(prediction["index"]))
    return draw_bars(
        said,
        [(p["label"], math.nan if p["probability"] is None else p["probability"]) for p in ordered],
        "the shares always add up to 100 %, whatever the image shows",
    )
