"""The comparison with torch, and proof that it can fail."""

from __future__ import annotations

import pytest

from cnnviz.errors import DisagreementError
from cnnviz.shapes import conv, plain
from cnnviz.shapes.chain import trace_chain
from cnnviz.shapes.names import KINDS
from cnnviz.shapes.twin import compare
from cnnviz.shapes.window import Axis


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
    add = plain.Add()
    wrong = fork.add._replace(layer=add, output=(3, 9, 8))  # type: ignore[union-attr]
    with pytest.raises(DisagreementError, match="layer 2, 'add': output 3x9x8"):
        compare(chain._replace(items=(fork._replace(add=wrong),)))  # type: ignore[call-arg]
