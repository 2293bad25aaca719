"""What a call put out, as one or several layers' outputs: fields, attention, reasons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from cnnviz.capturing.layout import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnviz.capturing.layout import Grid, Hints, Layout
    from cnnviz.capturing.watch import Call

NOT_SELECTED, NEVER_RAN = "not selected", "never ran"
INSIDE_PARENT = "used inside its parent's call"
WEIGHTS, FIRST_TOKEN = "weights", "first_token"  # fields of attention
ATTENTION_CALLS = ("scaled_dot_product_attention",)
FUSED_ARGUMENTS = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")
MODULE_ARGUMENTS = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask")
DEEPEST = 4  # levels of fields within fields


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


Values = Callable[[], Tensor]


def outputs_of(
    call: Call, layout_of: Callable[[Tensor], Layout | None], hints: Hints, grid: Grid | None
) -> Iterator[tuple[LayerOutput, Values | None]]:
    """What there is to keep of a call: a description without values, and what gives the values.

    They are a view into the model's own tensor. ``grid`` is that of the image's tokens.
    """
    if call.function in ATTENTION_CALLS:
        yield from _attention(call, *_heads_of_function(call), hints, grid)
        return
    found = list(_fields(call.output))
    if not found:
        yield _described(call, reason=_no_tensor(call.output)), None
    for field, tensor in found:
        view = read(tensor, layout_of(tensor), hints)
        shape = None if view.values is None else tuple(view.values.shape)
        said = _described(call, field if len(found) > 1 else "", shape, view.said, view.reason)
        yield said, None if view.values is None else partial(_same_object, view.values)
    if isinstance(call.module, nn.MultiheadAttention):
        yield from _attention(call, *_heads_of_module(call.module, call), hints, grid)


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


def _no_tensor(output: Any) -> str:
    if output is None:
        return "it returned nothing"
    return f"unknown output type {type(output).__name__}"


def _fields(output: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """The tensors in tuples, dicts and dataclasses, with the way to each."""
    if isinstance(output, Tensor):
        yield path, output
        return
    if depth < DEEPEST:
        for name, value in _parts(output):
            yield from _fields(value, f"{path}.{name}".lstrip("."), depth + 1)


def _parts(output: Any) -> list[tuple[str, Any]]:
    if isinstance(output, dict):
        return [(str(name), value) for name, value in output.items()]
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(zip(output._fields, output, strict=True))
    if isinstance(output, (tuple, list)):
        return [(str(n), value) for n, value in enumerate(output)]
    if is_dataclass(output):
        return [(part.name, getattr(output, part.name)) for part in fields(output)]
    return []


def _attention(
    call: Call, shape: tuple[int, ...] | None, weights: Values, hints: Hints, grid: Grid | None
) -> Iterator[tuple[LayerOutput, Values | None]]:
    """Who looks at what: for each head a map of queries by keys.

    And where the tokens are an image's with a class token in front, what that looks at.
    """
    if shape is None:
        return
    said = replace(_described(call, WEIGHTS, shape, "heads x queries x keys"), kind="attention")
    yield said, weights
    if hints.prefix and grid and shape[2] == hints.prefix + math.prod(grid):
        front = hints.prefix

        def of_class() -> Tensor:
            looked: Tensor = weights()[:, 0, front:].unflatten(1, grid)
            return looked

        words = "heads x rows x columns: what the first token looks at"
        yield replace(said, field=FIRST_TOKEN, shape=(shape[0], *grid), layout=words), of_class


def _heads_of_function(call: Call) -> tuple[tuple[int, ...] | None, Values]:
    """The shape of attention's weights for one image, and what computes them."""
    given = _named(call, FUSED_ARGUMENTS)
    query, key = given["query"], given["key"]
    plain = query.ndim == 4 and query.shape[:2] == key.shape[:2] and query.shape[0] == 1
    shape = (query.shape[1], query.shape[2], key.shape[2]) if plain else None
    return shape, partial(_softmax_of, **given)


def _softmax_of(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    **_: Any,
) -> Tensor:
    """softmax(Q K^T / sqrt(d) + mask), which the fused function never has in memory.

    Source: the definition in ``torch.nn.functional.scaled_dot_product_attention``.
    """
    scores = query @ key.transpose(-2, -1) * (scale or 1 / math.sqrt(query.shape[-1]))
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1)[0]


def _heads_of_module(
    module: nn.MultiheadAttention, call: Call
) -> tuple[tuple[int, ...] | None, Values]:
    """The same of torch's module, whose weights a second pass of it alone gives."""
    given = _named(call, MODULE_ARGUMENTS)
    query, key = given["query"], given["key"]
    batch, length = (0, 1) if module.batch_first else (1, 0)
    plain = query.ndim == 3 and query.shape[batch] == 1
    shape = (module.num_heads, query.shape[length], key.shape[length]) if plain else None
    given |= {"need_weights": True, "average_attn_weights": False}

    def weights() -> Tensor:
        found = cast("Tensor", module.forward(**given)[1])  # None only where not asked for
        return found[0]

    return shape, weights


def _named(call: Call, names: Sequence[str]) -> dict[str, Any]:
    return dict(zip(names, call.inputs, strict=False)) | call.arguments


def never_ran(
    module: nn.Module, name: str, names: Mapping[nn.Module | None, tuple[str, ...]], *, read: bool
) -> LayerOutput:
    """The entry of a module that was not called; ``read``: a function was given its weights."""
    reason = INSIDE_PARENT if read else NEVER_RAN
    return LayerOutput(name, type(module).__name__, 1, None, reason, aliases=names[module][1:])
