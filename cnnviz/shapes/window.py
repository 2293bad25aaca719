"""One spatial axis of a sliding window: how many positions, and why."""

from typing import NamedTuple, Protocol

from cnnviz.errors import ShapeError
from cnnviz.shapes.readers import Reader, Slide
from cnnviz.shapes.wording import padding_text, quotient, steps_in_words


class AxisRule(Protocol):
    """What a layer does along one spatial axis."""

    def output_size(self, size: int) -> int:
        """Length of the output, at least 1, or a ``ShapeError``."""

    def explain(self, size: int) -> str:
        """The formula of ``output_size`` with the numbers put in, ending in the result."""

    def words(self, size: int, unit: str) -> str:
        """The same in words; ``unit`` is what the axis counts, such as rows."""

    def reader(self, size: int) -> Reader:
        """Which inputs each output reads."""


def same_padding(kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """Padding before and after an axis that keeps its length at stride 1.

    An even kernel needs one more on one side; as in torch that is the far side.
    Source: ``padding="same"`` of ``torch.nn.Conv2d``.

    >>> same_padding(3), same_padding(4)
    ((1, 1), (1, 2))
    """
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2


class Axis(NamedTuple):
    """A window that slides along one axis; lengths are in pixels.

    ``padding`` is what is added before and after the input.
    """

    kernel_size: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1

    @property
    def span(self) -> int:
        """Pixels from the first to the last tap of the dilated kernel, both included."""
        return self.dilation * (self.kernel_size - 1) + 1

    def output_size(self, size: int) -> int:
        """Number of window positions on an input of ``size`` pixels, at least 1.

        Raises:
            ShapeError: the dilated kernel is longer than the padded input, or a number is
                below its minimum (size, kernel, stride, dilation 1; padding 0).

        Source: output-shape formula of ``torch.nn.Conv2d``.
        """
        self._refuse_impossible(size)
        return self._room(size) // self.stride + 1

    def along(self, name: str, size: int) -> int:
        """``output_size``, with the axis named in what is raised."""
        return along(self, name, size)

    def explain(self, size: int) -> str:
        """The output-size formula with the numbers put in, ending in the result."""
        formula = (
            f"floor(({size} + {padding_text(self.padding)} - {self.dilation}*({self.kernel_size}"
            f" - 1) - 1) / {self.stride}) + 1"
        )
        return (
            f"{formula} = floor({quotient(self._room(size), self.stride)}) + 1"
            f" = {self.output_size(size)}"
        )

    def words(self, size: int, unit: str) -> str:
        """How far the window can move, what is rounded away, what stays unread."""
        count = self.output_size(size)
        return steps_in_words(size, self.padding, self.span, self.stride, count, unit)

    def reader(self, size: int) -> Slide:
        """The window itself, whatever the size."""
        return Slide(self.kernel_size, self.stride, self.padding[0], self.dilation)

    def _room(self, size: int) -> int:
        """How far the window can move."""
        return size + sum(self.padding) - self.span

    def _refuse_impossible(self, size: int) -> None:
        refuse_below(
            1, size=size, kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation
        )
        refuse_below(0, padding=min(self.padding))
        if self._room(size) < 0:
            raise misfit(size, self.padding, self.span)


def along(rule: AxisRule, name: str, size: int) -> int:
    """``rule.output_size(size)``, with the axis named in what is raised."""
    try:
        return rule.output_size(size)
    except ShapeError as error:
        raise ShapeError(f"{name}: {error}") from None


def refuse_below(minimum: int, **values: int) -> None:
    """Raise a ``ShapeError`` that names the first value below ``minimum``."""
    for name, value in values.items():
        if value < minimum:
            words = name.replace("_", " ")
            raise ShapeError(f"{words} is {value}; it must be at least {minimum}")


def misfit(size: int, padding: tuple[int, int], span: int) -> ShapeError:
    """What is raised where the kernel is longer than the padded input."""
    return ShapeError(
        f"kernel spans {span} px but the padded input is {size + sum(padding)} px"
        f" ({size} + {padding_text(padding)}); raise the padding or take a smaller kernel"
    )
