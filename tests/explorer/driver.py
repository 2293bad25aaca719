"""A small run of a model that fills a page, as ``cnnviz featuremaps`` does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.capturing import LayerOutput, run_and_capture
from cnnviz.capturing.run import is_leaf
from cnnviz.explorer import Convolution, Explorer, Head, LayerFacts, Page, PageOptions
from cnnviz.statistics import channel_statistics, layer_statistics
from cnnviz.summary.model import summarize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cnnviz.capturing.watch import Call

Values = dict[str, "NDArray[np.float32]"]


@dataclass
class Driven:
    """The page of a run, and the values that the layers put out, by key."""

    page: Page
    manifest: dict[str, Any]
    values: Values = field(default_factory=dict)

    @property
    def html(self) -> str:
        return self.page.files["index.html"].decode()


def drive(
    module: nn.Module,
    tensor: Tensor,
    options: PageOptions | None = None,
    *,
    head: Mapping[str, Any] | None = None,
    paper_names: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    wants: str = "",
    about: Mapping[str, Any] | None = None,
) -> Driven:
    """The page of ``module`` on ``tensor`` (1, C, H, W); ``wants`` is a pattern of layers' keys."""
    seen = tensor[0].numpy()
    said = {"title": "a network on an image", "model": "lenet", **(head or {})}
    explorer = Explorer(Head(picture=_picture(seen), tensor=seen, **said), options or PageOptions())
    summary = summarize(module, tuple(tensor.shape[1:]))
    known = {layer.key: layer for layer in summary.layers}
    entries: list[dict[str, Any]] = []
    values: Values = {}
    places: dict[int, str] = {}
    alive: list[Tensor] = []  # so that no later tensor takes an earlier one's place

    def receive(layer: LayerOutput, call: Call) -> None:
        reads = "input" if not places else places.get(_address(call.inputs))
        if layer.values is None:
            entries.append(_entry(len(entries) + 1, layer, paper_names or {}))
            return
        numbers = layer.values.numpy()
        values[layer.key] = numbers
        entry = _entry(len(entries) + 1, layer, paper_names or {}, numbers)
        entries.append(entry)
        if isinstance(call.output, Tensor):
            places[call.output.data_ptr()] = layer.key
            alive.append(call.output)
        row = known.get(layer.key)
        named = tuple(labels) if len(labels) == len(numbers) and numbers.ndim == 1 else ()
        facts = LayerFacts(
            row.fields if row and len(row.fields) == 2 and numbers.ndim == 3 else (),
            _convolution(call.module, reads),
            row.params if row else None,
            named,
        )
        explorer.add(entry, numbers, facts)

    run = run_and_capture(
        module,
        tensor,
        wants=lambda layer: is_leaf(layer) and bool(re.search(wants, layer.key)),
        receive=receive,
    )
    for layer in run.layers[len(entries) :]:
        entries.append(_entry(len(entries) + 1, layer, paper_names or {}))
    manifest = {
        "cnnviz": "test",
        "image": "samples/digit_7.png",
        "predictions": _predictions(run.output, labels),
        "predictions_from": "softmax of the model's scores",
        "layers": entries,
        "weights": {"source": "trained"},
        "preprocess": {"steps": ["as it is"], "input": list(tensor.shape[1:]), "blank": False},
        "scale": "channel",
        "colors": "viridis",
        **(about or {}),
    }
    return Driven(explorer.html(manifest), manifest, values)


def _address(inputs: Any) -> int:
    return inputs[0].data_ptr() if inputs and isinstance(inputs[0], Tensor) else -1


def _entry(
    number: int,
    layer: LayerOutput,
    paper_names: Mapping[str, str],
    values: NDArray[np.float32] | None = None,
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "index": number,
        "name": layer.name,
        "paper_name": paper_names.get(layer.name),
        "type": layer.type,
        "kind": layer.kind,
        "call": layer.call,
        "shape": list(layer.shape) if layer.shape else None,
        "layout": layer.layout,
        "status": "skipped",
        "reason": layer.reason,
        "stats": None,
        "channels": [],
        "verified": None,
    }
    if values is None:
        return entry
    channels = channel_statistics(values, layer.type)
    verified = {"values": 1536, "channels": [1], "max_abs_diff": 2.4e-7, "tolerance": 1.1e-5}
    return entry | {
        "status": "captured",
        "stats": layer_statistics(values),
        "channels": [{"index": n, **channel} for n, channel in enumerate(channels)],
        "verified": verified if layer.kind == "conv" else None,
    }


def _convolution(module: nn.Module | None, reads: str | None) -> Convolution | None:
    if not isinstance(module, nn.Conv2d) or not isinstance(module.padding, tuple):
        return None
    return Convolution(
        module.weight.detach().numpy(),
        None if module.bias is None else module.bias.detach().numpy(),
        reads,
        (module.stride[0], module.stride[1]),
        (module.padding[0], module.padding[1]),
        (module.dilation[0], module.dilation[1]),
        module.groups,
    )


def _picture(seen: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = float(seen.min()), float(seen.max())
    levels = np.rint(255 * (seen - low) / max(high - low, 1e-9)).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _predictions(output: Tensor, labels: Sequence[str]) -> list[dict[str, Any]]:
    shares = torch.softmax(output.flatten(), 0)
    order = torch.argsort(shares, descending=True).tolist()
    names = labels if len(labels) == len(shares) else [f"class {n}" for n in range(len(shares))]
    return [{"index": n, "label": names[n], "probability": float(shares[n])} for n in order]
