"""Random layers against torch's own, on the CPU: its meta device accepts what cannot be computed.

Whatever torch refuses is refused; whatever torch computes, every size at least 1, is computed
alike. Numbers below their minimum are refused whatever torch does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnviz.errors import ShapeError
from cnnviz.shapes.chain import trace_chain

Shape = tuple[int, ...]
Outcome = tuple[Shape, int, int] | None
"""Output, parameters and buffers; None where it is refused."""

MANY = settings(max_examples=2000, deadline=None)

AXES = st.integers(1, 3)
KERNELS, STRIDES, DILATIONS = st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)
PADDINGS = st.sampled_from([0, 0, 1, 1, 2, 3])
CHANNELS, SIZES = st.sampled_from([1, 2, 3, 4, 6]), st.integers(1, 9)
GROUPS = st.sampled_from([1, 1, 2, 3])


def ours(text: str, shape: Shape) -> Outcome:
    try:
        chain = trace_chain(text, shape)
    except ShapeError:
        return None
    return chain.output, chain.params, chain.buffers


def torchs(build: Callable[[], nn.Module], shape: Shape) -> Outcome:
    """What torch does with two images; of a single value GroupNorm would have no variance."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        try:
            layer = build().eval()
            output = layer(torch.zeros(2, *shape))
        except (RuntimeError, ValueError, TypeError, IndexError):
            return None
    if min(output.shape) < 1:
        return None
    return (
        tuple(output.shape[1:]),
        sum(p.numel() for p in layer.parameters()),
        sum(b.numel() for b in layer.buffers()),
    )


def written(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))


def per_axis(draw: st.DrawFn, values: st.SearchStrategy[int], axes: int) -> tuple[int, ...]:
    return draw(st.tuples(*[values] * axes))


def perhaps_spoiled(draw: st.DrawFn, *groups: tuple[int, ...]) -> tuple[bool, Any]:
    """The groups of numbers, one of them below every minimum now and then; whether it was."""
    if draw(st.integers(0, 7)):
        return True, groups
    spoiled = [list(group) for group in groups]
    group = draw(st.sampled_from(spoiled))
    group[draw(st.integers(0, len(group) - 1))] = -1
    return False, tuple(tuple(group) for group in spoiled)


def torch_class(name: str, axes: int) -> Any:
    return getattr(nn, f"{name}{axes}d")


def affine(axes: int, channels: int) -> nn.Module:
    norm: nn.Module = torch_class("InstanceNorm", axes)(channels, affine=True)
    return norm


Case = tuple[str, Shape, Callable[[], nn.Module], bool]
"""Text, input, torch's layer, and whether every number reaches its minimum."""


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    axes, into, bias = draw(AXES), draw(CHANNELS), draw(st.booleans())
    numbers = [per_axis(draw, values, axes) for values in (KERNELS, STRIDES, DILATIONS, PADDINGS)]
    channels = draw(CHANNELS), draw(GROUPS)
    sound, (k, s, d, p, (out, groups)) = perhaps_spoiled(draw, *numbers, channels)
    word = draw(st.sampled_from(["", "", "same", "valid"])) if sound else ""
    text = f"conv{axes}d:{out},k{written(k)},s{written(s)},d{written(d)},p{word or written(p)}"
    return (
        f"{text},g{groups}" + ("" if bias else ",nobias"),
        (into, *per_axis(draw, SIZES, axes)),
        lambda: torch_class("Conv", axes)(into, out, k, s, word or p, d, groups, bias=bias),
        sound,
    )


@st.composite
def transposed(draw: st.DrawFn) -> Case:
    axes, into, bias = draw(AXES), draw(CHANNELS), draw(st.booleans())
    kinds = (KERNELS, STRIDES, DILATIONS, PADDINGS, PADDINGS)
    numbers = [per_axis(draw, values, axes) for values in kinds]
    channels = draw(CHANNELS), draw(GROUPS)
    sound, (k, s, d, p, op, (out, groups)) = perhaps_spoiled(draw, *numbers, channels)
    text = f"convt{axes}d:{out},k{written(k)},s{written(s)},d{written(d)},p{written(p)}"
    return (
        f"{text},op{written(op)},g{groups}" + ("" if bias else ",nobias"),
        (into, *per_axis(draw, SIZES, axes)),
        lambda: torch_class("ConvTranspose", axes)(into, out, k, s, p, op, groups, bias, d),
        sound,
    )


