"""Runs a model and keeps what each of its layers put out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LayerOutput:
    """One call of one layer: captured with its ``values``, or skipped with the ``reason``.

    ``values`` is a copy without the batch axis: (C, H, W), or (C,) for a vector. ``name`` is
    torch's dotted path; ``call`` counts from 1.
    """

    name: str
    type: str
    call: int
    values: Tensor | None
    reason: str | None = None

    @property
    def key(self) -> str:
        """The name, with ``#call`` from the second call on."""
        return self.name if self.call == 1 else f"{self.name}#{self.call}"


@dataclass(frozen=True)
class Run:
    """A model's output for one input, and its layers in call order.

    ``output`` is without the batch axis where it is a tensor, else as the model returns it.
    Layers that never ran come last.
    """

    output: Any
    layers: list[LayerOutput]


def run_and_capture(model: nn.Module, images: Tensor) -> Run:
    """Run ``model`` on one image, (1, C, H, W), and keep every leaf layer's output.

    The model runs in eval mode without gradients, and is left in the mode it was in, without
    hooks. Outputs are copied as they appear, because a later layer may work in place.

    Raises:
        CnnvizError: the model failed on this input; names the layer, or the last one before.
    """
    layers: list[LayerOutput] = []
    calls: Counter[str] = Counter()
    leaves = dict(_leaves(model))
    modes = {module: module.training for module in model.modules()}
    place = ""

    def before(name: str, *_: Any) -> None:
        nonlocal place
        place = f" in layer {name}"

    def after(name: str, module: nn.Module, _: Any, output: Any) -> None:
        nonlocal place
        place = f" after layer {name}"  # a parent's own code may fail between two layers
        calls[name] += 1
        layers.append(_kept(name, type(module).__name__, calls[name], output))

    hooks = []
    try:
        for name, module in leaves.items():
            hooks.append(module.register_forward_pre_hook(partial(before, name)))
            hooks.append(module.register_forward_hook(partial(after, name)))
        model.eval()
        with torch.inference_mode():
            output = model(images)
    except Exception as error:  # a model is somebody's code and raises what it likes
        raise CnnvizError(f"the model failed{place}: {type(error).__name__}: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    layers += [
        LayerOutput(name, type(module).__name__, 1, None, "never ran")
        for name, module in leaves.items()
        if not calls[name]
    ]
    return Run(output[0] if isinstance(output, Tensor) and output.ndim else output, layers)


def feature_maps(model: nn.Module, images: Tensor) -> dict[str, NDArray[np.float32]]:
    """Each layer's output for one image, (1, C, H, W): arrays of (C, H, W) or (C,) by name.

    Keys are torch's dotted names, with ``#2``, ``#3``, … for further calls of a layer.

    Raises:
        CnnvizError: the model failed on this input.
    """
    run = run_and_capture(model, images)
    return {
        layer.key: layer.values.float().numpy() for layer in run.layers if layer.values is not None
    }


def _leaves(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers that contain no others, by dotted name; a model that is one layer is its own."""
    for name, module in model.named_modules():
        if not any(module.children()):
            yield name or type(module).__name__, module


def _kept(name: str, kind: str, call: int, output: Any) -> LayerOutput:
    if not isinstance(output, Tensor):
        found = type(output).__name__
        return LayerOutput(name, kind, call, None, f"unknown output type {found}")
    shape = "x".join(map(str, output.shape)) or "a single number"
    if output.ndim not in {2, 4}:
        return LayerOutput(name, kind, call, None, f"not spatial: output is {shape}")
    if output.shape[0] != 1:
        return LayerOutput(name, kind, call, None, f"not of one image: output is {shape}")
    if not output.numel():
        return LayerOutput(name, kind, call, None, "empty output")
    # .detach().cpu() would copy nothing on a CPU.
    return LayerOutput(name, kind, call, output[0].detach().to("cpu", copy=True))
