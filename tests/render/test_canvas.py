from __future__ import annotations

import numpy as np
import pytest

from cnnviz.render.canvas import Canvas, legible_on
from cnnviz.render.colors import table
from cnnviz.render.look import COLOR_MAPS
from tests.render.decoded import decoded


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_words_stand_out_on_every_color_of_the_map(name: str) -> None:
    for red, green, blue in table(name).tolist():
        ground, ink = _luminance((red, green, blue)), _luminance(legible_on((red, green, blue)))
        # WCAG 2.2, contrast ratio: 3 for large words, 4.5 for small ones; no ink reaches 4.5
        # on a medium gray.
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 3.9


def _luminance(color: tuple[int, int, int]) -> float:
    linear = [
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_positions_are_x_then_y_from_the_upper_left() -> None:
    canvas = Canvas(height=8, width=12)
    canvas.box(2, 1, 3, 2, (1, 2, 3))
    canvas.box(0, 0, 0, 5, (9, 9, 9))  # nothing
    canvas.paste(np.full((1, 2, 3), 7, np.uint8), 10, 7)
    expected = np.full((8, 12, 3), 255)
    expected[1:3, 2:5] = (1, 2, 3)
    expected[7, 10:12] = 7
    assert (decoded(canvas.png()) == expected).all()


def test_frame_is_outside_the_rectangle() -> None:
    canvas = Canvas(height=9, width=10)
    canvas.frame(3, 3, 4, 3, (1, 2, 3))
    expected = np.full((9, 10, 3), 255)
    expected[1:8, 1:9] = (1, 2, 3)
    expected[3:6, 3:7] = 255
    assert (decoded(canvas.png()) == expected).all()
