"""Grad-CAM: where in the image the evidence for a class lies, as one layer sees it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cnnviz.capturing.outputs import outputs_of
from cnnviz.capturing.reading import read
from cnnviz.capturing.watch import Watch
from cnnviz.errors import CnnvizError, UsageError, spoken
from cnnviz.featuremaps.predictions import SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.capturing import Hints, LayerOutput
    from cnnviz.capturing.watch import Call

AUTO = "auto"
NEAREST = 24  # calls before the output, among which "auto" looks for one with a gradient


@dataclass(frozen=True)
class Evidence:
    """A map (h, w) of what in layer ``layer`` speaks for the class, 0 and above."""

    layer: str
    index: int
    values: NDArray[Any]


@dataclass
class _Seen:
    """A layer's maps (C, h, w) and, once it has arrived, the gradient of the score by them."""

    key: str
    maps: Tensor
    gradient: Tensor | None = None


def grad_cam(
    model: nn.Module,
    image: Tensor,
    layer: str = AUTO,
    index: int | None = None,
    hints: Hints | None = None,
) -> Evidence:
    """What speaks for class ``index`` of ``model``'s output, by default the first one.

    The maps of ``layer`` are added up, each times the mean gradient of the class's score by it,
    and what is below 0 is cut off. ``layer`` is a key as a capture gives it; "auto" is the last
    one with rows and columns on which the score depends, which leaves out a transformer's tokens
    that nobody reads. The score is the model's output as it is, before any softmax of ours.

    Raises:
        UsageError: there is no such class.
        CnnvizError: the model has no scores, or its gradients cannot be had.

    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", 2017, equations 1 and 2.
    """
    gathered = _Gathered(model, layer, hints)
    with torch.inference_mode(False), torch.enable_grad():
        scores = gathered.run(image)
        chosen = int(scores.argmax()) if index is None else index
        if chosen >= len(scores):
            raise UsageError(f"--class {chosen}: the model has {len(scores)} classes, from 0 on")
        try:
            scores[chosen].backward()
        except RuntimeError as error:
            said = "Grad-CAM needs gradients, and the model's output has none"
            raise CnnvizError(f"{said}; leave --cam out") from error
    key, maps, gradient = gathered.best()
    weights = gradient.double().mean(dim=(1, 2))
    total = torch.einsum("c,chw->hw", weights, maps.double()).clamp(min=0)
    return Evidence(key, chosen, total.cpu().float().numpy())


class _Gathered:
    """One run with gradients, in which the maps of the layers that may be explained are kept."""

    def __init__(self, model: nn.Module, layer: str, hints: Hints | None) -> None:
        from cnnviz.capturing import Hints

        self.model, self.layer = model, layer
        self.hints = hints or Hints.of(model)
        self.seen: deque[_Seen] = deque(maxlen=NEAREST)

    def run(self, image: Tensor) -> Tensor:
        """The scores of the classes."""
        modes = {module: module.training for module in self.model.modules()}
        wanted = [(param, param.requires_grad) for param in self.model.parameters()]
        try:
            self.model.eval().requires_grad_(False)  # of the input alone: it takes less
            given = image.detach().clone().requires_grad_()
            self.watch = Watch(self.model, self._on_call, self.hints)
            with self.watch:
                output = self.model(given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a model is somebody's code: it raises what it likes, exits
            said = spoken(error)
            raise CnnvizError(f"the model failed when gradients were asked for: {said}") from error
        finally:
            for module, mode in modes.items():
                module.training = mode
            for param, requires in wanted:
                param.requires_grad_(requires)
        return scores_of(output)

    def _on_call(self, call: Call) -> None:
        output = call.output
        if not isinstance(output, Tensor) or not output.requires_grad:
            return
        (layer, values), *_ = outputs_of(call, self.watch.layout_of, self.hints, self.watch.grid)
        wanted = layer.key == self.layer or (self.layer == AUTO and _is_sure(layer))
        if values is None or not may_explain(layer) or not wanted:
            return
        layout = self.watch.layout_of(output)
        seen = _Seen(layer.key, values().detach().clone())  # a later layer may work in place
        self.seen.append(seen)

        def receive(gradient: Tensor) -> None:
            seen.gradient = read(gradient, layout, self.hints).values

        # On the tensor as it is now, before anything works in place on it.
        output.register_hook(receive)

    def best(self) -> tuple[str, Tensor, Tensor]:
        """The last layer that the score depends on: its key, its maps, and their gradient."""
        for seen in reversed(self.seen):
            if seen.gradient is not None and (self.layer != AUTO or bool(seen.gradient.any())):
                return seen.key, seen.maps, seen.gradient
        which = "any layer with rows and columns" if self.layer == AUTO else self.layer
        raise CnnvizError(f"Grad-CAM has nothing to show: the score does not depend on {which}")


def scores_of(output: Any) -> Tensor:
    """The (classes,) scores in a model's output for one image.

    Raises:
        CnnvizError: there are none.
    """
    if isinstance(output, dict):
        named = [output[name] for name in SCORES if name in output]
        output = named[0] if named else output
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    flat = output.squeeze() if isinstance(output, Tensor) else None
    if flat is None or flat.ndim != 1 or flat.numel() < 2:
        size = "x".join(map(str, output.shape)) if isinstance(output, Tensor) else ""
        what = size or f"a {type(output).__name__}"
        raise CnnvizError(f"--cam explains the score of a class, and the model's output is {what}")
    return flat


def may_explain(layer: LayerOutput) -> bool:
    """Whether a layer has maps that can be laid over the image."""
    return (
        layer.shape is not None
        and len(layer.shape) == 3
        and min(layer.shape[1:]) > 1
        and layer.kind != "attention"
        and not layer.field
    )


def _is_sure(layer: LayerOutput) -> bool:
    """Whether these are maps of features, and not a transformer's heads, queries and keys."""
    return "assumed" not in (layer.layout or "") and layer.kind != "linear"


def refuse_layer(layers: Sequence[LayerOutput], name: str) -> None:
    """Raise a ``UsageError`` where ``name`` is no layer among ``layers`` that may explain."""
    known = [layer.key for layer in layers if may_explain(layer)]
    if name == AUTO or name in known:
        return
    named = [layer for layer in layers if layer.key == name]
    if named:
        size = "x".join(map(str, named[0].shape or ())) or "nothing"
        raise UsageError(f"--cam {name}: it puts out {size}, no maps; auto is the last with maps")
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"--cam {name}: no layer is called that; {hint}auto is the last with maps")


def class_index(asked: str, labels: Sequence[str]) -> int:
    """The number of the class that ``asked`` names or numbers.

    Raises:
        UsageError: no class is called that.
    """
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        return int(asked)
    lower = [label.lower() for label in labels]
    if asked.lower() in lower:
        return lower.index(asked.lower())
    if not labels:
        raise UsageError(f"--class {asked}: the classes have no names; give a number, or --labels")
    close = get_close_matches(asked.lower(), lower, n=1)
    hint = f"; did you mean {labels[lower.index(close[0])]}?" if close else ""
    raise UsageError(f"--class {asked}: none of the {len(labels)} classes is called that{hint}")
