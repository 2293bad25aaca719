"""A chain built of torch's own layers, to compare with; nothing is allocated.

torch's meta device computes shapes without values. It accepts some layers that the CPU refuses
(a negative padding, a kernel of 0), so it checks sizes, not refusals.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from cnnviz.errors import CnnvizError, DisagreementError
from cnnviz.language import say
from cnnviz.shapes import axes as rules
from cnnviz.shapes import conv, layer, plain
from cnnviz.shapes.chain import Fork
from cnnviz.shapes.notation import quoted, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.chain import Chain, Item, Step

ELEMENTWISE: dict[str, Callable[[], nn.Module]] = {
    "dropout": nn.Dropout,
    "softmax": lambda: nn.Softmax(1),
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "logsigmoid": nn.LogSigmoid,
    "tanh": nn.Tanh,
    "hardtanh": nn.Hardtanh,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "hardswish": nn.Hardswish,
}


def compare(chain: Chain) -> str:
    """A sentence that says what agrees with torch.

    Raises:
        DisagreementError: a size, or a number of parameters or buffers, differs; the layer is
            named.
    """
    with warnings.catch_warnings(), torch.device("meta"), torch.inference_mode():
        warnings.simplefilter("ignore")  # how torch would compute is not asked
        _run(chain.items, _images(chain.input))
    count = len(chain.steps)
    layers = say("the layer") if count == 1 else say("all {count} layers", count=count)
    told = "sizes, parameters and buffers of {layers} are those of torch {version}"
    return say(told, layers=layers, version=torch.__version__)


def _images(size: tuple[int, ...]) -> torch.Tensor:
    """Two, without values: of a single value GroupNorm has no variance."""
    try:
        return torch.empty(2, *size)
    except (RuntimeError, OverflowError) as error:
        raise CnnvizError(f"{size_text(size)} is too large for torch: {error}") from None


def _run(items: Sequence[Item], data: torch.Tensor) -> torch.Tensor:
    for item in items:
        if isinstance(item, Fork):
            ends = [_run(branch, data) for branch in item.branches]
            together = isinstance(item.join.layer, plain.Concatenate)
            data = torch.cat(ends, 1) if together else sum(ends[1:], start=ends[0])
            _same(item.join, "output", item.join.output, tuple(data.shape[1:]))
        else:
            module = _built(item)
            data = _applied(item, module, data)
            _same(item, "output", item.output, tuple(data.shape[1:]))
            params = sum(p.numel() for p in module.parameters())
            _same(item, "parameters", item.layer.params, params)
            buffers = sum(b.numel() for b in module.buffers())
            _same(item, "buffers", item.layer.buffers, buffers)
    return data


def _built(step: Step) -> nn.Module:
    try:
        return torch_layer(step).eval()
    except (RuntimeError, OverflowError) as error:  # sizes that no 64-bit number counts
        raise CnnvizError(f"{_named_step(step)}: torch cannot build it: {error}") from None


def _applied(step: Step, module: nn.Module, data: torch.Tensor) -> torch.Tensor:
    try:
        output: torch.Tensor = module(data)
    except Exception as error:  # torch's own refusals come as several kinds
        if "overflow" in str(error):
            raise CnnvizError(f"{_named_step(step)}: too large for torch: {error}") from None
        raise DisagreementError(f"{_named_step(step)}: torch refuses it: {error}") from None
    return output


def _same(step: Step, what: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        said = [size_text(each) if isinstance(each, tuple) else each for each in (ours, theirs)]
        raise DisagreementError(f"{_named_step(step)}: {what} {said[0]}, but torch has {said[1]}")


def _named_step(step: Step) -> str:
    return f"layer {step.position}, {quoted(step.text)}"


def torch_layer(step: Step) -> nn.Module:
    """The layer of a step in torch, on the current device."""
    return _BUILDERS[type(step.layer)](step.layer, len(step.input) - 1)


def _named(name: str, axes: int) -> Callable[..., nn.Module]:
    """Torch's class for that many axes."""
    return cast("Callable[..., nn.Module]", getattr(nn, f"{name}{axes}d"))


def _convolution(ours: conv.Convolution, axes: int) -> nn.Module:
    kernel, stride, padding, dilation = zip(*ours.axes, strict=True)
    uneven = any(before != after for before, after in padding)
    return _named("Conv", axes)(
        ours.in_channels,
        ours.out_channels,
        kernel,
        stride,
        "same" if uneven else tuple(before for before, _ in padding),
        dilation,
        ours.groups,
        bias=bool(ours.biases),
    )


def _transposed(ours: conv.TransposedConvolution, axes: int) -> nn.Module:
    kernel, stride, padding, dilation, output_padding = zip(*ours.axes, strict=True)
    return _named("ConvTranspose", axes)(
        ours.in_channels,
        ours.out_channels,
        kernel,
        stride,
        padding,
        output_padding,
        ours.groups,
        bool(ours.biases),
        dilation,
    )


def _separable(ours: conv.SeparableConvolution, axes: int) -> nn.Module:
    return nn.Sequential(_convolution(ours.depthwise, axes), _convolution(ours.pointwise, axes))


def _pool(ours: Any, axes: int) -> nn.Module:
    kind = "Avg" if ours.mode == "avg" else "Max"  # the minimum is -max(-x): the same sizes
    if isinstance(ours.axes[0], rules.AdaptiveAxis):
        lengths = tuple(axis.length for axis in ours.axes)
        return _named(f"Adaptive{kind}Pool", axes)(lengths)
    kernel, stride, padding, dilation, ceil_mode, _ = zip(*ours.axes, strict=True)
    dilated = {} if kind == "Avg" else {"dilation": dilation}
    return _named(f"{kind}Pool", axes)(kernel, stride, padding, ceil_mode=ceil_mode[0], **dilated)


def _pad(ours: Any, axes: int) -> nn.Module:
    # torch names the last axis first, each with its two ends.
    ends = [end for axis in reversed(ours.axes) for end in axis.padding]
    return _named("ZeroPad", axes)(tuple(ends))


def _upsample(ours: Any, axes: int) -> nn.Module:
    taps, scales = ours.axes[0].taps, tuple(axis.scale for axis in ours.axes)
    name = next(n for n, mode in rules.MODES.items() if mode.taps == taps and axes in mode.axes)
    return nn.Upsample(scale_factor=scales, mode=name)


def _elementwise(ours: plain.Elementwise, _: int) -> nn.Module:
    return nn.PReLU(ours.weights) if ours.name == "prelu" else ELEMENTWISE[ours.name]()


_BUILDERS: dict[type[layer.Layer], Callable[[Any, int], nn.Module]] = {
    conv.Convolution: _convolution,
    conv.TransposedConvolution: _transposed,
    conv.SeparableConvolution: _separable,
    layer.Pool: _pool,
    layer.Upsample: _upsample,
    layer.Pad: _pad,
    plain.BatchNorm: lambda ours, axes: _named("BatchNorm", axes or 1)(ours.scaled[0]),
    plain.InstanceNorm: lambda ours, axes: _named("InstanceNorm", axes)(
        ours.scaled[0], affine=ours.affine
    ),
    plain.LayerNorm: lambda ours, _: nn.LayerNorm(ours.scaled, bias=bool(ours.biases)),
    plain.GroupNorm: lambda ours, _: nn.GroupNorm(ours.groups, ours.scaled[0]),
    plain.Elementwise: _elementwise,
    plain.Flatten: lambda _, __: nn.Flatten(),
    plain.Linear: lambda ours, _: nn.Linear(
        ours.in_features, ours.out_features, bias=bool(ours.biases)
    ),
}
