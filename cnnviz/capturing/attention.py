"""Attention's weights: who looks at what, also where a fused function never has them in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.capturing.watch import Call

Values = Callable[[], Tensor]
Weights = tuple[tuple[int, ...], Values]

FUSED, PLAIN = "scaled_dot_product_attention", "softmax"
FUSED_ARGUMENTS = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")
MODULE_ARGUMENTS = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask")


def is_attention(function: str, around: nn.Module) -> bool:
    """Whether a function called in the code of ``around`` makes attention's weights."""
    return function == FUSED or (function == PLAIN and "Attention" in type(around).__name__)


def weights_of(call: Call) -> Weights | None:
    """The shape (heads, queries, keys) of one image's weights, and what computes them.

    None where they are of several images, or of windows.
    """
    if call.module is not None:
        return _of_module(call.module, call)
    return _of_fused(call) if call.function == FUSED else _of_softmax(call.output)


def _of_softmax(weights: Tensor) -> Weights | None:
    if weights.ndim != 4 or weights.shape[0] != 1:
        return None
    return tuple(weights.shape[1:]), partial(torch.select, weights, 0, 0)


def _of_fused(call: Call) -> Weights | None:
    given = _named(call, FUSED_ARGUMENTS)
    query, key = given["query"], given["key"]
    if query.ndim != 4 or query.shape[:2] != key.shape[:2] or query.shape[0] != 1:
        return None
    return (query.shape[1], query.shape[2], key.shape[2]), partial(_softmax_of, **given)


def _softmax_of(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    **_: Any,
) -> Tensor:
    """softmax(Q K^T / sqrt(d) + mask).

    Source: the definition in ``torch.nn.functional.scaled_dot_product_attention``.
    """
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-2, -1) * factor
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    # A query that may look at nothing does so, where softmax alone would divide 0 by 0.
    blind = scores.isneginf().all(-1, keepdim=True)
    return scores.softmax(-1).masked_fill(blind, 0)[0]


def _of_module(module: nn.Module, call: Call) -> Weights | None:
    """Those of torch's module, which a second pass of it alone gives."""
    if not isinstance(module, nn.MultiheadAttention) or not _is_torchs(module):
        return None
    given = _named(call, MODULE_ARGUMENTS)
    query, key = given["query"], given["key"]
    batch, length = (0, 1) if module.batch_first else (1, 0)
    if query.ndim != 3 or query.shape[batch] != 1:
        return None
    extra = (module.bias_k is not None) + module.add_zero_attn
    shape = (module.num_heads, query.shape[length], key.shape[length] + extra)
    given |= {"need_weights": True, "average_attn_weights": False}

    def weights() -> Tensor:
        found = cast("Tensor", module.forward(**given)[1])  # None only where not asked for
        return found[0]

    return shape, weights


def _is_torchs(module: nn.Module) -> bool:
    return type(module).forward is nn.MultiheadAttention.forward and "forward" not in vars(module)


def _named(call: Call, names: Sequence[str]) -> dict[str, Any]:
    return dict(zip(names, call.inputs, strict=False)) | call.arguments
