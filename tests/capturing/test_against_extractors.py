"""Captured maps are, bit for bit, those of torchvision's and timm's own extractors."""

from __future__ import annotations

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
from cnnviz.models.sources.timm import load_timm
from cnnviz.models.sources.torchvision import load_torchvision

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = {
    "resnet50": 64,
    "vgg16": 32,
    "densenet121": 32,
    "mobilenet_v2": 64,
    "vit_b_16": 32,
    "swin_t": 64,
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
    parts: list[Any] = list(bare.modules())
    for part in parts:
        if hasattr(part, "inplace"):
            part.inplace = False
    torchs = import_module("torchvision.models.feature_extraction")
    whole: dict[str, Any] = {"leaf_modules": []}  # else blocks of torchvision's are not looked into
    _, nodes = torchs.get_graph_node_names(bare, tracer_kwargs=whole)
    extractor: Any = torchs.create_feature_extractor(bare, nodes[1:], tracer_kwargs=whole)
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
def test_every_map_is_what_torchvisions_extractor_gives(name: str) -> None:
    side = SIDES[name]
    sized = {"image_size": side} if name.startswith("vit") else {}
    model = built(getattr(load_torchvision().models, name), weights=None, **sized)
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    extractor, modules = extractor_of(model)
    with plain_code():
        expected = extractor(image)
    run = run_and_capture(model, image, check=True, wants=lambda layer: True)
    assert run.same_output
    calls: dict[str, list[LayerOutput]] = {}
    for layer in run.layers:
        if layer.type != "function" and layer.field in ("", "0"):
            calls.setdefault(layer.name, []).append(layer)
    compared = 0
    for key, module in modules.items():
        layer = calls[module].pop(0)
        if layer.values is None:  # in Swin, whose windows are a batch
            assert str(layer.reason).startswith("not of one image")
            continue
        whole = expected[key][0] if isinstance(expected[key], tuple) else expected[key]
        assert torch.equal(layer.values, drawn_as(whole, layer)), key
        compared += 1
    assert compared > 0.7 * len(modules)
    assert not any(calls[module] for module in modules.values()), "a call more than the extractor's"
    sums = [value for key, value in expected.items() if is_sum(key, modules) and value.ndim == 4]
    channel = -1 if name == "swin_t" else 1
    assert functions_of(run.layers) >= {as_bytes(one.movedim(channel, 1)[0]) for one in sums}
    assert sums or name in ("vgg16", "vit_b_16")


def functions_of(layers: list[LayerOutput]) -> set[bytes]:
    functions = [layer for layer in layers if layer.type == "function"]
    return {as_bytes(layer.values) for layer in functions if layer.values is not None}


def is_sum(key: str, modules: dict[str, str]) -> bool:
    """Whether a node is a sum of maps, or maps one after the other."""
    return key not in modules and key.rpartition(".")[2].startswith(("add", "cat"))


def as_bytes(tensor: Tensor) -> bytes:
    return tensor.contiguous().numpy().tobytes()


@pytest.mark.parametrize("name", TIMM)
def test_last_stages_are_what_timms_forward_intermediates_gives(name: str) -> None:
    size = {"vit": (96, 64), "swin": (64, 64)}.get(name.partition("_")[0])
    sized = {"img_size": size} if size else {}
    model: Any = built(load_timm().create_model, model_name=name, num_classes=5, **sized)
    image = torch.randn(1, 3, *(size or (64, 64)), generator=torch.Generator().manual_seed(1))
    with plain_code():
        maps = copy.deepcopy(model).forward_intermediates(image, intermediates_only=True)
    run = run_and_capture(model, image, wants=lambda layer: layer.kind in ("block", "relu", "norm"))
    found = {as_bytes(x.values): x.name for x in run.layers if x.values is not None}
    names = [found.get(as_bytes(one[0])) for one in maps]
    assert None not in names, names
    assert len(names) >= 4
