"""``manifest.json``: what was run on what, and every layer's figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnviz.statistics import channel_statistics, layer_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cnnviz.capturing import LayerOutput, Run
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared

IN_A_ROW = "the values of the layer before it in one row"


def head_of(
    model: LoadedModel, prepared: Prepared, run: Run, options: MapOptions
) -> dict[str, Any]:
    """What a manifest says of the run before any layer."""
    from cnnviz.featuremaps.placing import place_of  # torch: not where stored maps are drawn

    place = place_of(model.module)
    return {
        "weights": {"source": model.weights.source, **model.weights.about},
        "notes": [*model.notes, *model.weights.notes, *run.notes],
        "preprocess": {
            "recipe": None if model.recipe is None else asdict(model.recipe),
            "steps": prepared.steps,
            "input": list(prepared.tensor.shape[1:]),
            "blank": prepared.blank,
        },
        "device": place.device,
        "precision": place.precision,
        "hooks_change_nothing": run.same_output,
        "restored_buffers": list(run.restored),
        "scale": options.look.scale,
        "colors": options.look.colors,
    }


def entry_of(number: int, layer: LayerOutput, paper_names: Mapping[str, str]) -> dict[str, Any]:
    """A layer's entry as long as nothing is known of its values."""
    return {
        "index": number,
        "name": f"{layer.name}.{layer.field}" if layer.field else layer.name,
        "paper_name": None if layer.field else paper_names.get(layer.name),
        "type": layer.type,
        "kind": layer.kind,
        "call": layer.call,
        "aliases": list(layer.aliases),
        "shape": None if layer.shape is None else list(layer.shape),
        "layout": layer.layout,
        "status": "skipped",
        "reason": layer.reason,
        "file": None,
        "overlay": None,
        "filters": None,
        "stats": None,
        "channels": [],
        "verified": None,
    }


def measured(entry: dict[str, Any], values: NDArray[Any]) -> dict[str, Any]:
    """The entry with the statistics of its (C, …) values."""
    activation = entry["type"]
    if activation == "function":
        activation = entry["name"].rpartition(".")[2]
    channels = channel_statistics(values, activation)
    return entry | {
        "status": "captured",
        "stats": layer_statistics(values),
        "channels": [{"index": n, **channel} for n, channel in enumerate(channels)],
    }


def as_text(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as JSON: a line per key, per layer and per channel, so that it can be read."""
    lines = []
    for key, value in manifest.items():
        if key == "layers":
            inner = ",\n".join(_layer(layer) for layer in value)
            lines.append(f' "layers": [\n{inner}\n ]')
        else:
            lines.append(f" {json.dumps(key)}: {_dumped(value)}")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    return text.encode("utf-8", "backslashreplace")


def _layer(layer: Mapping[str, Any]) -> str:
    rest = _dumped({key: value for key, value in layer.items() if key != "channels"})
    channels = ",\n".join(f"    {_dumped(channel)}" for channel in layer["channels"])
    inner = f"[\n{channels}\n  ]" if channels else "[]"
    return f'  {rest[:-1]},\n   "channels": {inner}}}'


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
