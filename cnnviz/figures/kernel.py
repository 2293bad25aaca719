"""What a kernel is and does, on one sheet: weights, frequency response, edges, lines and a dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.figures.filter import lettered, refuse_unmakeable

if TYPE_CHECKING:
    from cnnviz.kernels import Kernel, Magnitude


def draw_kernel(kernel: Kernel | Magnitude, suffix: str) -> bytes:
    """The sheet as a file of that kind: ``.png``, ``.svg`` or ``.pdf``; the same bytes each time.

    Raises:
        UsageError, CnnvizError: see ``refuse_unmakeable``.
    """
    refuse_unmakeable(suffix)
    from cnnviz.figures.kernel_sheet import draw  # matplotlib: only when there is something to draw

    with lettered():
        return draw(kernel, suffix)
