"""Captured maps are, bit for bit, those of torchvision's and timm's own extractors."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, fx, nn

from cnnviz.capturing import run_and_capture
from cnnviz.capturing.outputs import LayerOutput
from cnnviz.models.timm import load_timm
from cnnviz.models.torchvision import load_torchvision

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = {
    **{"resnet50": 64, "vgg16": 32, "densenet121": 64},
    **{"mobilenet_v2": 64, "vit_b_16": 32, "swin_t": 64},
}
TIMM = ("resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "convnext_atto")


@contextmanager
def plain_code() -> Iterator[None]:
    """As a model runs where somebody listens: without gradients, and attention not fused."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def built(build: Callable[..., nn.Module], **arguments: Any) -> nn.Module:
    """A model with seeded weights, and statistics of normalisation that are not 0 and 1."""
    torch.manual_seed(0)
    model = build(**arguments).eval()
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(std=0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return model


def extractor_of(model: nn.Module) -> tuple[nn.Module, dict[str, str]]:
    """torchvision's extractor of everything in a copy, and the layer of each of its nodes."""
    bare = copy.deepcopy(model)
    for module in bare.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    torchs = import_module("torchvision.models.feature_extraction")
    _, nodes = torchs.get_graph_node_names(bare)
    extractor: Any = torchs.create_feature_extractor(bare, nodes[1:])
    for node in extractor.graph.nodes:  # functional.relu(x, inplace=True) too
        if node.op == "call_function" and "inplace" in node.kwargs:
            node.kwargs = {**node.kwargs, "inplace": False}
    extractor.recompile()
    return extractor, modules_of(extractor.graph)


def modules_of(graph: fx.Graph) -> dict[str, str]:
    """The module that each node calls, by the node's key in the extractor's output."""
    (result,) = (node for node in graph.nodes if node.op == "output")
    outputs = result.args[0]
    return {key: str(node.target) for key, node in outputs.items() if node.op == "call_module"}


def drawn_as(expected: Tensor, layer: LayerOutput) -> Tensor:
    """What the layout says was done to an output, done by hand from those words."""
    axes = str(layer.layout).split(",")[0].partition(" ")[0]
    values = expected.select(axes.index("N"), 0)
    values = values.movedim(axes.replace("N", "").index("C"), 0)
    assert layer.shape is not None
    if values.ndim == 2 and len(layer.shape) == 3:
        count = layer.shape[1] * layer.shape[2]
        values = values[:, values.shape[1] - count :].reshape(layer.shape)
    return values


@pytest.mark.parametrize("name", SIDES)
def test_every_modules_map_is_what_torchvisions_extractor_gives(name: str) -> None:
    build, side = getattr(load_torchvision().models, name), SIDES[name]
    sized = {"image_size": side} if name.startswith("vit") else {}
    model = built(build, weights=None, **sized)
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    extractor, modules = extractor_of(model)
    with plain_code():
        expected = extractor(image)
    run = run_and_capture(model, image, check=True)
    assert run.same_output
    calls: dict[str, list[LayerOutput]] = {}
    for layer in run.layers:
        if layer.values is not None and layer.type != "function" and layer.field in ("", "0"):
            calls.setdefault(layer.name, []).append(layer)
    compared = set()
    for key, module in modules.items():
        if module not in calls:
            continue
        layer = calls[module].pop(0)
        assert layer.values is not None
        whole = expected[key][0] if isinstance(expected[key], tuple) else expected[key]
        assert torch.equal(layer.values, drawn_as(whole, layer)), key
        compared.add(module)
    # Attention of several windows has no map of one image, in Swin; all the rest is compared.
    skipped = {m for m in modules.values() if m not in compared}
    reasons = {x.reason for x in run.layers if x.name in skipped}
    assert all(str(reason).startswith("not of one image") for reason in reasons)
    assert len(compared) > 0.9 * len(set(modules.values()))
    assert builtins.sum(map(len, calls.values())) == len(
        [x for left in calls.values() for x in left if x.name not in modules.values()]
    ), "every call of a compared module was compared"


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_functions_between_modules_are_what_the_extractor_gives(name: str) -> None:
    build, side = getattr(load_torchvision().models, name), SIDES[name]
    model = built(build, weights=None)
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    extractor, _ = extractor_of(model)
    with plain_code():
        expected = extractor(image)
    run = run_and_capture(model, image, wants=lambda layer: layer.type == "function")
    ours = [x.values for x in run.layers if x.values is not None and not x.name.endswith("relu")]
    kinds = ("add", "cat", "adaptive_avg_pool2d")
    theirs = [v for k, v in expected.items() if k.rpartition(".")[2].rstrip("_0123456789") in kinds]
    theirs = theirs or [v for k, v in expected.items() if any(kind in k for kind in kinds)]
    assert len(ours) >= 16
    found = {value.numpy().tobytes() for value in ours}
    assert all(value[0].numpy().tobytes() in found for value in theirs)


@pytest.mark.parametrize("name", TIMM)
def test_last_stages_are_what_timms_forward_intermediates_gives(name: str) -> None:
    model: Any = built(load_timm().create_model, model_name=name, num_classes=5)
    side = 224 if "swin" in name else 64
    if name.startswith("vit"):
        model = built(load_timm().create_model, model_name=name, num_classes=5, img_size=(96, 64))
    image = torch.randn(1, 3, *((96, 64) if name.startswith("vit") else (side, side)))
    with plain_code():
        maps = copy.deepcopy(model).forward_intermediates(image, intermediates_only=True)
    run = run_and_capture(model, image, wants=lambda layer: layer.kind in ("block", "relu", "norm"))
    found = {x.values.numpy().tobytes(): x.name for x in run.layers if x.values is not None}
    names = [found.get(one[0].contiguous().numpy().tobytes()) for one in maps]
    assert None not in names, names
    assert len(names) >= 4
