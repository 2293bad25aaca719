"""The layers after a convolution against torch's."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnviz.errors import ShapeError
from cnnviz.matrices import parse_maps
from cnnviz.step.activations import FUNCTIONS
from cnnviz.step.layers import Dense, Tensor, run_layers
from tests.step.test_sliding import numbers, tensor, text

CLOSE = 1e-12  # float64 of numbers below 10, in other orders of operations

POOLS: list[tuple[str, nn.Module]] = [
    ("maxpool", nn.MaxPool2d(2)),
    ("maxpool:k3,s2,p1", nn.MaxPool2d(3, 2, 1)),
    ("maxpool:k2x3,s1x2,d2x1", nn.MaxPool2d((2, 3), (1, 2), dilation=(2, 1))),
    ("maxpool:k3,s2,ceil", nn.MaxPool2d(3, 2, ceil_mode=True)),
    ("avgpool", nn.AvgPool2d(2)),
    ("avgpool:k3,s2,p1", nn.AvgPool2d(3, 2, 1)),
    ("avgpool:k3,s3,p1,ceil", nn.AvgPool2d(3, 3, 1, ceil_mode=True)),
    ("adaptiveavgpool:3x2", nn.AdaptiveAvgPool2d((3, 2))),
    ("adaptivemaxpool:4", nn.AdaptiveMaxPool2d(4)),
    ("gap", nn.AdaptiveAvgPool2d(1)),
    ("pad:1x2", nn.ZeroPad2d((2, 2, 1, 1))),
    ("upsample:2x3", nn.Upsample(scale_factor=(2, 3))),
]


@pytest.mark.parametrize(("layer", "module"), POOLS, ids=[name for name, _ in POOLS])
@pytest.mark.parametrize("size", [(7, 8), (6, 11)])
def test_pools_are_torchs(layer: str, module: nn.Module, size: tuple[int, int]) -> None:
    image = numbers(2, *size)
    (stage,) = run_layers(layer, Tensor(parse_maps(text(image))))
    assert torch.allclose(tensor(stage.output.maps), module(image[None])[0], rtol=0, atol=CLOSE)


def test_min_pooling_is_max_pooling_upside_down() -> None:
    image = numbers(2, 6, 6)
    (stage,) = run_layers("minpool:k3,s2,p1", Tensor(parse_maps(text(image))))
    assert torch.equal(tensor(stage.output.maps), -F.max_pool2d(-image, 3, 2, 1))


ACTIVATIONS: dict[str, nn.Module] = {
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "leakyrelu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "celu": nn.CELU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "sigmoid": nn.Sigmoid(),
    "hardsigmoid": nn.Hardsigmoid(),
    "logsigmoid": nn.LogSigmoid(),
    "tanh": nn.Tanh(),
    "hardtanh": nn.Hardtanh(),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
    "hardswish": nn.Hardswish(),
    "dropout": nn.Dropout().eval(),
}


def test_every_activation_is_compared() -> None:
    assert ACTIVATIONS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softmax"])
def test_activations_are_torchs(name: str) -> None:
    image = numbers(3, 4, 5)
    module = ACTIVATIONS.get(name, nn.Softmax(dim=0))
    (stage,) = run_layers(name, Tensor(parse_maps(text(image))))
    assert torch.allclose(tensor(stage.output.maps), module(image), rtol=1e-9, atol=CLOSE)


def test_exact_numbers_stay_exact() -> None:
    (stage,) = run_layers("leakyrelu", Tensor(parse_maps("-1 2")))
    assert stage.output.maps == (((Fraction(-1, 100), 2),),)
    (stage,) = run_layers("avgpool:k3", Tensor(parse_maps("1 0 0; 0 0 0; 0 0 0")))
    assert stage.output.maps == (((Fraction(1, 9),),),)


def test_flatten_and_linear_are_torchs() -> None:
    image, weights, biases = numbers(2, 2, 3), numbers(4, 12, seed=1), numbers(4, seed=2)
    dense = Dense(parse_maps(text(weights[None]))[0], tuple(int(b) for b in biases))
    *_, last = run_layers("relu flatten linear:4", Tensor(parse_maps(text(image))), [dense])
    expected = F.linear(F.relu(image).flatten(), weights, biases)
    assert torch.equal(tensor(last.output.maps)[0, 0], expected)
    assert last.output.shape == (4,)


def test_weights_alone_append_flatten_and_linear() -> None:
    dense = Dense(((1, 2, 3, 4),), (5,))
    stages = run_layers("relu", Tensor(parse_maps("1 2; 3 4")), [dense])
    assert [stage.text for stage in stages] == ["relu", "flatten", "linear:1"]
    assert stages[-1].output.maps == (((1 + 4 + 9 + 16 + 5,),),)


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ("conv:2,k1", "layer 1 after the convolution, conv:2,k1: its weights are not known here"),
        ("relu bn", "layer 2 after the convolution, bn: its weights are not known here"),
        ("linear:2", "put flatten before it"),
        ("flatten linear:2", "it has 2 x 4 weights; give them with --linear"),
        ("maxpool:k3", "kernel spans 3 px"),
        ("res[ relu / ]", "is not worked out by hand"),
        ("rleu", "did you mean relu"),
    ],
)
def test_what_cannot_be_worked_out_is_refused(layers: str, told: str) -> None:
    with pytest.raises(ShapeError, match=told.replace("[", r"\[")):
        run_layers(layers, Tensor(parse_maps("1 2; 3 4")))


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ShapeError, match="--linear is 1x2"):
        run_layers("", Tensor(parse_maps("1 2; 3 4")), [Dense(((1, 2),), (0,))])
