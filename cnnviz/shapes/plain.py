"""Layers without a window: normalisation, activations, flatten, linear, addition."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from cnnviz.errors import ShapeError
from cnnviz.shapes.layer import Layer
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.readers import Everything
from cnnviz.shapes.window import refuse_below

if TYPE_CHECKING:
    from cnnviz.shapes.layer import Shape
    from cnnviz.shapes.readers import Reader


class Elementwise(Layer):
    """A layer that keeps every size: activations, dropout, softmax over the channels.

    ``weights`` counts the slopes that a PReLU learns.
    """

    def __init__(self, name: str, weights: int = 0) -> None:
        self.name, self.weights = name, weights

    def output(self, shape: Shape) -> Shape:
        """The input's."""
        return shape


class Normalisation(Layer):
    """A layer that keeps every size and scales and shifts: batch, layer, group normalisation.

    ``scaled`` is the shape of its scales: the channels, or for layer normalisation the whole
    input. ``buffers`` counts batch normalisation's running mean, variance and batch counter.
    """

    def __init__(self, scaled: Shape, *, bias: bool = True, buffers: int = 0) -> None:
        self.scaled = scaled
        self.weights = prod(scaled)
        self.biases = self.weights if bias else 0
        self.buffers = buffers

    def output(self, shape: Shape) -> Shape:
        """The input's, where it begins with the scaled sizes."""
        if shape[: len(self.scaled)] != self.scaled:
            raise ShapeError(
                f"it normalises {size_text(self.scaled)} but its input is {size_text(shape)}"
            )
        return shape

    def explain_params(self) -> str:
        """Scales, shifts and buffers."""
        shifts = f" + {self.biases} shifts" if self.biases else ""
        told = f"{self.params:,} = {self.weights} scales{shifts}"
        return f"{told}; {self.buffers} buffers" if self.buffers else told


class BatchNorm(Normalisation):
    """``torch.nn.BatchNorm2d`` and its kin."""

    def __init__(self, channels: int) -> None:
        super().__init__((channels,), buffers=2 * channels + 1)


class LayerNorm(Normalisation):
    """``torch.nn.LayerNorm`` over all of the input."""


class GroupNorm(Normalisation):
    """``torch.nn.GroupNorm``.

    Raises:
        ShapeError: the groups do not divide the channels.
    """

    def __init__(self, groups: int, channels: int) -> None:
        refuse_below(1, groups=groups)
        if channels % groups:
            raise ShapeError(f"groups {groups} does not divide the {channels} channels")
        super().__init__((channels,))
        self.groups = groups


class Flatten(Layer):
    """All numbers of an image in one row: ``torch.nn.Flatten``."""

    def output(self, shape: Shape) -> Shape:
        """The product of all sizes."""
        return (prod(shape),)


class Linear(Layer):
    """A fully connected layer over the last axis, as ``torch.nn.Linear`` defines it."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        refuse_below(1, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weights = in_features * out_features
        self.biases = out_features if bias else 0

    def output(self, shape: Shape) -> Shape:
        """The input's, with the last number replaced.

        Raises:
            ShapeError: the last axis is not ``in_features`` long.
        """
        if shape[-1] != self.in_features:
            raise ShapeError(
                f"it reads {self.in_features} features but its input is {size_text(shape)}"
            )
        return (*shape[:-1], self.out_features)

    def macs(self, shape: Shape) -> int:
        """Every weight once, for each row that it is applied to."""
        return self.weights * prod(shape[:-1])

    def readers(self, shape: Shape) -> tuple[Reader, ...]:
        """All features along the last axis; the axes before it are left alone."""
        return (*super().readers(shape)[:-1], Everything())

    def explain_params(self) -> str:
        """Matrix and bias."""
        bias = f" + {self.biases} bias" if self.biases else ""
        return f"{self.params:,} = {self.out_features}*{self.in_features}{bias}"

    def explain_macs(self, shape: Shape) -> str:
        """Weights times rows."""
        told = f"{self.macs(shape):,} = {self.weights:,} weights"
        return told if len(shape) == 1 else f"{told} * {prod(shape[:-1])} rows"


class Add(Layer):
    """The sum of two branches."""

    def output(self, shape: Shape) -> Shape:
        """The input's."""
        return shape
