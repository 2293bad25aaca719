"""Attention's weights against their definition, computed by hand from queries and keys."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.capturing import LayerOutput, run_and_capture
from cnnviz.models.sources.timm import load_timm
from cnnviz.models.sources.torchvision import load_torchvision
from tests.capturing.made import Does

ROUNDING = 1e-6  # of sums of a few dozen products in another order


def captured(model: nn.Module, *inputs: Tensor) -> dict[str, LayerOutput]:
    run = run_and_capture(model, *inputs, wants=lambda layer: True, check=True)
    assert run.same_output
    return {layer.key: layer for layer in run.layers}


def weights(query: Tensor, key: Tensor, heads: int) -> Tensor:
    """softmax(Q K^T / sqrt(d)) of (L, C) queries and keys, head by head."""
    size = query.shape[1] // heads
    rows = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part].double() @ key[:, part].double().T / math.sqrt(size)
        powers = (scores - scores.amax(1, keepdim=True)).exp()
        rows.append(powers / powers.sum(1, keepdim=True))
    return torch.stack(rows)


def check(found: LayerOutput, expected: Tensor) -> None:
    assert found.values is not None
    assert (found.kind, found.layout) == ("attention", "heads x queries x keys")
    torch.testing.assert_close(found.values.double(), expected, rtol=0, atol=ROUNDING)
    sums = found.values.double().sum(-1)
    torch.testing.assert_close(sums, torch.ones_like(sums), rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch_first", [True, False])
def test_torchs_module_as_its_projections_say(batch_first: bool) -> None:
    torch.manual_seed(0)
    module = nn.MultiheadAttention(8, 2, batch_first=batch_first).eval()
    model = Does(lambda x: model.attn(x, x, x, need_weights=False)[0])
    model.attn = module
    tokens = torch.randn(5, 8)
    found = captured(model, tokens[None] if batch_first else tokens[:, None])
    with torch.inference_mode():
        joined = F.linear(tokens, module.in_proj_weight, module.in_proj_bias)
    query, key, _ = joined.chunk(3, dim=1)
    check(found["attn.weights"], weights(query, key, 2))
    assert found["attn"].shape == (8, 5)
    assert found["attn.out_proj"].reason == "used inside its parent's call"


@pytest.mark.parametrize("truths", [True, False], ids=["truths", "summands"])
def test_query_that_may_look_at_nothing_looks_at_nothing(truths: bool) -> None:
    allowed = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    mask = allowed if truths else torch.zeros(3, 3).masked_fill(~allowed, -math.inf)
    tokens = torch.randn(1, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    model = Does(lambda x: F.scaled_dot_product_attention(x, x, tokens, mask))
    run = run_and_capture(model, tokens, wants=lambda layer: True)
    (found,) = [layer.values for layer in run.layers if layer.field == "weights"]
    assert found is not None
    assert found[0, 1].tolist() == [0, 0, 0]
    torch.testing.assert_close(found @ tokens[0], run.output, rtol=0, atol=ROUNDING)


def test_weights_that_the_module_returns_itself_are_no_map_of_the_image() -> None:
    model = Does(lambda x: model.attn(x, x, x)[0])
    model.attn = nn.MultiheadAttention(8, 2, batch_first=True)
    found = captured(model, torch.randn(1, 5, 8))
    assert found["attn.1"].reason == "not spatial: output is 1x5x5"
    assert found["attn.weights"].shape == (2, 5, 5)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"])
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "not fused"])
def test_timms_attention_fused_and_not_by_its_own_projections(name: str, fused: bool) -> None:
    torch.manual_seed(0)
    model: Any = load_timm().create_model(name, img_size=(96, 64), depth=2, num_classes=3).eval()
    for block in model.blocks:
        block.attn.fused_attn = fused
    image, front = torch.randn(1, 3, 96, 64), model.num_prefix_tokens
    given: list[Tensor] = []
    hook = model.blocks[1].attn.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    found = captured(model, image)
    hook.remove()
    attention = model.blocks[1].attn
    with torch.inference_mode():
        query, key, _ = attention.qkv(given[0][0]).chunk(3, dim=1)
    expected = weights(query, key, attention.num_heads)
    function = "scaled_dot_product_attention" if fused else "softmax"
    check(found[f"blocks.1.attn.{function}.weights"], expected)
    first = found[f"blocks.1.attn.{function}.first_token"]
    assert first.shape == (3, 6, 4)
    torch.testing.assert_close(
        torch.as_tensor(first.values).double(),
        expected[:, 0, front:].reshape(3, 6, 4),
        rtol=0,
        atol=ROUNDING,
    )


def test_torchvisions_vit_has_weights_and_what_the_class_token_looks_at() -> None:
    torch.manual_seed(0)
    vit = load_torchvision().models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3).eval()
    found = captured(vit, torch.randn(1, 3, 32, 32))
    name = "encoder.layers.encoder_layer_1.self_attention"
    whole, first = found[f"{name}.weights"], found[f"{name}.first_token"]
    assert (whole.shape, first.shape) == ((2, 17, 17), (2, 4, 4))
    assert torch.equal(
        torch.as_tensor(first.values), torch.as_tensor(whole.values)[:, 0, 1:].reshape(2, 4, 4)
    )
    assert found[name].shape == (16, 4, 4)


MASK = torch.randn(5, 5, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    "how",
    [
        {"is_causal": True},
        {"attn_mask": MASK},
        {"attn_mask": MASK > -1},
        {"scale": 0.3},
        {},
    ],
    ids=["causal", "added mask", "mask of truths", "scale", "plain"],
)
def test_weights_of_the_fused_function_give_its_output(how: dict[str, Any]) -> None:
    """Attention is linear in the values: with the unit matrix for them it is its weights."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 2, 5, 4)
    unit = torch.eye(5).expand(1, 2, 5, 5)
    model = Does(lambda q, k: F.scaled_dot_product_attention(q, k, model.values(), **how))
    model.values = Does(lambda: unit)
    found = captured(model, query, key)["scaled_dot_product_attention.weights"]
    expected = F.scaled_dot_product_attention(query, key, unit, **how)[0]
    torch.testing.assert_close(torch.as_tensor(found.values), expected, rtol=0, atol=ROUNDING)


def test_attention_of_several_windows_is_named_as_such() -> None:
    model = Does(lambda q: F.scaled_dot_product_attention(q, q, q))
    found = captured(model, torch.randn(3, 2, 5, 4))["scaled_dot_product_attention.weights"]
    assert (found.values, found.reason) == (None, "attention of several windows or images")
