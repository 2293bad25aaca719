"""What a call put out, as one or several layers' outputs: fields, attention, reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from cnnviz.capturing.attention import weights_of
from cnnviz.capturing.fields import fields_of
from cnnviz.capturing.reading import read
from cnnviz.errors import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnviz.capturing.attention import Values
    from cnnviz.capturing.hints import Hints
    from cnnviz.capturing.layout import Grid, Layout
    from cnnviz.capturing.watch import Call

NOT_SELECTED, NEVER_RAN = "not selected", "never ran"
INSIDE_PARENT = "used inside its parent's call"
MADE_MEANWHILE = "made while the model ran, so nothing listened to it"
IN_TORCHSCRIPT = "TorchScript, whose parts nothing can listen to"
OF_SEVERAL = "attention of several windows or images"
WEIGHTS, FIRST_TOKEN = "weights", "first_token"  # fields of attention
RETURNED = "returned"  # before a field that has the name of one of the module's own parts


@dataclass(frozen=True)
class LayerOutput:
    """One tensor of one call: captured with its ``values``, or skipped with the ``reason``.

    ``values`` is a float32 copy without the batch axis and channels first: (C, H, W), (C,) for a
    vector, (C, L) for a sequence, (C, D, H, W) for a volume; ``shape`` is its shape, also where
    nothing was kept. ``name`` is torch's dotted path; ``call`` counts from 1; ``field`` names the
    tensor where the call returned several. ``layout`` are the axes as they were read, N images,
    C channels. ``aliases`` are further names of the same module. ``kind`` is one of ``KINDS``.
    """

    name: str
    type: str
    call: int
    values: Tensor | None
    reason: str | None = None
    kind: str = "other"
    field: str = ""
    shape: tuple[int, ...] | None = None
    layout: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name and field, with ``#call`` from the second call on."""
        name = f"{self.name}.{self.field}" if self.field else self.name
        return name if self.call == 1 else f"{name}#{self.call}"


def outputs_of(
    call: Call, layout_of: Callable[[Tensor], Layout | None], hints: Hints, grid: Grid | None
) -> Iterator[tuple[LayerOutput, Values | None]]:
    """What there is to keep of a call: a description without values, and what gives the values.

    They are a view into the model's own tensor. ``grid`` is that of the image's tokens.
    """
    if call.function and call.kind == "attention":
        yield from _attention(call, hints, grid)
        return
    found = list(fields_of(call.output))
    if not found:
        yield _described(call, reason=_no_tensor(call.output)), None
    for field, tensor in found:
        view = read(tensor, layout_of(tensor), hints)
        shape = None if view.values is None else tuple(view.values.shape)
        name = _field_name(call, field) if len(found) > 1 else ""
        said = _described(call, name, shape, view.said, view.reason)
        yield said, None if view.values is None else partial(_same_object, view.values)
    if isinstance(call.module, nn.MultiheadAttention):
        yield from _attention(call, hints, grid)


def _described(
    call: Call,
    field: str = "",
    shape: tuple[int, ...] | None = None,
    said: str | None = None,
    reason: str | None = None,
) -> LayerOutput:
    return LayerOutput(call.name, call.type, call.call, None, reason, call.kind, field, shape, said)


def _same_object(values: Tensor) -> Tensor:
    return values


def _field_name(call: Call, field: str) -> str:
    parts = {} if call.module is None else call.module._modules
    return f"{RETURNED}.{field}" if field.partition(".")[0] in parts else field


def _no_tensor(output: Any) -> str:
    if output is None:
        return "it returned nothing"
    if isinstance(output, Exception):
        return f"it failed: {spoken(output)}"
    return f"unknown output type {type(output).__name__}"


def _attention(
    call: Call, hints: Hints, grid: Grid | None
) -> Iterator[tuple[LayerOutput, Values | None]]:
    """Who looks at what: for each head a map of queries by keys.

    And where the tokens are an image's with a class token in front, what that looks at.
    """
    found = None if isinstance(call.output, Exception) else weights_of(call)
    if found is None:
        yield replace(_described(call, WEIGHTS, reason=OF_SEVERAL), kind="attention"), None
        return
    shape, weights = found
    said = replace(_described(call, WEIGHTS, shape, "heads x queries x keys"), kind="attention")
    yield said, weights
    if hints.prefix and grid and shape[2] == hints.prefix + math.prod(grid):
        front = hints.prefix

        def of_first() -> Tensor:
            looked: Tensor = weights()[:, 0, front:].unflatten(1, grid)
            return looked

        words = "heads x rows x columns: what the first token looks at"
        yield replace(said, field=FIRST_TOKEN, shape=(shape[0], *grid), layout=words), of_first
