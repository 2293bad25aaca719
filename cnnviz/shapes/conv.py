"""A 2-D convolution layer as numbers: sizes, parameters, multiply-adds."""

from typing import NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.shapes.window import Axis


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


class Conv2d(NamedTuple):
    """A convolution over height and width, as ``torch.nn.Conv2d`` defines it.

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
        self._refuse_impossible()
        return (
            self.out_channels,
            self.height.along("height", height),
            self.width.along("width", width),
        )

    @property
    def weights(self) -> int:
        """Number of kernel weights; each output channel reads ``in_channels/groups`` maps."""
        kernel = self.height.kernel_size * self.width.kernel_size
        return self.out_channels * (self.in_channels // self.groups) * kernel

    @property
    def parameters(self) -> int:
        """Weights and, with a bias, one number more per output channel.

        >>> k3 = Axis(3)
        >>> Conv2d(3, 64, k3, k3).parameters
        1792
        """
        return self.weights + (self.out_channels if self.bias else 0)

    def macs(self, height: int, width: int) -> int:
        """Multiply-adds for one image: every weight once per output position, bias not counted.

        Source: the count of torchvision's model table (``GFLOPS`` there).
        """
        _, out_height, out_width = self.output_size(height, width)
        return self.weights * out_height * out_width

    def _refuse_impossible(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            if getattr(self, name) < 1:
                raise ShapeError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ShapeError(
                    f"groups {self.groups} does not divide {name} {getattr(self, name)};"
                    " choose a divisor of both"
                )
