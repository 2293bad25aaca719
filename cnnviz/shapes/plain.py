"""Layers without a window: normalisation, activations, flatten, linear; what joins branches."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from cnnviz.errors import ShapeError
from cnnviz.language import say
from cnnviz.shapes.layer import Layer
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.readers import Everything
from cnnviz.shapes.window import refuse_below
from cnnviz.shapes.wording import many, product

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """A layer that keeps every size and scales and shifts: batch, layer, group, instance.

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
        """Scales and shifts."""
        shifts = f" + {many(self.biases, 'shift')}" if self.biases else ""
        return f"{self.params:,} = {many(self.weights, 'scale')}{shifts}"


class BatchNorm(Normalisation):
    """``torch.nn.BatchNorm2d`` and its kin."""

    def __init__(self, channels: int) -> None:
        super().__init__((channels,), buffers=2 * channels + 1)

    def explain_params(self) -> str:
        """Scales, shifts and buffers."""
        return super().explain_params() + say(
            "; {buffers} buffers = {means} + {variances} + a counter",
            buffers=f"{self.buffers:,}",
            means=many(self.weights, "mean"),
            variances=many(self.weights, "variance"),
        )


class InstanceNorm(Normalisation):
    """``torch.nn.InstanceNorm2d`` and its kin: each map by itself, scaled only if ``affine``."""

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__((channels,))
        self.affine = affine
        if not affine:
            self.weights = self.biases = 0

    def output(self, shape: Shape) -> Shape:
        """The input's.

        Raises:
            ShapeError: a map is a single value, which has no variance.
        """
        if prod(shape[1:]) == 1:
            raise ShapeError(
                f"it needs more than one value in each map, but its input is {size_text(shape)}"
            )
        return super().output(shape)

    def explain_params(self) -> str:
        """Scales and shifts."""
        return super().explain_params() if self.affine else "0"


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

    def explain_output(self, shape: Shape) -> str:
        """The sizes as a product."""
        sizes = {"sizes": product(shape), "product": prod(shape)}
        return say("{sizes} = {product} features", **sizes) if len(shape) > 1 else ""


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

    def explain_output(self, shape: Shape) -> str:
        """What is done to an input that is no row of features."""
        if len(shape) == 1:
            return ""
        return say(
            "{features} for each of {rows}; put flatten before it to read all of them at once",
            features=many(self.out_features, "feature"),
            rows=many(prod(shape[:-1]), "row"),
        )

    def explain_params(self) -> str:
        """Matrix and bias."""
        bias = f" + {many(self.biases, 'bias', 'biases')}" if self.biases else ""
        return f"{self.params:,} = {self.out_features}*{self.in_features}{bias}"

    def explain_macs(self, shape: Shape) -> str:
        """Weights times rows."""
        told = f"{self.macs(shape):,} = {many(self.weights, 'weight')}"
        return told if len(shape) == 1 else f"{told} * {many(prod(shape[:-1]), 'row')}"


class Add(Layer):
    """The sum of two branches, which give ``shapes``.

    Raises:
        ShapeError: their sizes differ.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        main, shortcut = shapes
        if main != shortcut:
            raise ShapeError(
                f"the main branch gives {size_text(main)} and the shortcut {size_text(shortcut)};"
                " both must have the same size to be added"
            )

    def output(self, shape: Shape) -> Shape:
        """The input's."""
        return shape


class Concatenate(Layer):
    """Branches one after the other along the channels: ``torch.cat(…, 1)``.

    Raises:
        ShapeError: their sizes differ in more than the channels.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.parts = tuple(shape[0] for shape in shapes)
        odd = next((shape for shape in shapes if shape[1:] != shapes[0][1:]), None)
        if odd is not None:
            raise ShapeError(
                f"one branch gives {size_text(shapes[0])} and another {size_text(odd)};"
                " all must have the same size but for the channels"
            )

    def output(self, shape: Shape) -> Shape:
        """The first branch's size with the channels of all."""
        return (sum(self.parts), *shape[1:])

    def explain_output(self, shape: Shape) -> str:
        """The channels as a sum."""
        terms = " + ".join(map(str, self.parts))
        return say("{terms} = {channels} channels", terms=terms, channels=sum(self.parts))
