"""What a run would do: every layer's call, and which of them are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnnviz.capturing import Hints, survey
from cnnviz.featuremaps.selection import Selection, select
from cnnviz.models.building.quick_import import compiler_left_out
from cnnviz.models.building.unallocated import meta_copy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from cnnviz.capturing import LayerOutput

SINGLE = 4  # bytes of a float32


@dataclass(frozen=True)
class Plan:
    """The calls of one run in their order, blocks included, and the selection among them."""

    layers: list[LayerOutput]
    selection: Selection

    @property
    def shown(self) -> list[LayerOutput]:
        """The layers that are drawn."""
        return [layer for layer in self.layers if layer in self.selection]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """What is drawn has these shapes, (C, …)."""
        return [layer.shape for layer in self.shown if layer.shape]

    @property
    def total(self) -> int:
        """How many entries the manifest has."""
        return sum(layer.kind != "block" or layer in self.selection for layer in self.layers)


def plan(
    model: nn.Module,
    inputs: Sequence[Tensor],
    patterns: Sequence[str] = (),
    maps: str | None = None,
) -> Plan:
    """What a run of ``model`` would put out, found without computing it where that is possible.

    It runs on torch's meta device, where tensors have a shape and no values; a model whose code
    needs values runs as it is.

    Raises:
        UsageError: a pattern matches no layer.
        CnnvizError: the model failed.
    """
    hints = Hints.of(model, maps)
    try:
        bare: list[Any] = [tensor.to("meta") for tensor in inputs]
        with compiler_left_out():
            found = survey(meta_copy(model), *bare, hints=hints)
    except Exception:  # what code that looks at values raises without any
        found = survey(model, *inputs, hints=hints)
    return Plan(found.layers, select(found.layers, patterns))


def memory_of(layer: LayerOutput) -> int:
    """Bytes of a layer's values, as float32."""
    return 0 if layer.shape is None else SINGLE * int(torch.Size(layer.shape).numel())
