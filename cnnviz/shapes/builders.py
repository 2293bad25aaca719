"""What the arguments of a written layer make of it, for an input of a given shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cnnviz.errors import ShapeError
from cnnviz.shapes.axes import (
    MODES,
    AdaptiveAxis,
    PadAxis,
    PoolAxis,
    TransposedAxis,
    UpsampleAxis,
)
from cnnviz.shapes.conv import Convolution, SeparableConvolution, TransposedConvolution
from cnnviz.shapes.layer import Pad, Pool, Upsample
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.plain import Elementwise, GroupNorm, Linear
from cnnviz.shapes.window import Axis, same_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.shapes.grammar import Arguments
    from cnnviz.shapes.layer import Layer, Shape

KERNEL_SIZE, POOL_SIZE = 3, 2  # where none is given

Value = TypeVar("Value")


def _per_axis(values: tuple[Value, ...] | None, shape: Shape, default: Value) -> tuple[Value, ...]:
    """One value for each spatial axis of ``shape``."""
    values = values or (default,)
    axes = len(shape) - 1
    if len(values) not in {1, axes}:
        raise ShapeError(f"{_written(values)} has {len(values)} numbers for {axes} axes")
    return values * axes if len(values) == 1 else values


def _written(values: tuple[object, ...]) -> str:
    """As in a chain: ``3x3``, ``0+1x2+2``."""
    return "x".join("+".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in values)


def _number(given: Arguments, default: int, meaning: str) -> int:
    """The bare number, where it is one."""
    if given.n and len(given.n) > 1:
        raise ShapeError(f"{size_text(given.n)} should be one number, the {meaning}")
    return given.n[0] if given.n else default


def _pixels(given: Arguments) -> tuple[int, ...] | None:
    """The padding, where it must be a number."""
    if isinstance(given.p, str):
        raise ShapeError(f"padding {given.p} is for convolutions; give it as a number")
    return given.p


def _windows(given: Arguments, shape: Shape) -> list[Axis]:
    kernel, stride, dilation = (
        _per_axis(given.k, shape, KERNEL_SIZE),
        _per_axis(given.s, shape, 1),
        _per_axis(given.d, shape, 1),
    )
    if given.p == "same":
        if max(stride) > 1:
            raise ShapeError(
                f"padding same needs stride 1, as in torch, but the stride is {max(stride)};"
                " give the padding as a number"
            )
        padding = [same_padding(k, d) for k, d in zip(kernel, dilation, strict=True)]
    else:
        pixels = (0,) if given.p == "valid" else given.p
        padding = [(p, p) for p in _per_axis(pixels, shape, 0)]
    return [Axis(*each) for each in zip(kernel, stride, padding, dilation, strict=True)]


def convolution(given: Arguments, shape: Shape) -> Layer:
    """A convolution; its channels are the bare number."""
    out = _number(given, 1, "output channels")
    axes = _windows(given, shape)
    return Convolution(shape[0], out, axes, given.g or 1, not given.nobias)


def depthwise(given: Arguments, shape: Shape) -> Layer:
    """A convolution of each map by itself: as many groups as channels."""
    out = _number(given, shape[0] * (given.m or 1), "output channels")
    if out != shape[0] * (given.m or out // shape[0]):
        raise ShapeError(
            f"{out} output channels are not {given.m or 'a multiple of'}"
            f"{' times' if given.m else ''} the {shape[0]} of the input"
        )
    return Convolution(shape[0], out, _windows(given, shape), shape[0], not given.nobias)


def separable(given: Arguments, shape: Shape) -> Layer:
    """A depthwise convolution, then one of 1x1."""
    out = _number(given, 1, "output channels")
    axes = _windows(given, shape)
    return SeparableConvolution(shape[0], out, axes, given.m or 1, not given.nobias)


def transposed(given: Arguments, shape: Shape) -> Layer:
    """A transposed convolution."""
    values = zip(
        _per_axis(given.k, shape, KERNEL_SIZE),
        _per_axis(given.s, shape, 1),
        _per_axis(_pixels(given), shape, 0),
        _per_axis(given.d, shape, 1),
        _per_axis(given.op, shape, 0),
        strict=True,
    )
    axes = [TransposedAxis(*each) for each in values]
    out = _number(given, 1, "output channels")
    return TransposedConvolution(shape[0], out, axes, given.g or 1, not given.nobias)


def pool(mode: str) -> Callable[[Arguments, Shape], Layer]:
    """What builds a pool of that mode; its stride is its kernel, where none is given."""

    def build(given: Arguments, shape: Shape) -> Layer:
        kernel = _per_axis(given.k, shape, POOL_SIZE)
        stride = _per_axis(given.s, shape, 0) if given.s else kernel
        padding = _per_axis(_pixels(given), shape, 0)
        dilation = _per_axis(given.d, shape, 1)
        whole_kernel = mode == "avg" and len(shape) == 4
        values = zip(kernel, stride, padding, dilation, strict=True)
        return Pool([PoolAxis(*each, bool(given.ceil), whole_kernel) for each in values], mode)

    return build


def adaptive(mode: str) -> Callable[[Arguments, Shape], Layer]:
    """What builds a pool whose output's size is the bare number."""

    def build(given: Arguments, shape: Shape) -> Layer:
        if not given.n:
            raise ShapeError("it needs the size of its output, such as adaptiveavgpool:7x7")
        return Pool([AdaptiveAxis(size) for size in _per_axis(given.n, shape, 1)], mode)

    return build


