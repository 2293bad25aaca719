"""Whole models against published counts, the worked examples, and the arithmetic of chains."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError, ModelError, UsageError
from cnnviz.models.building.unallocated import unallocated
from cnnviz.models.sources.torchvision import load_torchvision
from cnnviz.shapes import memory_of, trace_chain
from cnnviz.shapes.receptive import Field
from cnnviz.summary.model import ModelSummary, summarize
from tests.shapes.test_published import ALEXNET, vgg

LENET = (
    "conv:6,k5 tanh avgpool conv:16,k5 tanh avgpool conv:120,k5 tanh flatten linear:84 tanh"
    " linear:10"
)


def names(summary: ModelSummary) -> list[str]:
    return [layer.key for layer in summary.layers]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("lenet", 61_706),
        ("alexnet", 61_100_840),
        ("vgg16", 138_357_544),
        ("torchvision:vgg19", 143_667_240),
        ("googlenet", 6_624_904),
        ("resnet18", 11_689_512),
        ("resnet152", 60_192_808),
    ],
)
def test_named_model_has_its_published_parameters(name: str, params: int) -> None:
    summary = summarize(name)
    assert (summary.total_params, summary.trainable_params) == (params, params)
    assert sum(layer.params for layer in summary.layers) == params
    assert sum(layer.macs for layer in summary.layers) == summary.macs


def blocks(*channels: int, norm: bool = False) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for wide, out in pairwise(channels):
        layers += [nn.Conv2d(wide, out, 3, padding=1)]
        layers += [nn.BatchNorm2d(out)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return layers


def dense(*features: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    for wide, out in pairwise(features):
        layers += [nn.Linear(wide, out), nn.ReLU()]
    return layers[:-1]


@pytest.mark.parametrize(
    ("build", "size", "params"),
    [
        pytest.param(
            lambda: [
                *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *dense(64 * 6 * 6, 10),
            ],
            (1, 28, 28),
            41_866,
            id="SimpleCNN for digits",
        ),
        pytest.param(
            lambda: [*blocks(3, 32, 64, 128, norm=True), *dense(128 * 4 * 4, 256, 10)],
            (3, 32, 32),
            620_810,
            id="SimpleCNN with BatchNorm",
        ),
        pytest.param(
            lambda: [*blocks(3, 16, 32), *dense(32 * 8 * 8, 10)],
            (3, 32, 32),
            25_578,
            id="SimpleCNN for CIFAR",
        ),
        pytest.param(
            lambda: [
                *(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
                *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
                *dense(16 * 4 * 4, 120, 84, 10),
            ],
            (1, 28, 28),
            44_426,
            id="LeNet for 28x28",
        ),
        pytest.param(
            lambda: dense(150_528, 1024, 10), (3, 224, 224), 154_151_946, id="perceptron, 602 MiB"
        ),
        pytest.param(lambda: dense(48, 2, 3), (3, 4, 4), 107, id="SimpleFCN"),
    ],
)
def test_worked_example(
    build: Callable[[], list[nn.Module]], size: tuple[int, ...], params: int
) -> None:
    with unallocated():
        model = nn.Sequential(*build())
    assert summarize(model, size).total_params == params


def test_fashion_cnn_has_four_and_eight_maps() -> None:
    first, second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
    model = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2))
    summary = summarize(model, (1, 28, 28))
    assert summary.total_params == 336
    assert summary.layers[0].output == (4, 28, 28)
    assert summary.output == (8, 14, 14)
    assert [field.size for field in summary.fields] == [6, 6]


def test_transfer_learning_trains_the_head_alone() -> None:
    summary = summarize("resnet18", classes=10, freeze=["!fc"])
    assert (summary.trainable_params, summary.total_params) == (5_130, 11_181_642)
    assert {layer.name for layer in summary.layers if layer.trainable_params} == {"fc"}


@pytest.mark.parametrize(
    ("name", "chain", "size"),
    [
        pytest.param("lenet", LENET, (1, 32, 32), id="lenet"),
        pytest.param("alexnet", ALEXNET, (3, 224, 224), id="alexnet"),
        pytest.param("vgg16", vgg(2, 2, 3, 3, 3), (3, 224, 224), id="vgg16"),
    ],
)
def test_a_model_and_its_chain_have_the_same_numbers(
    name: str, chain: str, size: tuple[int, ...]
) -> None:
    steps, summary = trace_chain(chain, size), summarize(name)
    memory = memory_of(steps)
    assert (summary.input, summary.output) == (size, steps.output)
    assert (summary.total_params, summary.macs) == (steps.params, steps.macs)
    assert summary.memory["params"] == memory.params
    assert summary.memory["outputs"] == memory.outputs
    assert [(x.layer.params, x.macs, x.output, *map(geometry, x.fields)) for x in steps.steps] == [
        (x.params, x.macs, x.output, *map(geometry, x.fields)) for x in summary.layers
    ]


def geometry(field: Field) -> tuple[int | None, object, int, str]:
    """A receptive field, from any position; where it is the whole input, the last map's."""
    return field.size, field.stride, field.padding, field.limit


