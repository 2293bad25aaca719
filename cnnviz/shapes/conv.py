"""Convolutions as numbers: sizes, parameters, multiply-adds."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.language import say
from cnnviz.shapes.layer import Layer, Windowed
from cnnviz.shapes.window import Axis, refuse_below
from cnnviz.shapes.wording import many, product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.axes import TransposedAxis
    from cnnviz.shapes.layer import Shape
    from cnnviz.shapes.readers import Reader
    from cnnviz.shapes.window import AxisRule


def conv_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Length of one spatial axis after a convolution, in pixels.

    ``padding`` is added on both sides.

    Raises:
        ShapeError: the dilated kernel is longer than the padded input, or a number is
            below its minimum.

    Source: output-shape formula of ``torch.nn.Conv2d``.

    >>> conv_output_size(227, 11, stride=4)
    55
    """
    return Axis(kernel_size, stride, (padding, padding), dilation).output_size(size)


class Convolution(Windowed):
    """A convolution over one, two or three axes, as ``torch.nn.Conv2d`` defines it.

    Each output channel reads ``in_channels / groups`` maps. Depthwise: groups = in_channels.

    Raises:
        ShapeError: a number is below 1, or groups do not divide the channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        axes: Sequence[Axis] | Sequence[TransposedAxis],
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(axes)
        _refuse_impossible(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel = tuple(axis.kernel_size for axis in axes)
        self.weights = out_channels * (in_channels // groups) * prod(self.kernel)
        self.biases = out_channels if bias else 0

    def channels(self, given: int) -> int:
        """``out_channels``, where the input has ``in_channels``."""
        if given != self.in_channels:
            raise ShapeError(f"it reads {self.in_channels} channels but its input has {given}")
        return self.out_channels

    def macs(self, shape: Shape) -> int:
        """Every weight once per position of the window; bias not counted.

        Source: the count of torchvision's model table (``GFLOPS`` there).
        """
        return self.weights * prod(self._positions(shape))

    def explain_params(self) -> str:
        """Channels times kernel, and the bias."""
        read = f"({self.in_channels}/{self.groups})" if self.groups > 1 else self.in_channels
        terms = f"{self.out_channels}*{read}*{product(self.kernel)}"
        added = f" + {many(self.biases, 'bias', 'biases')}" if self.biases else ""
        return f"{self.params:,} = {terms}{added}"

    def explain_macs(self, shape: Shape) -> str:
        """Weights times positions."""
        return say(
            "{macs} = {weights} * {positions} positions",
            macs=f"{self.macs(shape):,}",
            weights=many(self.weights, "weight"),
            positions=product(self._positions(shape)),
        )

    def _positions(self, shape: Shape) -> Shape:
        return self.output(shape)[1:]


class TransposedConvolution(Convolution):
    """``torch.nn.ConvTranspose2d`` and its kin; the window moves over the output."""

    def _positions(self, shape: Shape) -> Shape:
        self.output(shape)  # refuses what does not fit
        return shape[1:]


class SeparableConvolution(Layer):
    """A depthwise convolution, then a 1x1 convolution that mixes the channels.

    Both have a bias, or neither. Source: Chollet, "Xception: Deep Learning with Depthwise
    Separable Convolutions", CVPR 2017, without its normalisation and activations.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        axes: Sequence[Axis],
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        refuse_below(1, multiplier=multiplier)
        between = in_channels * multiplier
        self.depthwise = Convolution(in_channels, between, axes, in_channels, bias)
        self.pointwise = Convolution(between, out_channels, [Axis(1)] * len(axes), 1, bias)
        self.weights = self.depthwise.weights + self.pointwise.weights
        self.biases = self.depthwise.biases + self.pointwise.biases

    def output(self, shape: Shape) -> Shape:
        """Channels and spatial sizes of the output."""
        return self.pointwise.output(self.depthwise.output(shape))

    def macs(self, shape: Shape) -> int:
        """Those of both convolutions."""
        between = self.depthwise.output(shape)
        return self.depthwise.macs(shape) + self.pointwise.macs(between)

    def axes_on(self, shape: Shape) -> tuple[AxisRule, ...]:
        """The depthwise window's."""
        return self.depthwise.axes

    def readers(self, shape: Shape) -> tuple[Reader, ...]:
        """The depthwise window's; the 1x1 convolution reads in place."""
        return self.depthwise.readers(shape)

    def explain_params(self) -> str:
        """Depthwise and 1x1."""
        parts = self.depthwise.explain_params(), self.pointwise.explain_params()
        return _both(self.params, *parts)

    def explain_macs(self, shape: Shape) -> str:
        """Depthwise and 1x1."""
        between = self.depthwise.output(shape)
        parts = self.depthwise.explain_macs(shape), self.pointwise.explain_macs(between)
        return _both(self.macs(shape), *parts)


def _both(total: int, depthwise: str, pointwise: str) -> str:
    told = "{total}: depthwise {depthwise}; 1x1 {pointwise}"
    return say(told, total=f"{total:,}", depthwise=depthwise, pointwise=pointwise)


class Conv2d(NamedTuple):
    """A 2-D ``Convolution`` with its two axes named; nothing is refused before a size is asked.

    Sizes of tensors are ``(channels, height, width)``.
    """

    in_channels: int
    out_channels: int
    height: Axis
    width: Axis
    groups: int = 1
    bias: bool = True

    def output_size(self, height: int, width: int) -> tuple[int, int, int]:
        """Channels, height and width of the output.

        Raises:
            ShapeError: the kernel does not fit, or groups do not divide the channels.
        """
        channels, rows, columns = self.layer.output((self.in_channels, height, width))
        return channels, rows, columns

    @property
    def layer(self) -> Convolution:
        """The same as a ``Layer``."""
        axes = (self.height, self.width)
        return Convolution(self.in_channels, self.out_channels, axes, self.groups, self.bias)

    @property
    def weights(self) -> int:
        """Number of kernel weights; each output channel reads ``in_channels/groups`` maps."""
        return self.layer.weights

    @property
    def parameters(self) -> int:
        """Weights and, with a bias, one number more per output channel.

        >>> k3 = Axis(3)
        >>> Conv2d(3, 64, k3, k3).parameters
        1792
        """
        return self.layer.params

    def macs(self, height: int, width: int) -> int:
        """Multiply-adds for one image: every weight once per output position, without bias."""
        return self.layer.macs((self.in_channels, height, width))


def _refuse_impossible(in_channels: int, out_channels: int, groups: int) -> None:
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    for name, count in {**channels, "groups": groups}.items():
        if count < 1:
            raise ShapeError(f"{name} is {count}; it must be at least 1")
    for name, count in channels.items():
        if count % groups:
            raise ShapeError(
                f"groups {groups} does not divide {name} {count}; choose a divisor of both"
            )
