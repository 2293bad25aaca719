"""One spatial axis of a sliding window: how many positions, and why."""

from typing import NamedTuple

from cnnviz.errors import ShapeError


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
        try:
            return self.output_size(size)
        except ShapeError as error:
            raise ShapeError(f"{name}: {error}") from None

    def explain(self, size: int) -> str:
        """The output-size formula with the numbers put in, ending in the result."""
        before, after = self.padding
        pad = f"2*{before}" if before == after else f"{before} + {after}"
        formula = (
            f"floor(({size} + {pad} - {self.dilation}*({self.kernel_size} - 1) - 1)"
            f" / {self.stride}) + 1"
        )
        unfloored = f"{self._room(size) / self.stride:.4f}".rstrip("0").rstrip(".")
        if "." not in unfloored and self._room(size) % self.stride:  # 0.99999 is not 1
            unfloored = f"{self._room(size)} / {self.stride}"
        return f"{formula} = floor({unfloored}) + 1 = {self.output_size(size)}"

    def _room(self, size: int) -> int:
        """How far the window can move."""
        return size + sum(self.padding) - self.span

    def _refuse_impossible(self, size: int) -> None:
        for name, value in (
            ("size", size),
            ("kernel size", self.kernel_size),
            ("stride", self.stride),
            ("dilation", self.dilation),
        ):
            if value < 1:
                raise ShapeError(f"{name} is {value}; it must be at least 1")
        before, after = self.padding
        if min(before, after) < 0:
            raise ShapeError(f"padding is {min(before, after)}; it must be at least 0")
        if self._room(size) < 0:
            pad = f"2*{before}" if before == after else f"{before} + {after}"
            raise ShapeError(
                f"kernel spans {self.span} px but the padded input is"
                f" {size + before + after} px ({size} + {pad});"
                " raise the padding or take a smaller kernel"
            )
