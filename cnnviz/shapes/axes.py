"""Axes of the layers that are no plain convolution: pools, transposed, adaptive, upsampled."""

from __future__ import annotations

from typing import NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.language import say
from cnnviz.shapes.readers import Everything, Interpolated, Ratio, Slide, Spread
from cnnviz.shapes.window import misfit, refuse_below
from cnnviz.shapes.wording import padding_text, quotient, steps_in_words


class PoolAxis(NamedTuple):
    """A pooling window along one axis, as ``torch.nn.MaxPool2d`` and ``AvgPool2d`` define it.

    ``whole_kernel`` demands an input at least as long as the kernel, padding not counted, which
    ``torch.nn.AvgPool3d`` alone does.
    """

    kernel_size: int
    stride: int
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False
    whole_kernel: bool = False

    @property
    def span(self) -> int:
        """Pixels from the first to the last tap, both included."""
        return self.dilation * (self.kernel_size - 1) + 1

    def output_size(self, size: int) -> int:
        """Number of windows, at least 1.

        With ``ceil_mode`` the count is rounded up, but the last window must start inside the
        input or the padding before it.

        Raises:
            ShapeError: no window fits, the padding is more than half of the undilated kernel,
                or a number is below its minimum.

        Source: the checks of ``pooling_output_shape`` and ``pool2d_shape_check`` in PyTorch's
        ``aten/src/ATen/native/Pool.h``.
        """
        self._refuse_impossible(size)
        count = self._rounded(size)
        if self.ceil_mode and (count - 1) * self.stride >= size + self.padding:
            count -= 1
        if count < 1:
            raise misfit(size, (self.padding, self.padding), self.span)
        return count

    def explain(self, size: int) -> str:
        """The output-size formula with the numbers put in, ending in the result."""
        rounding = "ceil" if self.ceil_mode else "floor"
        formula = (
            f"{rounding}(({size} + {padding_text((self.padding, self.padding))}"
            f" - {self.dilation}*({self.kernel_size} - 1) - 1) / {self.stride}) + 1"
        )
        told = (
            f"{formula} = {rounding}({quotient(self._room(size), self.stride)}) + 1"
            f" = {self._rounded(size)}"
        )
        count = self.output_size(size)
        if count == self._rounded(size):
            return told
        less = ", less 1 because the last window would start beyond the input: {count}"
        return told + say(less, count=count)

    def words(self, size: int, unit: str) -> str:
        """How far the window can move, what is rounded away, what stays unread."""
        padding = (self.padding, self.padding)
        return steps_in_words(size, padding, self.span, self.stride, self.output_size(size), unit)

    def reader(self, size: int) -> Slide:
        """The window itself, whatever the size."""
        return Slide(self.kernel_size, self.stride, self.padding, self.dilation)

    def _room(self, size: int) -> int:
        return size + 2 * self.padding - self.span

    def _rounded(self, size: int) -> int:
        up = self.stride - 1 if self.ceil_mode else 0
        return (self._room(size) + up) // self.stride + 1

    def _refuse_impossible(self, size: int) -> None:
        refuse_below(
            1, size=size, kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation
        )
        refuse_below(0, padding=self.padding)
        if self.padding > self.kernel_size // 2:
            raise ShapeError(
                f"padding {self.padding} is more than half of the kernel size"
                f" {self.kernel_size}; a pool takes at most {self.kernel_size // 2}"
            )
        if self.whole_kernel and size < self.kernel_size:
            raise ShapeError(
                f"size {size} is below the kernel size {self.kernel_size}, and average pooling"
                " over three axes does not count padding, as in torch; take a smaller kernel"
            )


class TransposedAxis(NamedTuple):
    """A transposed convolution along one axis: every input pixel is spread by the kernel."""

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    output_padding: int = 0

    def output_size(self, size: int) -> int:
        """Length of the output, at least 1; ``padding`` is cut off on both sides.

        Raises:
            ShapeError: nothing is left, or a number is out of its range; ``output_padding`` is
                below the stride or the dilation.

        Source: output-shape formula of ``torch.nn.ConvTranspose2d``.
        """
        self._refuse_impossible(size)
        length = self._length(size)
        if length < 1:
            raise ShapeError(
                f"the output would have {length} px: padding {self.padding} cuts off more than"
                " there is; lower it"
            )
        return length

    def explain(self, size: int) -> str:
        """The output-size formula with the numbers put in, ending in the result."""
        return (
            f"({size} - 1)*{self.stride} - 2*{self.padding} + {self.dilation}*"
            f"({self.kernel_size} - 1) + {self.output_padding} + 1 = {self.output_size(size)}"
        )

    def words(self, size: int, unit: str) -> str:
        """What is laid out and what is cut off."""
        span = self.dilation * (self.kernel_size - 1) + 1
        told = say(
            "{size} copies of the kernel, {stride} {unit} apart, each spanning {span}: ",
            size=size,
            stride=self.stride,
            unit=unit,
            span=span,
        )
        told += f"({size} - 1)*{self.stride} + {span} = {(size - 1) * self.stride + span}"
        if self.padding:
            cut = "; padding cuts {padding} off both ends"
            told += say(cut, padding=self.padding, unit=unit)
        if self.output_padding:
            added = "; output padding adds {padding} at the far end"
            told += say(added, padding=self.output_padding, unit=unit)
        return f"{told} → {self.output_size(size)}"

    def reader(self, size: int) -> Spread:
        """The inputs whose copies reach an output."""
        return Spread(self.kernel_size, self.stride, self.padding, self.dilation)

    def _length(self, size: int) -> int:
        spread = (size - 1) * self.stride + self.dilation * (self.kernel_size - 1) + 1
        return spread - 2 * self.padding + self.output_padding

    def _refuse_impossible(self, size: int) -> None:
        refuse_below(
            1, size=size, kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation
        )
        refuse_below(0, padding=self.padding, output_padding=self.output_padding)
        if self.output_padding >= max(self.stride, self.dilation):
            raise ShapeError(
                f"output padding {self.output_padding} must be below the stride {self.stride}"
                f" or the dilation {self.dilation}"
            )