@st.composite
def pools(draw: st.DrawFn) -> Case:
    axes, ceil = draw(AXES), draw(st.booleans())
    numbers = [per_axis(draw, values, axes) for values in (KERNELS, STRIDES, PADDINGS)]
    name = draw(st.sampled_from(["maxpool", "minpool", "avgpool"]))
    dilation = [] if name == "avgpool" else [per_axis(draw, DILATIONS, axes)]
    sound, (k, s, p, *d) = perhaps_spoiled(draw, *numbers, *dilation)
    text = f"{name}:k{written(k)},s{written(s)},p{written(p)}" + (",ceil" if ceil else "")
    more: dict[str, Any] = {"dilation": d[0]} if d else {}
    kind = "Max" if d else "Avg"
    return (
        text + (f",d{written(d[0])}" if d else ""),
        (draw(CHANNELS), *per_axis(draw, SIZES, axes)),
        lambda: torch_class(f"{kind}Pool", axes)(k, s, p, ceil_mode=ceil, **more),
        sound,
    )


@st.composite
def resizes(draw: st.DrawFn) -> Case:
    axes, mode = draw(AXES), draw(st.sampled_from(["linear", "bilinear", "trilinear", "bicubic"]))
    sound, (n,) = perhaps_spoiled(draw, per_axis(draw, st.integers(1, 6), axes))
    choices: list[tuple[str, Callable[[], nn.Module]]] = [
        ("adaptiveavgpool", lambda: torch_class("AdaptiveAvgPool", axes)(n)),
        ("adaptivemaxpool", lambda: torch_class("AdaptiveMaxPool", axes)(n)),
        ("upsample", lambda: nn.Upsample(scale_factor=n)),
        (f"upsample:{mode},", lambda: nn.Upsample(scale_factor=n, mode=mode)),
        ("gap", lambda: torch_class("AdaptiveAvgPool", axes)(1)),
    ]
    name, build = draw(st.sampled_from(choices))
    text = "gap" if name == "gap" else f"{name}{'' if ',' in name else ':'}{written(n)}"
    return text, (draw(CHANNELS), *per_axis(draw, SIZES, axes)), build, sound or name == "gap"


@st.composite
def pads(draw: st.DrawFn) -> Case:
    axes = draw(AXES)
    numbers = [per_axis(draw, st.integers(0, 4), axes) for _ in range(2)]
    sound, (befores, afters) = perhaps_spoiled(draw, *numbers)
    ends = tuple(zip(befores, afters, strict=True))
    text = "x".join(
        f"{before}+{after}" if before != after else f"{before}" for before, after in ends
    )
    flat = [end for pair in reversed(ends) for end in pair]  # torch names the last axis first
    shape = (draw(CHANNELS), *per_axis(draw, SIZES, axes))
    return f"pad:{text}", shape, lambda: torch_class("ZeroPad", axes)(tuple(flat)), sound


@st.composite
def depthwise(draw: st.DrawFn) -> Case:
    axes, into, bias = draw(AXES), draw(CHANNELS), draw(st.booleans())
    sound, ((multiplier,),) = perhaps_spoiled(draw, (draw(GROUPS),))
    out, k = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    p = draw(st.integers(0, 2))
    between = into * multiplier
    separable = draw(st.booleans())

    def build() -> nn.Module:
        conv = torch_class("Conv", axes)
        depthwise = conv(into, between, k, padding=p, groups=into, bias=bias)
        return (
            nn.Sequential(depthwise, conv(between, out, 1, bias=bias)) if separable else depthwise
        )

    text = f"sepconv:{out}," if separable else "dwconv:"
    text += f"k{k},p{p},m{multiplier}" + ("" if bias else ",nobias")
    return text, (into, *per_axis(draw, SIZES, axes)), build, sound


