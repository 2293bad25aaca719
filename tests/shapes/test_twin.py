"""The comparison with torch, and proof that it can fail."""

from __future__ import annotations

import pytest
from torch import nn

from cnnviz.errors import CnnvizError, DisagreementError
from cnnviz.shapes import conv
from cnnviz.shapes.chain import Fork, trace_chain
from cnnviz.shapes.names import KINDS
from cnnviz.shapes.twin import compare, torch_layer
from cnnviz.shapes.window import Axis
from tests.shapes.test_published import GOOGLENET


@pytest.mark.parametrize("name", KINDS)
def test_every_layer_has_its_twin(name: str) -> None:
    sizes = {"adaptive": ":2", "pad": ":1", "gn": ":3", "linear": ":4"}
    arguments = next((given for start, given in sizes.items() if name.startswith(start)), "")
    kind = KINDS[name]
    shape = (3, *(8,) * (kind.usual_axes if kind.axes else 2))
    sentence = compare(trace_chain(name + arguments, shape))
    assert "the layer are those of torch" in sentence


def test_uneven_padding_and_branches() -> None:
    text = "res[ conv:3,k4x3,d2x1,psame,g3 / ] pad:1x2 convt:5,k3,s2,p1,op1 sepconv:4 gn:2"
    assert "all 6 layers" in compare(trace_chain(text, (3, 9, 9)))


def test_concatenated_branches_and_uneven_ends() -> None:
    text = "pad:0+1x2+0 cat[ conv:4,k1 in:affine / upsample:2,bilinear maxpool / bn ] upsample:2"
    assert "all 8 layers" in compare(trace_chain(text, (3, 9, 9)))
    assert "all 197 layers" in compare(trace_chain(GOOGLENET, (3, 64, 64)))


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        *(("nearest", (3, *(5,) * axes)) for axes in (1, 2, 3)),
        *(("linear", (3, 5)), ("bilinear", (3, 5, 5)), ("trilinear", (3, 5, 5, 5))),
        ("bicubic", (3, 5, 5)),
    ],
)
def test_upsampling_has_its_twin_in_every_mode(mode: str, shape: tuple[int, ...]) -> None:
    chain = trace_chain(f"upsample:3,{mode}", shape)
    assert "the layer" in compare(chain)
    twin = torch_layer(chain.steps[0])
    assert isinstance(twin, nn.Upsample)
    assert (twin.mode, twin.scale_factor) == (mode, (3.0,) * (len(shape) - 1))


def test_a_wrong_size_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = trace_chain("relu conv:4,k3", (3, 9, 9))
    wrong = chain.steps[1]._replace(output=(4, 8, 7))
    with pytest.raises(DisagreementError, match=r"layer 2, 'conv:4,k3': output 4x8x7, .* 4x7x7"):
        compare(chain._replace(items=(chain.items[0], wrong)))


@pytest.mark.parametrize(
    ("text", "attribute", "message"),
    [("conv:4", "weights", "parameters"), ("bn", "buffers", "buffers")],
)
def test_a_wrong_count_is_named(text: str, attribute: str, message: str) -> None:
    chain = trace_chain(text, (3, 9, 9))
    layer = chain.steps[0].layer
    setattr(layer, attribute, getattr(layer, attribute) + 1)
    with pytest.raises(DisagreementError, match=f"layer 1, .*: {message}"):
        compare(chain)


def test_what_torch_refuses_is_a_disagreement() -> None:
    chain = trace_chain("conv:4,k3", (3, 9, 9))
    step = chain.steps[0]._replace(layer=conv.Convolution(5, 4, [Axis(3)] * 2))
    with pytest.raises(DisagreementError, match="torch refuses it"):
        compare(chain._replace(items=(step,)))


def test_a_wrong_sum_is_named() -> None:
    chain = trace_chain("res[ relu / ]", (3, 9, 9))
    (fork,) = chain.items
    assert isinstance(fork, Fork)
    wrong = fork.join._replace(output=(3, 9, 8))
    with pytest.raises(DisagreementError, match="layer 2, 'add': output 3x9x8"):
        compare(chain._replace(items=(fork._replace(join=wrong),)))


@pytest.mark.parametrize(
    ("size", "layers"),
    [
        ((3, 224, 224), ["conv:99999999,k99", "flatten", "linear:999999999"]),
        ((999999999, 999999999, 999999999), ["relu"]),
    ],
    ids=["weights", "values"],
)
def test_what_no_tensor_can_be_is_no_disagreement(size: tuple[int, ...], layers: list[str]) -> None:
    with pytest.raises(CnnvizError, match="torch") as caught:
        compare(trace_chain(" ".join(layers), size))
    assert caught.value.exit_code == 1