class AdaptiveAxis(NamedTuple):
    """Pooling to a given length, as ``torch.nn.AdaptiveAvgPool2d`` lays its windows."""

    length: int

    def output_size(self, size: int) -> int:
        """The given length, whatever the input's."""
        refuse_below(1, size=size, output_size=self.length)
        return self.length

    def explain(self, size: int) -> str:
        """Where window i starts and ends."""
        n, m = size, self.output_size(size)
        if m == 1:
            return say("1: one window over all {n}", n=n)
        return say("{m}: window i is floor(i*{n}/{m}) to ceil((i + 1)*{n}/{m})", n=n, m=m)

    def words(self, size: int, unit: str) -> str:
        """How long the windows are."""
        windows = self.output_size(size)
        if windows == 1:
            return say("all {size} {unit} → 1", size=size, unit=unit)
        shared = "{size} {unit} shared among {windows} windows, which overlap where they must"
        if size % windows == 0:
            shared = "{size} {unit} shared among {windows} windows: {each} each"
        return say(shared, size=size, unit=unit, windows=windows, each=size // windows)

    def reader(self, size: int) -> Slide | Ratio | Everything:
        """The whole axis, equal windows, or windows of changing length."""
        if self.length == 1:
            return Everything()
        if size % self.length:
            return Ratio(size, self.length)
        return Slide(size // self.length, size // self.length)


class Mode(NamedTuple):
    """A way to upsample: how many ``taps`` it weights, and over how many axes torch has it."""

    taps: int
    axes: tuple[int, ...]


SPATIAL = (1, 2, 3)
MODES = {
    "nearest": Mode(1, SPATIAL),
    "linear": Mode(2, (1,)),
    "bilinear": Mode(2, (2,)),
    "trilinear": Mode(2, (3,)),
    "bicubic": Mode(4, (2,)),
}


class UpsampleAxis(NamedTuple):
    """``scale`` pixels for each of the input: ``torch.nn.Upsample``.

    ``taps`` is how many neighbours a pixel is weighted from: 1 repeats the nearest, 2 is linear,
    4 cubic.
    """

    scale: int
    taps: int = 1

    def output_size(self, size: int) -> int:
        """``size * scale``."""
        refuse_below(1, size=size, scale=self.scale)
        return size * self.scale

    def explain(self, size: int) -> str:
        """The product."""
        return f"{size}*{self.scale} = {self.output_size(size)}"

    def words(self, size: int, unit: str) -> str:
        """What is repeated, or where the values come from."""
        told = "{scale} for each of {size} {unit}, weighted from the {taps} nearest → {count}"
        if self.taps == 1:
            told = "each of {size} {unit} {scale} times → {count}"
        sizes = {"size": size, "unit": unit, "count": self.output_size(size)}
        return say(told, scale=self.scale, taps=self.taps, **sizes)

    def reader(self, size: int) -> Spread | Interpolated:
        """The one input that an output repeats, or the neighbours that it is weighted from."""
        if self.taps == 1:
            return Spread(self.scale, self.scale)
        return Interpolated(1, self.scale, self.taps)


class PadAxis(NamedTuple):
    """Pixels added before and after the input: ``torch.nn.ZeroPad2d``."""

    padding: tuple[int, int]

    def output_size(self, size: int) -> int:
        """``size`` and the padding."""
        refuse_below(1, size=size)
        refuse_below(0, padding=min(self.padding))
        return size + sum(self.padding)

    def explain(self, size: int) -> str:
        """The sum."""
        return f"{size} + {padding_text(self.padding)} = {self.output_size(size)}"

    def words(self, size: int, unit: str) -> str:
        """What is added."""
        before, after = self.padding
        where = say("{before} before, {after} after", before=before, after=after)
        if before == after:
            where = say("{both} at both ends", both=before)
        sizes = {"size": size, "unit": unit, "count": self.output_size(size)}
        return say("{size} {unit} and {where} → {count}", where=where, **sizes)

    def reader(self, size: int) -> Slide:
        """The input under an output, if there is one."""
        return Slide(padding=self.padding[0])
