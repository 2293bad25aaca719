"""The layers that a chain can name: which arguments each takes, and what it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.shapes.axes import AdaptiveAxis, PadAxis, PoolAxis, TransposedAxis, UpsampleAxis
from cnnviz.shapes.conv import Convolution, SeparableConvolution, TransposedConvolution
from cnnviz.shapes.layer import SIZES_NEEDED, Pad, Pool, Upsample
from cnnviz.shapes.notation import quoted, size_text
from cnnviz.shapes.plain import BatchNorm, Elementwise, Flatten, GroupNorm, LayerNorm, Linear
from cnnviz.shapes.window import Axis, same_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.shapes.grammar import Arguments, LayerText
    from cnnviz.shapes.layer import Layer, Shape

KERNEL_SIZE, POOL_SIZE = 3, 2  # where none is given

WORDS = {
    "n": "bare number",
    "k": "kernel size (k)",
    "s": "stride (s)",
    "p": "padding (p)",
    "d": "dilation (d)",
    "op": "output padding (op)",
    "g": "groups (g)",
    "m": "multiplier (m)",
    "nobias": "nobias",
    "ceil": "ceil",
    "probability": "probability",
}


class Kind(NamedTuple):
    """A family of layers.

    ``takes`` are the arguments it knows, ``axes`` the numbers of spatial axes that its input may
    have; none is named where it does not matter.
    """

    build: Callable[[Arguments, Shape], Layer]
    takes: str = ""
    axes: tuple[int, ...] = ()

    @property
    def usual_axes(self) -> int:
        """The number of axes to expect of an input that is not known yet; else 2."""
        return 2 if self.axes == SPATIAL else self.axes[-1]


def build_layer(layer: LayerText, shape: Shape) -> Layer:
    """The layer that was written, for an input of ``shape``.

    Raises:
        ShapeError: no such layer, an argument that it does not take, or one that does not fit.
    """
    kind = kind_of(layer.name)
    taken = kind.takes.split()
    for name, value in layer.arguments._asdict().items():
        if value is not None and name not in taken:
            can = f"it takes {', '.join(WORDS[each] for each in taken) or 'nothing'}"
            raise ShapeError(f"{layer.name} takes no {WORDS[name]}; {can}")
    axes = len(shape) - 1
    if kind.axes and axes not in kind.axes:
        needed = SIZES_NEEDED[kind.usual_axes]
        hint = f"; write the layer's name with {axes}d" if axes in SIZES_NEEDED else ""
        raise ShapeError(f"its input must be {needed}, but it is {size_text(shape)}{hint}")
    return kind.build(layer.arguments, shape)


def kind_of(name: str) -> Kind:
    """The family of that name.

    Raises:
        ShapeError: there is none; near misses are named.
    """
    if name in KINDS:
        return KINDS[name]
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name[:40], KINDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(LISTED)}"
    raise ShapeError(f"there is no layer {quoted(name)}; {hint}")


def _per_axis(values: tuple[int, ...] | None, shape: Shape, default: int) -> tuple[int, ...]:
    """One number for each spatial axis of ``shape``."""
    values = values or (default,)
    axes = len(shape) - 1
    if len(values) not in {1, axes}:
        raise ShapeError(f"{size_text(values)} has {len(values)} numbers for {axes} axes")
    return values * axes if len(values) == 1 else values


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


def _convolution(given: Arguments, shape: Shape) -> Layer:
    out = _number(given, 1, "output channels")
    axes = _windows(given, shape)
    return Convolution(shape[0], out, axes, given.g or 1, not given.nobias)


def _depthwise(given: Arguments, shape: Shape) -> Layer:
    out = _number(given, shape[0] * (given.m or 1), "output channels")
    if out != shape[0] * (given.m or out // shape[0]):
        raise ShapeError(
            f"{out} output channels are not {given.m or 'a multiple of'}"
            f"{' times' if given.m else ''} the {shape[0]} of the input"
        )
    return Convolution(shape[0], out, _windows(given, shape), shape[0], not given.nobias)


def _separable(given: Arguments, shape: Shape) -> Layer:
    out = _number(given, 1, "output channels")
    axes = _windows(given, shape)
    return SeparableConvolution(shape[0], out, axes, given.m or 1, not given.nobias)


def _transposed(given: Arguments, shape: Shape) -> Layer:
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


def _pool(mode: str) -> Callable[[Arguments, Shape], Layer]:
    def build(given: Arguments, shape: Shape) -> Layer:
        kernel = _per_axis(given.k, shape, POOL_SIZE)
        stride = _per_axis(given.s, shape, 0) if given.s else kernel
        padding = _per_axis(_pixels(given), shape, 0)
        dilation = _per_axis(given.d, shape, 1)
        whole_kernel = mode == "avg" and len(shape) == 4
        values = zip(kernel, stride, padding, dilation, strict=True)
        return Pool([PoolAxis(*each, bool(given.ceil), whole_kernel) for each in values], mode)

    return build


def _adaptive(mode: str) -> Callable[[Arguments, Shape], Layer]:
    def build(given: Arguments, shape: Shape) -> Layer:
        if not given.n:
            raise ShapeError("it needs the size of its output, such as adaptiveavgpool:7x7")
        return Pool([AdaptiveAxis(size) for size in _per_axis(given.n, shape, 1)], mode)

    return build


def _global_pool(_: Arguments, shape: Shape) -> Layer:
    return Pool([AdaptiveAxis(1)] * (len(shape) - 1), "avg")


def _upsample(given: Arguments, shape: Shape) -> Layer:
    if given.n and given.s:
        raise ShapeError("it needs its scale once, such as upsample:2")
    return Upsample([UpsampleAxis(scale) for scale in _per_axis(given.n or given.s, shape, 2)])


def _pad(given: Arguments, shape: Shape) -> Layer:
    pixels = given.n or _pixels(given)
    if not pixels or (given.n and given.p):
        raise ShapeError("it needs the pixels to add on every side once, such as pad:1")
    return Pad([PadAxis(padding) for padding in _per_axis(pixels, shape, 0)])


def _group_norm(given: Arguments, shape: Shape) -> Layer:
    groups = given.g or _number(given, 0, "groups")
    if not groups or (given.g and given.n):
        raise ShapeError("it needs its number of groups once, such as gn:32")
    return GroupNorm(groups, shape[0])


def _linear(given: Arguments, shape: Shape) -> Layer:
    if not given.n:
        raise ShapeError("it needs its number of output features, such as linear:10")
    return Linear(shape[-1], _number(given, 1, "output features"), not given.nobias)


def _dropout(given: Arguments, _: Shape) -> Layer:
    share = given.probability if given.n is None else _number(given, 0, "probability")
    if share is not None and not 0 <= share <= 1:
        raise ShapeError(f"its probability is {share}; it must be from 0 to 1")
    return Elementwise("dropout")


def _prelu(given: Arguments, shape: Shape) -> Layer:
    slopes = _number(given, 1, "number of slopes")
    if slopes not in {1, shape[0]}:
        raise ShapeError(f"{slopes} slopes are neither 1 nor one for each of {shape[0]} channels")
    return Elementwise("prelu", slopes)


def _elementwise(name: str) -> Kind:
    return Kind(lambda _, __: Elementwise(name))


ACTIVATIONS = (
    *("relu", "relu6", "leakyrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid"),
    *("hardsigmoid", "logsigmoid", "tanh", "hardtanh", "softplus", "softsign", "hardswish"),
)

SPATIAL = (1, 2, 3)

WINDOWED = {
    "conv": Kind(_convolution, "n k s p d g nobias", SPATIAL),
    "dwconv": Kind(_depthwise, "n k s p d m nobias", SPATIAL),
    "sepconv": Kind(_separable, "n k s p d m nobias", SPATIAL),
    "convt": Kind(_transposed, "n k s p d op g nobias", SPATIAL),
    "maxpool": Kind(_pool("max"), "k s p d ceil", SPATIAL),
    "avgpool": Kind(_pool("avg"), "k s p ceil", SPATIAL),
    "minpool": Kind(_pool("min"), "k s p d ceil", SPATIAL),
    "adaptiveavgpool": Kind(_adaptive("avg"), "n", SPATIAL),
    "adaptivemaxpool": Kind(_adaptive("max"), "n", SPATIAL),
    "upsample": Kind(_upsample, "n s", SPATIAL),
    "pad": Kind(_pad, "n p", SPATIAL),
    "gap": Kind(_global_pool, "", SPATIAL),
}

PLAIN = {
    "bn": Kind(lambda _, shape: BatchNorm(shape[0])),
    "ln": Kind(lambda given, shape: LayerNorm(shape, bias=not given.nobias), "nobias"),
    "gn": Kind(_group_norm, "n g"),
    **{name: _elementwise(name) for name in (*ACTIVATIONS, "softmax")},
    "prelu": Kind(_prelu, "n"),
    "dropout": Kind(_dropout, "n probability"),
    "flatten": Kind(lambda _, __: Flatten()),
    "linear": Kind(_linear, "n nobias"),
}

KINDS = {
    **WINDOWED,
    **PLAIN,
    **{
        f"{name}{axes}d": kind._replace(axes=(axes,))
        for name, kind in {**WINDOWED, "bn": PLAIN["bn"]}.items()
        for axes in SPATIAL
    },
    "bn1d": PLAIN["bn"]._replace(axes=(0, 1)),  # of features, too
    "conv": WINDOWED["conv"]._replace(axes=(2,)),
    "transposed": WINDOWED["convt"],
}

LISTED = (*WINDOWED, "conv1d", "conv3d", *PLAIN, "res[ … / … ]")