@st.composite
def plain(draw: st.DrawFn) -> Case:
    shape: Shape = (draw(CHANNELS), *per_axis(draw, SIZES, draw(st.integers(0, 3))))
    n, bias = draw(st.integers(0, 6)), draw(st.booleans())
    nobias = "" if bias else "nobias"
    choices: list[tuple[str, Callable[[], nn.Module], bool]] = [
        (f"linear:{n},{nobias}", lambda: nn.Linear(shape[-1], n, bias), n >= 1),
        ("flatten", nn.Flatten, True),
        ("bn", lambda: torch_class("BatchNorm", len(shape) - 1 or 1)(shape[0]), True),
        ("in", lambda: torch_class("InstanceNorm", len(shape) - 1)(shape[0]), len(shape) > 1),
        ("in:affine", lambda: affine(len(shape) - 1, shape[0]), len(shape) > 1),
        (f"ln:{nobias}", lambda: nn.LayerNorm(shape, bias=bias), True),
        (f"gn:{n}", lambda: nn.GroupNorm(n, shape[0]), n >= 1),
        (f"gn:g{n}", lambda: nn.GroupNorm(n, shape[0]), n >= 1),
        (f"prelu:{n}", lambda: nn.PReLU(n), n >= 1),
        (f"dropout:{n}", lambda: nn.Dropout(n), True),
        ("softmax", lambda: nn.Softmax(1), True),
        ("hardswish", nn.Hardswish, True),
    ]
    text, build, sound = draw(st.sampled_from(choices))
    return text.rstrip(",:"), shape, build, sound


FAMILIES = {
    "convolutions": convolutions(),
    "transposed": transposed(),
    "pools": pools(),
    "resizes": resizes(),
    "pads": pads(),
    "depthwise": depthwise(),
    "plain": plain(),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@MANY
@given(data=st.data())
def test_layer_is_torchs(family: st.SearchStrategy[Case], data: st.DataObject) -> None:
    text, shape, build, sound = data.draw(family)
    found = ours(text, shape)
    if sound:
        assert found == torchs(build, shape), (text, shape)
    else:
        assert found is None, (text, shape)


def computed(family: st.SearchStrategy[Case]) -> float:
    """Share of a family's cases that are not refused."""
    seen: list[bool] = []

    @settings(max_examples=200, deadline=None, database=None)
    @given(case=family)
    def count(case: Case) -> None:
        seen.append(ours(case[0], case[1]) is not None)

    count()
    return sum(seen) / len(seen)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_both_outcomes_are_common(family: st.SearchStrategy[Case]) -> None:
    """The comparison above proves little where one side of it is hardly ever reached."""
    assert 0.1 < computed(family) < 0.97


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["conv", "convt"])
@pytest.mark.parametrize(("k", "s", "d", "groups"), [(3, 1, 1, 1), (2, 3, 2, 2), (4, 2, 1, 4)])
def test_macs_count_the_products(axes: int, kind: str, k: int, s: int, d: int, groups: int) -> None:
    """All weights and inputs 1, nothing padded or cut off: every product adds 1 to the sum."""
    shape = (4, *(9, 8, 7)[:axes])
    name = "Conv" if kind == "conv" else "ConvTranspose"
    layer = torch_class(name, axes)(4, 8, k, s, dilation=d, groups=groups, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1)
        products = layer(torch.ones(1, *shape)).sum().item()
    assert trace_chain(f"{kind}{axes}d:8,k{k},s{s},d{d},g{groups}", shape).macs == products


def test_the_rules_of_pools_by_hand() -> None:
    assert trace_chain("maxpool:k5,ceil", (1, 4, 4)).output == (1, 1, 1)
    assert trace_chain("maxpool:k3,s2,ceil", (1, 6, 6)).output == (1, 3, 3)
    assert trace_chain("maxpool:k1,s2,ceil", (1, 4, 4)).output == (1, 2, 2)  # not 3: starts outside
    assert trace_chain("maxpool:k3,s1,p1,d2", (1, 5, 5)).output == (1, 3, 3)
    with pytest.raises(ShapeError, match="padding 2 is more than half of the kernel size 3"):
        trace_chain("maxpool:k3,p2,d4", (1, 20, 20))  # the dilated kernel spans 9


def test_average_pooling_over_three_axes_alone_needs_a_whole_kernel() -> None:
    """Padding and ceiling would otherwise allow 5 on 4; torch's AvgPool3d does not."""
    for text in ("maxpool:k5,ceil", "maxpool:k5,p1"):
        assert trace_chain(text, (1, 4, 4, 4)).output == (1, 1, 1, 1)
        assert trace_chain(text.replace("max", "avg"), (1, 4, 4)).output == (1, 1, 1)
        with pytest.raises(ShapeError, match="size 4 is below the kernel size 5"):
            trace_chain(text.replace("max", "avg"), (1, 4, 4, 4))
        assert torchs(lambda: nn.AvgPool3d(5, 5, 1, ceil_mode=True), (1, 4, 4, 4)) is None


def test_linear_layers_are_applied_to_every_row() -> None:
    """4 weights' worth for each of 16 numbers in 3*8 rows."""
    assert trace_chain("linear:4", (3, 8, 16)).macs == 3 * 8 * 16 * 4
