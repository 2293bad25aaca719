"""The values of one image in a tensor, with channels first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from cnnviz.capturing.hints import Hints
    from cnnviz.capturing.layout import Grid, Layout


@dataclass(frozen=True)
class View:
    """One image's values with channels first, (C, H, W), (C,), (C, L) or (C, D, H, W).

    ``values`` is None where there is nothing to draw, for ``reason``. ``said`` is the layout that
    was read, in words.
    """

    values: Tensor | None
    said: str | None = None
    reason: str | None = None


def read(tensor: Tensor, layout: Layout | None, hints: Hints) -> View:
    """The values of the one image in ``tensor``, without copying them."""
    size = "x".join(map(str, tensor.shape)) or "a single number"
    if layout is None or not layout.axes or len(layout.axes) != tensor.ndim:
        return View(None, reason=f"not spatial: output is {size}")
    if tensor.is_complex():
        return View(None, reason=f"complex numbers: output is {size}")
    axes, values = layout.axes, tensor
    if "N" in axes:
        if tensor.shape[axes.index("N")] != 1:
            return View(None, reason=f"not of one image: output is {size}")
        values = tensor.select(axes.index("N"), 0)
        axes = axes.replace("N", "")
    if not tensor.numel():
        return View(None, reason=f"empty output: {size}")
    values = values.movedim(axes.index("C"), 0) if "C" in axes else values.unsqueeze(0)
    said = layout.axes + (" (assumed)" if layout.assumed else "")
    if layout.grid and values.ndim == 2:
        return _on_grid(values, layout.grid, said, hints)
    return View(values, said)


def _on_grid(values: Tensor, grid: Grid, said: str, hints: Hints) -> View:
    """Tokens (C, L) as maps (C, H, W), without those that the model puts in front."""
    count, extra = math.prod(grid), values.shape[1] - math.prod(grid)
    rows, columns = grid
    if extra == 0:
        return View(values.unflatten(1, grid), f"{said}, a grid of {rows}x{columns}")
    if extra > 0 and extra == hints.prefix:
        words = f"{extra} token{'s' * (extra > 1)} in front left out"
        return View(values[:, -count:].unflatten(1, grid), f"{said}, {rows}x{columns}, {words}")
    return View(values, f"{said}, not the grid of {rows}x{columns}")
