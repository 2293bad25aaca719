"""Which input positions one output position of a layer reads, along one axis.

Every reader repeats itself: ``period`` outputs further on, it reads the same positions
``advance`` inputs further on. Positions beyond the input's ends are padding.
"""

from math import gcd
from typing import NamedTuple


class Slide(NamedTuple):
    """A window that moves ``stride`` input positions per output: convolution and pooling."""

    kernel_size: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def period(self) -> int:
        """One: every output reads alike."""
        return 1

    @property
    def advance(self) -> int:
        """The stride."""
        return self.stride

    @property
    def leaves_no_gap(self) -> bool:
        """Whether neighbouring outputs together read a stretch without holes."""
        return self.dilation == 1 and self.kernel_size >= self.stride

    def reads(self, output: int) -> range:
        """Input positions of the window at ``output``."""
        first = output * self.stride - self.padding
        return range(first, first + self.dilation * (self.kernel_size - 1) + 1, self.dilation)


class Spread(NamedTuple):
    """The opposite: input i is written to outputs i*stride - padding + dilation*tap.

    Read backwards, an output depends on the inputs for which such a tap exists.
    """

    kernel_size: int
    stride: int
    padding: int = 0
    dilation: int = 1

    @property
    def period(self) -> int:
        """The stride: so many outputs lie between the copies of two neighbouring inputs."""
        return self.stride

    @property
    def advance(self) -> int:
        """One."""
        return 1

    @property
    def leaves_no_gap(self) -> bool:
        """Whether every output reads something, and neighbours the same or the next."""
        return self.dilation == 1 and self.kernel_size >= self.stride

    def reads(self, output: int) -> range:
        """Inputs i with output + padding - i*stride = dilation*tap, 0 <= tap < kernel_size."""
        target = output + self.padding
        common = gcd(self.stride, self.dilation)
        if target % common:
            return range(0)
        step = self.dilation // common
        residue = target // common * pow(self.stride // common, -1, step)
        lowest = -((self.dilation * (self.kernel_size - 1) - target) // self.stride)
        return range(lowest + (residue - lowest) % step, target // self.stride + 1, step)


class Ratio(NamedTuple):
    """``outputs`` windows laid evenly over ``inputs`` positions: adaptive pooling."""

    inputs: int
    outputs: int

    @property
    def period(self) -> int:
        """Outputs until the windows fall on whole positions again."""
        return self.outputs // gcd(self.inputs, self.outputs)

    @property
    def advance(self) -> int:
        """Inputs in one period."""
        return self.inputs // gcd(self.inputs, self.outputs)

    @property
    def leaves_no_gap(self) -> bool:
        """The windows always meet or overlap."""
        return True

    def reads(self, output: int) -> range:
        """From the window's start, rounded down, to its end, rounded up."""
        first = output * self.inputs // self.outputs
        return range(first, -(-(output + 1) * self.inputs // self.outputs))


class Interpolated(NamedTuple):
    """``outputs`` values laid evenly over ``inputs`` positions, each weighted from its neighbours.

    ``taps`` neighbours have a weight: 2 for linear, 4 for cubic interpolation. Output i lies at
    (i + 1/2) * inputs / outputs - 1/2. With ``corners`` the first and the last lie on the first
    and the last input, so that ``inputs`` and ``outputs`` count the steps between, and output i
    lies at i * inputs / outputs. Where that is a whole number, only that input has a weight.
    Source: ``align_corners`` of ``torch.nn.functional.interpolate``.
    """

    inputs: int
    outputs: int
    taps: int
    corners: bool = False

    @property
    def period(self) -> int:
        """Outputs until they lie alike among the inputs again."""
        return self.outputs // gcd(self.inputs, self.outputs)

    @property
    def advance(self) -> int:
        """Inputs in one period."""
        return self.inputs // gcd(self.inputs, self.outputs)

    @property
    def leaves_no_gap(self) -> bool:
        """Whether neighbouring outputs lie no further apart than inputs."""
        return self.inputs <= self.outputs

    def reads(self, output: int) -> range:
        """The neighbours of where ``output`` lies."""
        shift = 0 if self.corners else self.inputs - self.outputs
        before, beyond = divmod(2 * output * self.inputs + shift, 2 * self.outputs)
        if not beyond:
            return range(before, before + 1)
        return range(before - self.taps // 2 + 1, before + self.taps // 2 + 1)


class Everything(NamedTuple):
    """Every output reads the whole axis: global pooling, fully connected layers."""


Window = Slide | Spread | Ratio | Interpolated
Reader = Window | Everything

SAME = Slide()
