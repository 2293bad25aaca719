"""The font that Korean figures are drawn with."""

from __future__ import annotations

import pytest

from cnnviz.figures import style
from cnnviz.language import speaking


def korean_font() -> str:
    """The font that figures take, or a skipped test."""
    with speaking("ko"):
        fonts = style.language_fonts()
    if not fonts:
        pytest.skip("no font with Korean letters is installed")
    return fonts[0]
