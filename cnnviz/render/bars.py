"""Probabilities as bars."""

from __future__ import annotations

import math

from cnnviz.render.canvas import ACCENT, FAINT, MARGIN, TEXT_SIZE, TITLE_SIZE, Canvas, text_width

BAR_WIDTH, BAR_HEIGHT, STEP = 360, 20, 28
TOP = 48
SUBTITLE = 22


def draw_bars(title: str, bars: list[tuple[str, float]], subtitle: str = "") -> bytes:
    """A PNG of (label, share from 0 to 1) as horizontal bars with their percentages.

    The full width is 100 %, so that two pictures can be compared. A share may be NaN.
    """
    label_width = max(text_width(label, TEXT_SIZE) for label, _ in bars) + 10
    words = text_width(title, TITLE_SIZE), text_width(subtitle, TEXT_SIZE)
    width = max(label_width + BAR_WIDTH + 76, *words)
    top = TOP + SUBTITLE if subtitle else TOP
    canvas = Canvas(top + STEP * len(bars) + MARGIN // 2, width + 2 * MARGIN)
    canvas.text(title, MARGIN, 12, TITLE_SIZE)
    canvas.text(subtitle, MARGIN, 38, color=FAINT)
    best = max((share for _, share in bars if not math.isnan(share)), default=None)
    x = MARGIN + label_width
    for row, (label, share) in enumerate(bars):
        y = top + row * STEP
        canvas.text(label, x - 10, y + BAR_HEIGHT / 2, anchor="rm")
        canvas.box(x, y, BAR_WIDTH, BAR_HEIGHT, (240, 241, 243))
        color = ACCENT if share == best else (150, 160, 190)
        length = 0 if math.isnan(share) else round(BAR_WIDTH * share)
        canvas.box(x, y, length, BAR_HEIGHT, color)
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
