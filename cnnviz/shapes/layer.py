"""What every layer can say about itself; one small class per family stands behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from cnnviz.errors import ShapeError
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.readers import SAME, Reader
from cnnviz.shapes.window import along

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.window import AxisRule

Shape = tuple[int, ...]

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
SIZES_NEEDED = {
    1: "CHANNELSxLENGTH",
    2: "CHANNELSxHEIGHTxWIDTH",
    3: "CHANNELSxDEPTHxHEIGHTxWIDTH",
}


class Layer(ABC):
    """Sizes and costs of one layer.

    A shape is that of one image, without the batch: ``(channels, height, width)``, with one or
    three spatial axes likewise, or ``(features,)``.
    """

    weights: int = 0
    """Trainable numbers that multiply: kernels, matrices, scales."""
    biases: int = 0
    """Trainable numbers that are added."""
    buffers: int = 0
    """Numbers that are kept and not trained, such as running means."""

    @property
    def params(self) -> int:
        """Trainable numbers, bias included."""
        return self.weights + self.biases

    @abstractmethod
    def output(self, shape: Shape) -> Shape:
        """Shape of the output, every number at least 1, or a ``ShapeError``."""

    def macs(self, shape: Shape) -> int:
        """Multiply-adds for one image, in torchvision's sense.

        Each use of a weight of a convolution or linear layer is one; bias, normalisation,
        pooling and activations are none.
        """
        return 0

    def axes_on(self, shape: Shape) -> tuple[AxisRule, ...]:
        """What happens along each spatial axis; empty where nothing does."""
        return ()

    def readers(self, shape: Shape) -> tuple[Reader, ...]:
        """Which inputs each output reads, along every spatial axis, or along the features."""
        return (SAME,) * max(1, len(shape) - 1)

    def explain_output(self, shape: Shape) -> str:
        """How the output's size comes about, where no axis says it; else nothing."""
        return ""

    def explain_params(self) -> str:
        """The parameters as a term."""
        return f"{self.params:,}"

    def explain_macs(self, shape: Shape) -> str:
        """The multiply-adds as a term."""
        return f"{self.macs(shape):,}"


class Windowed(Layer):
    """A layer with a rule along every spatial axis, which keeps its channels."""

    def __init__(self, axes: Sequence[AxisRule]) -> None:
        self.axes = tuple(axes)

    def output(self, shape: Shape) -> Shape:
        """Channels and spatial sizes of the output.

        Raises:
            ShapeError: the number of axes or a size does not fit.
        """
        if len(shape) != len(self.axes) + 1:
            needed = SIZES_NEEDED[len(self.axes)]
            raise ShapeError(f"the input must be {needed}, but it is {size_text(shape)}")
        names = AXIS_NAMES[len(self.axes)]
        spatial = zip(self.axes, names, shape[1:], strict=True)
        return (self.channels(shape[0]), *(along(*each) for each in spatial))

    def channels(self, given: int) -> int:
        """Channels of the output for ``given`` channels of the input."""
        return given

    def axes_on(self, shape: Shape) -> tuple[AxisRule, ...]:
        """The rules, one per axis."""
        return self.axes

    def readers(self, shape: Shape) -> tuple[Reader, ...]:
        """Which inputs each output reads, along every axis."""
        return tuple(axis.reader(n) for axis, n in zip(self.axes, shape[1:], strict=True))


class Pool(Windowed):
    """Max, average or min pooling, sliding or adaptive; min is what ``-maxpool(-x)`` gives."""

    def __init__(self, axes: Sequence[AxisRule], mode: str = "max") -> None:
        super().__init__(axes)
        self.mode = mode


class Upsample(Windowed):
    """More pixels: the nearest repeated, or weighted from their neighbours."""


class Pad(Windowed):
    """Zeros around the input."""
