"""Probabilities as bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cnnviz.render.canvas import (
    ACCENT,
    FAINT,
    MARGIN,
    TEXT_SIZE,
)
from cnnviz.render.lettering import shortened, text_width
from cnnviz.render.sheet import Caption, open_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR_WIDTH, BAR_HEIGHT, STEP = 360, 20, 28
LONGEST_LABEL = 320  # pixels
EMPTY, OTHER = (240, 241, 243), (150, 160, 190)


def draw_bars(title: str, bars: Sequence[tuple[str, float]], subtitle: str = "") -> bytes:
    """A PNG of (label, share from 0 to 1) as horizontal bars with their percentages.

    The full width is 100 %, so that two pictures can be compared. A share may be NaN. Of a label
    that is too long the end is left out.
    """
    labels = [shortened(label, LONGEST_LABEL, TEXT_SIZE) for label, _ in bars]
    label_width = max((text_width(label, TEXT_SIZE) for label in labels), default=0) + 10
    width = label_width + BAR_WIDTH + 76
    canvas, top = open_sheet(Caption(title, subtitle), STEP * len(bars), width, [])
    best = max((share for _, share in bars if not math.isnan(share)), default=None)
    x = MARGIN + label_width
    for row, (label, (_, share)) in enumerate(zip(labels, bars, strict=True)):
        y = top + row * STEP
        canvas.text(label, x - 10, y + BAR_HEIGHT / 2, anchor="rm")
        canvas.box(x, y, BAR_WIDTH, BAR_HEIGHT, EMPTY)
        length = 0 if math.isnan(share) else round(BAR_WIDTH * share)
        canvas.box(x, y, length, BAR_HEIGHT, ACCENT if share == best else OTHER)
        said = percent(share)
        canvas.text(said, x + BAR_WIDTH + 8, y + BAR_HEIGHT / 2, color=FAINT, anchor="lm")
    return canvas.png()


def percent(share: float) -> str:
    """A share as "97.31 %"; never rounded up to 100 or down to 0 when it is not."""
    if math.isnan(share):
        return "no number"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    return f"{share:.2%}".replace("%", " %")