def global_pool(_: Arguments, shape: Shape) -> Layer:
    """The average over each map."""
    return Pool([AdaptiveAxis(1)] * (len(shape) - 1), "avg")


def upsample(given: Arguments, shape: Shape) -> Layer:
    """Pixels repeated or weighted from their neighbours; the scale is a bare number, or ``s``."""
    if given.n and given.s:
        raise ShapeError("it needs its scale once, such as upsample:2")
    axes, name = len(shape) - 1, given.mode or "nearest"
    taps, possible = MODES[name]
    if axes not in possible:
        fitting = " or ".join(each for each, mode in MODES.items() if axes in mode.axes)
        raise ShapeError(f"{name} is not for {axes} spatial axes; take {fitting}")
    return Upsample([UpsampleAxis(s, taps) for s in _per_axis(given.n or given.s, shape, 2)])


def pad(given: Arguments, shape: Shape) -> Layer:
    """Zeros around the input: a bare number or ``p``, or ``ends`` that differ."""
    pixels = given.n or _pixels(given)
    ends = given.ends or (pixels and tuple((each, each) for each in pixels))
    if not ends or len([each for each in (given.n, given.p, given.ends) if each]) > 1:
        raise ShapeError("it needs the pixels to add once, such as pad:1, or pad:0+1 for one end")
    return Pad([PadAxis(each) for each in _per_axis(ends, shape, (0, 0))])


def group_norm(given: Arguments, shape: Shape) -> Layer:
    """Normalisation in groups; their number is the bare number, or ``g``."""
    groups = given.g or _number(given, 0, "groups")
    if not groups or (given.g and given.n):
        raise ShapeError("it needs its number of groups once, such as gn:32")
    return GroupNorm(groups, shape[0])


def linear(given: Arguments, shape: Shape) -> Layer:
    """A fully connected layer; its features are the bare number."""
    if not given.n:
        raise ShapeError("it needs its number of output features, such as linear:10")
    return Linear(shape[-1], _number(given, 1, "output features"), not given.nobias)


def dropout(given: Arguments, _: Shape) -> Layer:
    """Dropout; its probability changes no number, but must be one."""
    share = given.probability if given.n is None else _number(given, 0, "probability")
    if share is not None and not 0 <= share <= 1:
        raise ShapeError(f"its probability is {share}; it must be from 0 to 1")
    return Elementwise("dropout")


def prelu(given: Arguments, shape: Shape) -> Layer:
    """A ReLU with learned slopes; the bare number says how many."""
    slopes = _number(given, 1, "number of slopes")
    if slopes not in {1, shape[0]}:
        raise ShapeError(f"{slopes} slopes are neither 1 nor one for each of {shape[0]} channels")
    return Elementwise("prelu", slopes)
