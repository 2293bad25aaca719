"""Pooling as torch defines it: what is taken of a window, and how the window slides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.language import say
from cnnviz.shapes.axes import PoolAxis
from cnnviz.shapes.window import along

if TYPE_CHECKING:
    from collections.abc import Sequence

POOLS = ("max", "avg", "min", "lp")
TITLES = {
    "max": "Maximum pooling",
    "avg": "Average pooling",
    "min": "Minimum pooling",
    "lp": "L{p} pooling",
}
GLOBAL_TITLES = {
    "max": "Global maximum pooling",
    "avg": "Global average pooling",
    "min": "Global minimum pooling",
}
ORDERS_OF_BOTH = (1.0, 2.0)  # the p of which OpenCV has sums too


@dataclass(frozen=True)
class Pool:
    """What a window becomes: its largest, mean or smallest value, or (sum of x**p) ** (1/p).

    Pairs are (along height, along width); a ``kernel_size`` of None is the whole image, and the
    ``stride`` without one is the kernel's. Padding is at most half of the kernel and is never
    chosen by max and min; avg reads it as 0, and counts it unless ``count_include_pad`` is false.
    ``ceil_mode`` keeps a last window that hangs over the end. As in torch, avg and lp have no
    dilation, and lp no padding.

    Raises:
        UsageError: a setting that its mode does not have.
    """

    mode: str = "max"
    kernel_size: tuple[int, int] | None = (2, 2)
    stride: tuple[int, int] | None = None
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    ceil_mode: bool = False
    count_include_pad: bool = True
    p: float = 2.0

    def __post_init__(self) -> None:
        if self.mode not in POOLS:
            raise UsageError(f"no pool is called {self.mode!r}; there are {', '.join(POOLS)}")
        if self.dilation != (1, 1) and self.mode in {"avg", "lp"}:
            raise UsageError(f"{self.mode} pooling has no dilation, as in torch; max and min have")
        if self.mode == "lp" and self.padding != (0, 0):
            raise UsageError("lp pooling has no padding, as in torch; max, avg and min have")
        if self.mode == "lp" and not (isfinite(self.p) and self.p > 0):
            raise UsageError(f"p is {self.p:g}; it must be above 0")
        if self.kernel_size is None:
            self._refuse_for_global()

    def _refuse_for_global(self) -> None:
        if self.mode == "lp":
            raise UsageError("lp pooling needs a kernel size; max, avg and min can be global")
        slides = self.stride or self.ceil_mode or not self.count_include_pad
        if slides or self.padding != (0, 0) or self.dilation != (1, 1):
            raise UsageError(
                "global pooling is one window over the whole image; leave stride, padding,"
                " dilation, ceil mode and the counting of padding out"
            )

    @property
    def name(self) -> str:
        """What it is called in ``cnnviz shape``: ``maxpool:k3,s2,p1``.

        >>> Pool("avg", (3, 3), (2, 2), (1, 1), ceil_mode=True).name
        'avgpool:k3,s2,p1,ceil'
        """
        mode = f"l{self.p:g}" if self.mode == "lp" else self.mode
        if self.kernel_size is None:
            return f"global{mode}pool"
        said = [f"k{_sizes(self.kernel_size)}", f"s{_sizes(self.stride or self.kernel_size)}"]
        said += [f"p{_sizes(self.padding)}"] if self.padding != (0, 0) else []
        said += [f"d{_sizes(self.dilation)}"] if self.dilation != (1, 1) else []
        said += ["ceil"] if self.ceil_mode else []
        said += ["uncounted"] if self.mode == "avg" and not self.count_include_pad else []
        return f"{mode}pool:{','.join(said)}"

    @property
    def title(self) -> str:
        """The same in words, in the language that is spoken."""
        titles = GLOBAL_TITLES if self.kernel_size is None else TITLES
        return say(titles[self.mode], p=f"{self.p:g}")

    def over(self, shape: Sequence[int]) -> Pool:
        """The same with a kernel size, for an image of ``shape`` (H, W, …)."""
        return self if self.kernel_size else replace(self, kernel_size=(shape[0], shape[1]))

    def axes(self, shape: Sequence[int]) -> tuple[PoolAxis, PoolAxis]:
        """The window along height and along width of an image of ``shape`` (H, W, …)."""
        size = self.over(shape).kernel_size or (1, 1)
        stride = self.stride or size
        rows, columns = (
            PoolAxis(size[n], stride[n], self.padding[n], self.dilation[n], self.ceil_mode)
            for n in (0, 1)
        )
        return rows, columns

    def output_size(self, shape: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of the result for an image of ``shape`` (H, W, …).

        Raises:
            ShapeError: no window fits, or the padding is more than half of the kernel; names the
                axis.
        """
        rows, columns = self.axes(shape)
        return along(rows, "height", shape[0]), along(columns, "width", shape[1])

    def taps(self, shape: Sequence[int]) -> int:
        """How many pixels a window reads."""
        rows, columns = self.axes(shape)
        return rows.kernel_size * columns.kernel_size


def _sizes(pair: tuple[int, int]) -> str:
    height, width = pair
    return str(height) if height == width else f"{height}x{width}"