def test_auxiliary_heads_are_counted_and_marked_but_do_not_run() -> None:
    models = load_torchvision().models
    with unallocated():
        model = models.googlenet(weights=None, aux_logits=True, init_weights=False)
    summary = summarize(model, (3, 224, 224))
    assert summary.total_params == 13_004_888
    assert summary.macs == summarize("googlenet").macs
    idle = [layer for layer in summary.layers if layer.note]
    assert [(layer.name, layer.note, layer.macs) for layer in idle] == [
        ("aux1", "not run", 0),
        ("aux2", "not run", 0),
    ]
    assert sum(layer.params for layer in idle) == 13_004_888 - 6_624_904


class Tied(nn.Module):
    """A matrix that encodes and decodes, a layer that runs twice, bare parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(8, 4, bias=False)
        self.decode = nn.Linear(4, 8, bias=False)
        self.decode.weight = nn.Parameter(self.encode.weight.detach().t().contiguous())
        self.encode.weight = self.shared = nn.Parameter(torch.ones(4, 8))
        self.again = nn.Linear(4, 8, bias=False)
        self.again.weight = nn.Parameter(torch.ones(8, 4))
        self.echo = nn.Linear(8, 8)
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.echo(self.echo(data)) * self.scale
        wide: Tensor = self.decode(self.encode(hidden))
        return wide + F.linear(self.encode(hidden), self.again.weight)


def test_shared_and_bare_parameters_are_counted_once() -> None:
    summary = summarize(Tied(), (8,))
    rows = {layer.key: layer for layer in summary.layers}
    assert summary.total_params == 32 + 32 + 32 + 72 + 8
    assert summary.macs == 2 * 64 + 2 * 32 + 32 + 32
    assert names(summary) == [
        *("shared", "scale", "echo", "echo#2", "mul", "encode", "decode"),
        *("encode#2", "linear", "add", "again"),
    ]
    assert (rows["echo"].params, rows["echo#2"].params) == (72, 0)
    assert rows["echo#2"].note == "counted above"
    assert rows["again"].note == "used inside its parent"


def test_a_parameter_registered_twice_stays_one_without_memory() -> None:
    with unallocated():
        param = nn.Parameter(torch.ones(4, 4))
        first, second = nn.Linear(4, 4), nn.Linear(4, 4)
        first.weight = param
        second.weight = param
    assert first.weight is second.weight
    assert all(each.is_meta for each in (*first.parameters(), *second.parameters()))
    assert not nn.Linear(2, 2).weight.is_meta


def test_a_module_is_left_as_it_was() -> None:
    conv, dropout = nn.Conv2d(1, 2, 3), nn.Dropout().eval()
    model = nn.Sequential(conv, dropout)
    before = conv.weight.clone()
    summarize(model, (1, 8, 8), freeze=["0"])
    assert (model.training, dropout.training) == (True, False)
    assert torch.equal(conv.weight, before)
    assert conv.weight.requires_grad
    assert not conv._forward_hooks
    assert not conv._forward_pre_hooks


def test_depth_folds_and_keeps_the_sums() -> None:
    full, folded = summarize("resnet18"), summarize("resnet18", depth=1)
    assert names(folded) == [
        *("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"),
        *("avgpool", "flatten", "fc"),
    ]
    assert sum(layer.params for layer in folded.layers) == full.total_params
    assert sum(layer.macs for layer in folded.layers) == full.macs
    assert folded.layers[7].output == (512, 7, 7)


@pytest.mark.parametrize(
    ("name", "depth"), [("lenet", 5), ("alexnet", 8), ("vgg16", 16), ("googlenet", 22)]
)
def test_depth_is_the_one_in_the_name(name: str, depth: int) -> None:
    assert summarize(name).depth == depth


def test_attention_and_bare_tokens_are_counted() -> None:
    summary = summarize("vit_b_16")
    assert (summary.total_params, summary.macs) == (86_567_656, 17_563_828_224)
    rows = {layer.name: layer for layer in summary.layers}
    assert rows["class_token"].params == 768
    attention = rows["encoder.layers.encoder_layer_0.self_attention"]
    # Four products with 768x768 weights for 197 tokens, and two of 197x197x768.
    assert attention.macs == 4 * 768 * 768 * 197 + 2 * 197 * 197 * 768
    assert attention.fields[0].limit == "whole input"
    assert summary.last_map is not None
    assert [field.size for field in summary.last_map.fields] == [16, 16]


def test_attention_is_counted_on_the_cpu_too() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, tokens: Tensor) -> Tensor:
            tokens = tokens * float(tokens.sum().item() + 1)
            out: Tensor = self.attention(tokens, tokens, tokens, need_weights=False)[0]
            return out

    summary = summarize(Attends(), (5, 8))
    assert summary.notes
    assert summary.macs == 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": nn.Linear(2, 2)}, UsageError, "give --input"),
        ({"model": "lenet", "freeze": ["head"]}, ModelError, "no parameter or module matches"),
        ({"model": "lenet", "input_size": (3, 32, 32)}, CnnvizError, "in features.0"),
        ({"model": "lenet", "classes": 3}, ModelError, "--classes"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: dict[str, Any], error: type[CnnvizError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        summarize(**arguments)
    assert "\n" not in str(caught.value)
