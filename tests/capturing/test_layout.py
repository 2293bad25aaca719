"""How axes are read: followed from operation to operation, and never told from a size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.capturing import Hints, LayerOutput, run_and_capture
from cnnviz.models.sources.timm import load_timm
from cnnviz.models.sources.torchvision import load_torchvision
from tests.capturing.made import IMAGE, Does

SQUARE = torch.arange(4.0 * 4 * 4).reshape(1, 4, 4, 4)  # as many channels as rows and columns


def layers_of(model: nn.Module, image: Tensor, **how: Any) -> dict[str, LayerOutput]:
    run = run_and_capture(model, image, wants=lambda layer: True, **how)
    return {layer.key: layer for layer in run.layers}


def after(do: Callable[[Tensor], Tensor]) -> LayerOutput:
    """The output of a module that does it to an image with as many channels as rows."""
    return layers_of(nn.Sequential(Does(do)), SQUARE)["0"]


def in_order(tensor: Tensor, order: tuple[int, ...]) -> Tensor:
    return tensor[0].permute(order)


FIRST, MOVED = (0, 1, 2), (2, 0, 1)


@pytest.mark.parametrize(
    ("do", "layout"),
    [
        (lambda x: x * 2, "NCHW"),
        (lambda x: x.permute(0, 2, 3, 1), "NHWC"),
        (lambda x: x.permute(dims=[0, 2, 3, 1]), "NHWC"),
        (lambda x: torch.permute(x, (0, -2, -1, 1)), "NHWC"),
        (lambda x: x.transpose(1, -1), "NWHC"),
        (lambda x: x.mT, "NCWH"),
        (lambda x: x.movedim(1, -1), "NHWC"),
        (lambda x: torch.moveaxis(x, (2, 3), (1, 2)), "NHWC"),
        (lambda x: x.permute(0, 2, 3, 1) + x.permute(0, 2, 3, 1), "NHWC"),
        (lambda x: F.linear(x.permute(0, 2, 3, 1), torch.eye(4)), "NHWC"),
        (lambda x: x.permute(0, 2, 3, 1) @ torch.eye(4), "NHWC"),
        (lambda x: x.permute(0, 2, 3, 1)[:, ::2], "NHWC"),
        (lambda x: x.permute(0, 2, 3, 1)[..., :3], "NHWC"),
        (lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)), "NHWC"),
        (lambda x: F.conv2d(x.permute(0, 2, 3, 1), torch.ones(4, 4, 1, 1)), "NCHW"),
        (lambda x: x.flatten(2).unflatten(2, (4, 4)), "NCHW"),
        (lambda x: x.permute(0, 2, 3, 1).reshape(1, 16, 4).view(1, 4, 4, 4), "NHWC"),
        (lambda x: torch.cat([x, x]).chunk(2)[0].permute(0, 2, 3, 1), "NHWC"),
        (lambda x: x.reshape(4, 4, 2, 2).reshape(1, 4, 4, 4), "NCHW (assumed)"),
        (lambda x: torch.einsum("nchw->nhwc", x), "NCHW (assumed)"),
    ],
)
def test_axes_are_followed_where_every_size_is_the_same(
    do: Callable[[Tensor], Tensor], layout: str
) -> None:
    layer = after(do)
    assert layer.layout == layout
    axes = layout.partition(" ")[0][1:]
    assert layer.values is not None
    assert torch.equal(layer.values, do(SQUARE)[0].movedim(axes.index("C"), 0))


@pytest.mark.parametrize(
    ("do", "shape", "layout"),
    [
        (lambda x: x.mean(1), (1, 4, 4), "NHW"),
        (lambda x: x.amax(dim=1), (1, 4, 4), "NHW"),
        (lambda x: x[:, 2], (1, 4, 4), "NHW"),
        (lambda x: x.select(1, 0), (1, 4, 4), "NHW"),
        (lambda x: x[0], (4, 4, 4), "CHW"),
        (lambda x: x.permute(0, 2, 3, 1)[0], (4, 4, 4), "HWC"),
        (lambda x: x.mean((2, 3)), (4,), "NC"),
        (lambda x: x.permute(0, 2, 3, 1).mean(dim=(1, 2)), (4,), "NC"),
        (lambda x: x.sum(3), (4, 4), "NCH"),
        (lambda x: x.mean(1, keepdim=True), (1, 4, 4), "NCHW"),
        (lambda x: x.flatten(1), (64,), "NC"),
    ],
)
def test_axes_that_are_summed_over_are_gone(
    do: Callable[[Tensor], Tensor], shape: tuple[int, ...], layout: str
) -> None:
    layer = after(do)
    assert (layer.shape, layer.layout) == (shape, layout)


def test_users_word_on_layout_goes_before_what_is_usual_and_not_before_what_is_known() -> None:
    model = nn.Sequential(
        Does(lambda x: x.reshape(4, 2, 8).reshape(1, 4, 4, 4)), nn.Conv2d(4, 4, 1)
    )
    found = layers_of(model, SQUARE, hints=Hints.of(model, "NHWC"))
    assert found["0"].layout == "NHWC (assumed)"
    assert found["1"].layout == "NCHW"
    assert torch.equal(torch.as_tensor(found["0"].values), in_order(SQUARE, MOVED))
    usual = layers_of(model, SQUARE)["0"]
    assert torch.equal(torch.as_tensor(usual.values), in_order(SQUARE, FIRST))


@pytest.mark.parametrize("home", ["torchvision", "timm"])
def test_swins_maps_have_channels_first_by_the_models_own_word(home: str) -> None:
    torch.manual_seed(0)
    models = load_torchvision().models
    if home == "torchvision":
        model = models.SwinTransformer([4, 4], 24, [1, 1], [2, 2], [7, 7], num_classes=3)
    else:
        model = load_timm().create_model(
            "swin_tiny_patch4_window7_224",
            img_size=96,
            embed_dim=24,
            depths=(1, 1),
            num_heads=(2, 2),
        )
    is_torchvisions = home == "torchvision"
    parts = model.features[:2] if is_torchvisions else (model.patch_embed, model.layers[0])
    # Patches of 4 make a map of 24x24 with 24 channels, where a guess by size must fail.
    image = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        expected = nn.Sequential(*parts).eval()(image)
    stage = layers_of(model, image)["features.1" if is_torchvisions else "layers.0"]
    assert expected.shape == (1, 24, 24, 24)
    assert torch.equal(torch.as_tensor(stage.values), in_order(expected, MOVED))
    assert str(stage.layout).startswith("NHWC")


def test_convnexts_permutations_and_linear_layers_are_followed() -> None:
    block = load_torchvision().models.convnext.CNBlock(8, 1.0, 0.0)
    found = layers_of(nn.Sequential(nn.Conv2d(2, 8, 1), block), torch.randn(1, 2, 8, 8))
    layouts = {key: layer.layout for key, layer in found.items()}
    kinds = [type(part).__name__ for part in block.block]
    assert kinds == ["Conv2d", "Permute", "LayerNorm", "Linear", "GELU", "Linear", "Permute"]
    assert [layouts[f"1.block.{n}"] for n in range(7)] == ["NCHW", *["NHWC"] * 5, "NCHW"]
    assert layouts["1"] == "NCHW"


@pytest.mark.parametrize(
    ("name", "prefix", "how"),
    [
        ("vit_tiny_patch16_224", 1, {}),
        ("deit_tiny_distilled_patch16_224", 2, {}),
        ("vit_tiny_patch16_224", 5, {"reg_tokens": 4}),
        ("vit_tiny_patch16_224", 4, {"reg_tokens": 4, "class_token": False, "global_pool": "avg"}),
    ],
    ids=["class", "distilled", "class and registers", "registers"],
)
def test_tokens_in_front_are_left_out_by_the_models_count(
    name: str, prefix: int, how: dict[str, Any]
) -> None:
    model = load_timm().create_model(name, img_size=(224, 160), depth=1, num_classes=2, **how)
    patch = model.patch_embed.patch_size[0]
    rows, columns = 224 // patch, 160 // patch
    assert Hints.of(model).prefix == prefix == model.num_prefix_tokens
    block = layers_of(model, torch.randn(1, 3, 224, 160))["blocks.0"]
    assert block.shape == (model.embed_dim, rows, columns)
    token = "token" if prefix == 1 else "tokens"
    assert block.layout == f"NLC, {rows}x{columns}, {prefix} {token} in front left out"


class Tokens(nn.Module):
    """A model with one token in front that says it in no way, or by a parameter's name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.embed = nn.Conv2d(2, 4, 1)
        self.register_parameter(name, nn.Parameter(torch.randn(1, 1, 4)))
        self.name, self.norm = name, nn.LayerNorm(4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        y: Tensor = self.norm(torch.cat([getattr(self, self.name), tokens], dim=1))
        return y


@pytest.mark.parametrize(
    ("name", "shape"), [("cls_token", (4, 6, 4)), ("mask", (4, 25))], ids=["said", "not said"]
)
def test_a_token_that_nobody_speaks_of_is_not_left_out(name: str, shape: tuple[int, ...]) -> None:
    found = layers_of(Tokens(name), IMAGE[:, :, :, :4])
    assert found["norm"].shape == shape
    assert found["embed"].shape == (4, 6, 4)
