"""Receptive fields against what reaches an output in torch, pixel by pixel.

Every network here is linear with weights of 1, so that nothing cancels: fed one lit pixel at a
time, an output is positive exactly where that pixel has influence.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from cnnviz.errors import ShapeError
from cnnviz.shapes.chain import Chain, trace_chain
from cnnviz.shapes.coverage import unread

LENGTH = 150
NOTHING = 1e-12  # torch rounds where interpolated values lie; true weights are 1/8 or more each


class Summed(nn.Module):
    """Two branches, added."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.main(data) + self.shortcut(data)
        return total


def influence(network: nn.Module, length: int) -> torch.Tensor:
    """(pixels, outputs): whether a pixel reaches an output."""
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
        lit: torch.Tensor = network(torch.eye(length, dtype=torch.float64)[:, None])
    return lit[:, 0] > NOTHING


def conv(k: int, s: int, p: int, d: int) -> tuple[str, nn.Module]:
    layer = nn.Conv1d(1, 1, k, s, p, d, bias=False)
    return f"conv1d:1,k{k},s{s},p{p},d{d},nobias", layer


def convt(k: int, s: int, p: int, d: int, op: int) -> tuple[str, nn.Module]:
    op = min(op, max(s, d) - 1)
    layer = nn.ConvTranspose1d(1, 1, k, s, p, op, dilation=d, bias=False)
    return f"convt1d:1,k{k},s{s},p{p},d{d},op{op},nobias", layer


