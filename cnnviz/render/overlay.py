"""A map over the picture that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cnnviz.errors import UsageError
from cnnviz.render import colors
from cnnviz.render.canvas import MARGIN, SMALL_SIZE
from cnnviz.render.levels import short, to_levels
from cnnviz.render.scales import extent
from cnnviz.render.sheet import Caption, Note, Ramp, open_sheet
from cnnviz.render.tiles import colored_values, resized
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.render.sheet import Item

    Values = NDArray[Any]
    Pixels = NDArray[np.uint8]
    Range = tuple[float, float]

SIDE = 448  # pixels that the longer side of a small picture is brought to
GAP = 12


def overlay(
    values: Values,
    picture: Pixels,
    cmap: str = "magma",
    opacity: float = 0.5,
    limits: Range | None = None,
) -> Pixels:
    """RGB (H, W, 3): ``values`` (h, w) in colour over ``picture`` (H, W, 3).

    The values are enlarged to the picture's size by bilinear interpolation with their corners on
    the picture's corners, so that a value's centre lies over the centre of its part. ``opacity``
    is the share of the colour, 0 to 1. The colour map spans ``limits``, or the values' own range.
    Values that are not finite are blocks of a colour that the map has not.

    Raises:
        UsageError: the opacity is not between 0 and 1.
    """
    if not 0 <= opacity <= 1:
        raise UsageError(f"an opacity of {opacity} cannot be drawn; use 0 to 1")
    low, high = limits or finite_range(values) or (0.0, 0.0)
    size = picture.shape[1], picture.shape[0]
    finite = np.isfinite(values)
    # Scaled first: the span of float32 is too large for its own arithmetic.
    span = (high - low) or 1.0
    share = np.where(finite, (values.astype(np.float64) - low) / span, 0.0).astype(np.float32)
    smooth = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    colored = colors.colored(to_levels(smooth, 0.0, 1.0), cmap)
    if not finite.all():
        bad = cv2.resize((~finite).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        colored[bad > 0] = colors.not_finite(cmap)
    mixed = picture.astype(np.float32) * (1 - opacity) + colored.astype(np.float32) * opacity
    return np.rint(mixed).astype(np.uint8)


def draw_overlay(
    values: Values,
    picture: Pixels,
    caption: Caption,
    cmap: str = "magma",
    opacity: float = 0.5,
    limits: Range | None = None,
) -> bytes:
    """A PNG of the picture, the map as it is, and the map over the picture, with a colour bar."""
    low, high = limits or finite_range(values) or (0.0, 0.0)
    picture = of_good_size(picture)
    height, width = picture.shape[:2]
    blocks = resized(colored_values(values, low, high, cmap), height, width)
    mixed = overlay(values, picture, cmap, opacity, limits)
    size, span = f"{values.shape[0]}x{values.shape[1]}", extent(finite_range(values))
    panels = [
        ("input", picture),
        (f"map of {size} values: {span}", blocks),
        (f"map over input, {opacity:.0%}".replace("%", " %"), mixed),
    ]
    legend: list[Item] = [Ramp((short(low), short(high)), cmap)] if high > low else []
    if not np.isfinite(values).all():
        legend.append(Note("NaN or infinite", fill=colors.not_finite(cmap)))
    legend.append(Note("over the input: enlarged by bilinear interpolation"))
    canvas, top = open_sheet(caption, 18 + height + 8, 3 * width + 2 * GAP, legend)
    for n, (name, pixels) in enumerate(panels):
        x = MARGIN + n * (width + GAP)
        canvas.text(name, x, top, SMALL_SIZE)
        canvas.paste(pixels, x, top + 18)
    return canvas.png()


def of_good_size(picture: Pixels) -> Pixels:
    """The picture with its longer side near 448 pixels: small ones by whole factors."""
    largest = max(picture.shape[:2])
    if largest <= SIDE:
        factor = max(1, SIDE // largest)
        return picture.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = (max(1, round(side * SIDE / largest)) for side in picture.shape[:2])
    return resized(picture, height, width)
