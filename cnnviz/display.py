"""Signed filter results to pixels that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.engines import Image
    from cnnviz.kernels import Kernel, Magnitude


def resolve_display(display: str, kernel: Kernel | Magnitude) -> str:
    """``display``, with ``auto`` made definite: ``abs`` for kernels that sum to 0, else ``clip``.

    The result of a kernel that sums to 0 has two signs and no brightness of its own.
    """
    if display != "auto":
        return display
    return "abs" if kernel.zero_sum and not kernel.offset else "clip"


@dataclass(frozen=True)
class Mapping:
    """How results become pixels: ``(|x| or x - low) * scale + shift``, cut off at 0 and ``top``.

    ``note`` says what is not obvious of it, or is empty.
    """

    top: int
    absolute: bool
    low: float
    scale: float
    shift: float
    note: str

    @property
    def depth(self) -> np.dtype[Any]:
        """The smallest unsigned integers that hold ``top``."""
        return np.min_scalar_type(self.top)

    def __call__(self, result: Image) -> NDArray[Any]:
        """Pixels of ``depth`` for a result of any shape; NaN becomes 0."""
        values = np.abs(result) if self.absolute else result
        if (self.low, self.scale) != (0, 1):
            with np.errstate(invalid="ignore", over="ignore"):
                values = (values.astype(np.float64) - self.low) * self.scale
        if self.shift:
            values = values + values.dtype.type(self.shift)
        shown = np.rint(values, out=None if values is result else values)
        # Unlike clip, fmin and fmax take the number where the other value is none.
        np.fmax(shown, 0, out=shown)
        return np.fmin(shown, self.top, out=shown).astype(self.depth)


def mapping(
    source: NDArray[Any], display: str, result: Image | None = None, *, zero_sum: bool = False
) -> Mapping:
    """How the results for ``source`` are shown.

    uint8 sources give uint8, uint16 give uint16; float sources give uint16, and the range of
    the source becomes 0 to 65535. ``clip`` cuts off what is below 0 and above the top;
    ``abs`` is clip(|x|); ``offset`` puts 0 at mid gray; ``minmax``, which needs the whole
    ``result``, stretches its smallest value to 0 and its largest to the top. The results of a
    ``zero_sum`` kernel do not move with the source's range, only grow with it.
    """
    top = 255 if source.dtype == np.uint8 else 65535
    low, high, note = 0.0, float(top), ""
    if display == "minmax" and result is not None:
        low, high = finite_range(result) or (0.0, 0.0)
        note = f"{low:.6g} to {high:.6g} stretched to 0 to {top}"
    elif source.dtype.kind == "f":
        low, high = finite_range(source) or (0.0, 0.0)
        note = f"the float input's range, {low:.6g} to {high:.6g}, is shown as 0 to {top}"
    return Mapping(
        top=top,
        absolute=display == "abs",
        low=low if display == "minmax" or (display == "clip" and not zero_sum) else 0.0,
        scale=top / (high - low) if high > low else 1.0,
        shift=top // 2 + 1 if display == "offset" else 0,
        note=note,
    )