def pool(k: int, s: int) -> tuple[str, nn.Module]:
    """The average, whose window is the maximum's but which is linear."""
    return f"maxpool:k{k},s{s},p{k // 2}", nn.AvgPool1d(k, s, k // 2)


def adaptive(length: int) -> tuple[str, nn.Module]:
    return f"adaptiveavgpool:{length}", nn.AdaptiveAvgPool1d(length)


def upsample(scale: int) -> tuple[str, nn.Module]:
    return f"upsample:{scale}", nn.Upsample(scale_factor=scale)


def linear(scale: int) -> tuple[str, nn.Module]:
    return f"upsample:{scale},linear", nn.Upsample(scale_factor=scale, mode="linear")


def padded(before: int, after: int) -> tuple[str, nn.Module]:
    return f"pad:{before}+{after}", nn.ZeroPad1d((before, after))


class Joined(nn.Module):
    """Branches as channels, which a convolution of 1 adds up."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.mixed = nn.Conv1d(len(branches), 1, 1, bias=False)

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.mixed(torch.cat([branch(data) for branch in self.branches], 1))
        return mixed


def concatenated(k: int, d: int, p: int) -> tuple[str, nn.Module]:
    """A dilated window, one that is shifted, and the input itself."""
    dilated, first = conv(2 * k + 1, 1, d * k, d)
    (shift, second), (single, third) = padded(p, 0), conv(p + 1, 1, 0, 1)
    text = f"cat[ {dilated} / {shift} {single} / ] conv1d:1,k1,nobias"
    return text, Joined(first, nn.Sequential(second, third), nn.Identity())


def residual(k: int, d: int) -> tuple[str, nn.Module]:
    p = d * (k - 1) // 2
    text, layer = conv(k, 1, p, d)
    return f"res[ {text} / ]", Summed(layer, nn.Identity())


def shrinking(k: int) -> tuple[str, nn.Module]:
    """Both branches halve; the shortcut reads one pixel of each pair."""
    (main, first), (shortcut, second) = conv(2 * k + 1, 2, k, 1), conv(1, 2, 0, 1)
    return f"res[ {main} / {shortcut} ]", Summed(first, second)


LAYERS: st.SearchStrategy[tuple[str, nn.Module]] = st.one_of(
    st.builds(conv, *map(st.integers, (1, 1, 0, 1), (5, 3, 3, 3))),
    st.builds(convt, *map(st.integers, (1, 1, 0, 1, 0), (5, 3, 2, 3, 2))),
    st.builds(pool, st.integers(1, 4), st.integers(1, 3)),
    st.builds(adaptive, st.integers(40, 160)),
    st.builds(upsample, st.integers(1, 3)),
    st.builds(linear, st.integers(1, 4)),
    st.builds(padded, st.integers(0, 3), st.integers(0, 3)),
    st.builds(concatenated, st.integers(0, 2), st.integers(1, 3), st.integers(0, 3)),
    st.builds(residual, st.sampled_from([1, 3, 5]), st.integers(1, 3)),
    st.builds(shrinking, st.integers(0, 2)),
)
CHAINS = st.lists(LAYERS, min_size=1, max_size=5)


def traced(layers: list[tuple[str, nn.Module]], length: int) -> Chain:
    """The chain; a draw whose sizes do not fit, or grow too large to measure, is dropped."""
    try:
        chain = trace_chain(" ".join(text for text, _ in layers), (1, length))
    except ShapeError:
        assume(False)
    assume(chain.output[1] < 3000)
    return chain


def network(layers: list[tuple[str, nn.Module]]) -> nn.Module:
    return nn.Sequential(*(layer for _, layer in layers))


@settings(max_examples=250, deadline=None)
@given(layers=CHAINS)
def test_field_of_each_output_is_what_reaches_it(layers: list[tuple[str, nn.Module]]) -> None:
    """In the middle, where no border of any layer is near."""
    (field,) = traced(layers, LENGTH).fields
    assume(not field.limit)
    reaches = influence(network(layers), LENGTH)
    middle = range(LENGTH // 3, 2 * LENGTH // 3)
    each = reaches.int()
    firsts, lasts = each.argmax(0), LENGTH - 1 - each.flip(0).argmax(0)
    reached = zip(firsts.tolist(), lasts.tolist(), reaches.any(0).tolist(), strict=True)
    for output, (first, last, anything) in enumerate(reached):
        span = field.reach.at(output)
        if span and span[0] in middle and span[1] in middle:
            assert anything, output
            assert (first, last) == span, output
        elif anything:
            assert first not in middle or last not in middle, output


@settings(max_examples=250, deadline=None)
@given(layers=CHAINS, length=st.integers(1, 60))
def test_unread_pixels_are_those_without_influence(
    layers: list[tuple[str, nn.Module]], length: int
) -> None:
    chain = traced(layers, length)
    reaches = influence(network(layers), length)
    assert unread(chain) == (int((~reaches.any(1)).sum()),)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_interpolation_in_a_network_is_what_its_gradient_says(mode: str, scale: int) -> None:
    """A decoder of two axes; random weights, so that gradients do not cancel."""
    torch.manual_seed(scale)
    text = f"conv:2,k3,s2,p1 upsample:{scale},{mode} conv:1,k3,p1"
    first, second = nn.Conv2d(1, 2, 3, 2, 1), nn.Conv2d(2, 1, 3, 1, 1)
    between = nn.Upsample(scale_factor=scale, mode=mode)
    decoder = nn.Sequential(first, between, second).double()
    image = torch.rand(1, 1, 41, 41, dtype=torch.float64, requires_grad=True)
    output = decoder(image)
    chain = trace_chain(text, (1, 41, 41))
    assert chain.output == tuple(output.shape[1:])
    for row, column in [(9 * scale + i, 11 * scale - i) for i in range(scale)]:
        (gradient,) = torch.autograd.grad(output[0, 0, row, column], image, retain_graph=True)
        seen = gradient[0, 0].abs() > NOTHING
        for field, axis, position in zip(chain.fields, (1, 0), (row, column), strict=True):
            pixels = seen.any(axis).nonzero().flatten()
            assert field.reach.at(position) == (pixels[0].item(), pixels[-1].item())


@pytest.mark.parametrize(
    ("text", "size", "stride", "padding"),
    [
        pytest.param("conv:1,k3", 3, 1, 0, id="one window"),
        pytest.param("conv:1,k3 conv:1,k3", 5, 1, 0, id="two of 3 are one of 5"),
        pytest.param("conv:1,k3,d2,p2", 5, 1, 2, id="dilated"),
        pytest.param("conv:1,k3,d2 conv:1,k3,d4", 13, 1, 0, id="dilated twice: 5 + 2*4"),
        pytest.param("conv:1,k7,s2,p3 maxpool:k3,s2,p1", 11, 4, 5, id="stem of resnet: 7 + 2*2"),
        pytest.param("convt:1,k2,s2", 1, 0.5, 0, id="upsampled"),
        pytest.param("convt:1,k2,s2 conv:1,k3,p1", 2, 0.5, 1, id="three halves touch two"),
        pytest.param("convt:1,k4,s2,p1", 2, 0.5, 1, id="decoder of DCGAN"),
        pytest.param("convt:1,k1,s2 conv:1,k1,s2,p1", 0, 1, 0, id="reads the zeros alone"),
        pytest.param("upsample:2 maxpool", 1, 1, 0, id="there and back"),
        pytest.param("upsample:2,bilinear", 2, 0.5, 1, id="between two"),
        pytest.param("upsample:3,bilinear", 2, 1 / 3, 1, id="one in three on a pixel"),
        pytest.param("upsample:2,bicubic", 4, 0.5, 2, id="between two and two"),
        pytest.param("upsample:1,bicubic", 1, 1, 0, id="as it was"),
        pytest.param("upsample:2,bilinear conv:1,k3,p1", 3, 0.5, 1, id="decoder without convt"),
        pytest.param("maxpool upsample:2,bilinear", 4, 1, 2, id="two pairs"),
        pytest.param("cat[ conv:1,k5,p2 / conv:1,k3,p1 / ]", 5, 1, 2, id="the widest of three"),
        pytest.param("cat[ pad:3+0 conv:1,k4 / pad:0+2 conv:1,k3 ]", 6, 1, 3, id="back and on"),
        pytest.param("pad:2+0 conv:1,k3", 3, 1, 2, id="padding before"),
        pytest.param("res[ conv:1,k5,p2 / conv:1,k3,p1 ]", 5, 1, 2, id="the wider branch"),
        pytest.param("pad:2 res[ conv:1,k3,p1 / ] relu bn ln gn:1 softmax", 3, 1, 3, id="plain"),
        pytest.param("adaptiveavgpool:5", 4, 4, 0, id="20 shared by 5"),
        pytest.param("adaptiveavgpool:6", 4, 20 / 6, 0, id="20 shared by 6: up to 4 each"),
    ],
)
def test_fields_by_hand(text: str, size: int, stride: float, padding: int) -> None:
    for field in trace_chain(text, (1, 20, 20)).fields:
        assert (field.size, field.stride, field.padding) == (size, stride, padding)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        pytest.param("conv:1,k3 gap", ["whole input"] * 2, id="global pooling"),
        pytest.param("conv:1,k3 gap upsample:9", ["whole input"] * 2, id="and what follows"),
        pytest.param("flatten linear:3 relu", ["whole input"] * 2, id="linear"),
        pytest.param("flatten relu", ["", ""], id="flattened pixels keep their field"),
        pytest.param("linear:3", ["", "whole input"], id="linear over the last axis alone"),
        pytest.param("res[ gap upsample:20 / ]", ["whole input"] * 2, id="one branch suffices"),
        pytest.param("convt:1,k1,s999", ["not computed"] * 2, id="too many phases"),
        pytest.param(
            "res[ maxpool / conv:1,k11 ]", ["not computed"] * 2, id="branches that step differently"
        ),
        pytest.param(
            "convt:1,k1,s999 gap", ["whole input"] * 2, id="whole, whatever was not computed"
        ),
    ],
)
def test_where_there_is_no_number(text: str, limits: list[str]) -> None:
    assert [field.limit for field in trace_chain(text, (1, 20, 20)).fields] == limits


@pytest.mark.parametrize(
    ("size", "text", "expected"),
    [
        pytest.param((20, 21), "conv:1,k3,s2", (1, 0), id="the last row does not fill a step"),
        pytest.param((20, 21), "conv:1,k3,s2,p1", (0, 0), id="padding is left over, not rows"),
        pytest.param((20, 21), "conv:1,k1,s2", (10, 10), id="every second row, between windows"),
        pytest.param((20, 20), "conv:1,k3,s2,d2", (10, 10), id="gridding: odd rows"),
        pytest.param((20, 21), "maxpool gap", (0, 1), id="columns in pairs"),
        pytest.param((20, 21), "maxpool:k5 flatten linear:3", (0, 1), id="through linear"),
        pytest.param(
            (20, 20), "res[ conv:1,k1,s2 / conv:1,k2,s2 ]", (0, 0), id="either branch reads it"
        ),
        pytest.param((20, 20), "convt:1,k1,s2,d2,op1", (0, 0), id="the last output reads nothing"),
        pytest.param(
            (20, 20), "maxpool convt:1,k1,s2 conv:1,k1,s2,p1", (20, 20), id="zeros alone are read"
        ),
        pytest.param(
            (2_000_001, 20), "res[ maxpool:k2x1 / conv:1,k3x1,s2x1 ]", (0, 0), id="long branches"
        ),
        pytest.param(
            (2_000_001, 20),
            "res[ maxpool:k2x1 / conv:1,k1,s2x1 conv:1,k2x1 ]",
            (None, 0),
            id="comb",
        ),
        pytest.param((20, 20), "res[ conv:1,k1,s2 / maxpool:k1,s2 ]", (10, 10), id="neither does"),
        pytest.param(
            (20, 20), "convt:1,k1,s999 conv:1,k999,d3", (None, None), id="too long to count"
        ),
    ],
)
def test_unread_by_hand(size: tuple[int, int], text: str, expected: tuple[int, int]) -> None:
    assert unread(trace_chain(text, (1, *size))) == expected
