"""A picture in the terminal: by its graphics protocol, else as half-blocks, else as characters."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

from cnnviz.preview.terminal import KINDS, Terminal, this_terminal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "Terminal", "drawn", "lines_of", "this_terminal"]


def drawn(pixels: NDArray[Any], terminal: Terminal) -> str:
    """What to print to see (H, W, 3) RGB uint8 ``pixels`` there, without the last line's end.

    The picture is as wide as the terminal and at most as high as that is wide; a small one is
    enlarged by a whole number as far as the screen is high, so that its pixels can be seen.
    """
    from cnnviz.preview import graphics, text  # cv2: only when there is something to draw

    draw = {
        "kitty": graphics.kitty,
        "iterm": graphics.iterm,
        "sixel": graphics.sixel,
        "blocks": text.half_blocks,
        "characters": text.characters,
    }
    return draw[terminal.kind](pixels, terminal)


def lines_of(pixels: NDArray[Any], terminal: Terminal) -> list[str]:
    """The lines of ``drawn`` at the size that the pixels have, a column for each."""
    height, width = pixels.shape[:2]
    # As many rows as it is high: so it is not enlarged.
    return drawn(
        pixels, replace(terminal, columns=max(width, height), rows=ceil(height / 2))
    ).splitlines()
