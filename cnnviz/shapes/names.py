"""The layers that a chain can name: which arguments each takes, and what it becomes."""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.shapes import builders
from cnnviz.shapes.axes import SPATIAL
from cnnviz.shapes.layer import SIZES_NEEDED
from cnnviz.shapes.notation import LONGEST_QUOTE, quoted, size_text
from cnnviz.shapes.plain import BatchNorm, Elementwise, Flatten, InstanceNorm, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.shapes.grammar import Arguments, LayerText
    from cnnviz.shapes.layer import Layer, Shape

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
    "affine": "affine",
    "mode": "mode (bilinear)",
    "ends": "padding of two ends (1+2)",
    "probability": "probability",
}

ELSEWHERE = {  # what others call a layer
    "batchnorm": "bn",
    "layernorm": "ln",
    "groupnorm": "gn",
    "instancenorm": "in",
    "convtranspose": "convt",
    "deconv": "convt",
    "depthwise": "dwconv",
    "separable": "sepconv",
    "dense": "linear",
    "fc": "linear",
    "swish": "silu",
    "zeropad": "pad",
    "concat": "cat[ … / … ]",
    "identity": "res[ … / ]",
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
            raise ShapeError(f"{layer.name} does not take {WORDS[name]}; {can}")
    axes = len(shape) - 1
    if kind.axes and axes not in kind.axes:
        needed = SIZES_NEEDED[kind.usual_axes]
        other = f"{_stem(layer.name)}{axes}d"
        hint = f"; {other} would take that" if other in KINDS else ""
        raise ShapeError(f"its input must be {needed}, but it is {size_text(shape)}{hint}")
    return kind.build(layer.arguments, shape)


def kind_of(name: str) -> Kind:
    """The family of that name.

    Raises:
        ShapeError: there is none; near misses are named.
    """
    if name in KINDS:
        return KINDS[name]
    raise ShapeError(f"there is no layer {quoted(name)}; {_meant(name[:LONGEST_QUOTE])}")


def _stem(name: str) -> str:
    """The name without its axes."""
    return re.sub(r"[123]d$", "", name)


def _meant(name: str) -> str:
    """What may have been meant by a name that is none."""
    from difflib import get_close_matches  # only on the way to an error

    plain = name.lower().replace("_", "")
    rest = plain.lstrip(ascii_lowercase)
    word = plain[: len(plain) - len(rest)]
    if rest and not plain.endswith("d") and (word in KINDS or len(word) < 2):
        return "arguments follow a colon and have no spaces, such as conv:64,k3,p1"
    stem = ELSEWHERE.get(_stem(plain), "")
    with_axes = stem + plain[len(_stem(plain)) :]
    close = [each for each in (with_axes, stem) if each in KINDS or "[" in each]
    close += get_close_matches(plain, KINDS, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(LISTED)}"


def _elementwise(name: str) -> Kind:
    return Kind(lambda _, __: Elementwise(name))


ACTIVATIONS = (
    *("relu", "relu6", "leakyrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid"),
    *("hardsigmoid", "logsigmoid", "tanh", "hardtanh", "softplus", "softsign", "hardswish"),
)

WINDOWED = {
    "conv": Kind(builders.convolution, "n k s p d g nobias", SPATIAL),
    "dwconv": Kind(builders.depthwise, "n k s p d m nobias", SPATIAL),
    "sepconv": Kind(builders.separable, "n k s p d m nobias", SPATIAL),
    "convt": Kind(builders.transposed, "n k s p d op g nobias", SPATIAL),
    "maxpool": Kind(builders.pool("max"), "k s p d ceil", SPATIAL),
    "avgpool": Kind(builders.pool("avg"), "k s p ceil", SPATIAL),
    "minpool": Kind(builders.pool("min"), "k s p d ceil", SPATIAL),
    "adaptiveavgpool": Kind(builders.adaptive("avg"), "n", SPATIAL),
    "adaptivemaxpool": Kind(builders.adaptive("max"), "n", SPATIAL),
    "upsample": Kind(builders.upsample, "n s mode", SPATIAL),
    "pad": Kind(builders.pad, "n p ends", SPATIAL),
    "in": Kind(
        lambda given, shape: InstanceNorm(shape[0], affine=bool(given.affine)), "affine", SPATIAL
    ),
    "gap": Kind(builders.global_pool, "", SPATIAL),
}

PLAIN = {
    "bn": Kind(lambda _, shape: BatchNorm(shape[0])),
    "ln": Kind(lambda given, shape: LayerNorm(shape, bias=not given.nobias), "nobias"),
    "gn": Kind(builders.group_norm, "n g"),
    **{name: _elementwise(name) for name in (*ACTIVATIONS, "softmax")},
    "prelu": Kind(builders.prelu, "n"),
    "dropout": Kind(builders.dropout, "n probability"),
    "flatten": Kind(lambda _, __: Flatten()),
    "linear": Kind(builders.linear, "n nobias"),
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

LISTED = (*WINDOWED, "conv1d", "conv3d", *PLAIN, "res[ … / … ]", "cat[ … / … ]")
