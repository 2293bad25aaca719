"""Pictures of text: two pixels in each character as coloured half-blocks, or a ramp of grays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.images import luminance
from cnnviz.preview.fitting import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.preview.terminal import Terminal

    Pixels = NDArray[Any]

HALF, RESET = "▀", "\x1b[0m"
RAMP = " .:-=+*#%@"  # dark to light, as on the dark ground that most terminals have
# xterm's 256: a cube of 6 levels a colour from 16 on, and 24 grays from 232 on.
CUBE = np.array([0, 95, 135, 175, 215, 255])
GRAYS = 8 + 10 * np.arange(24)


def half_blocks(pixels: Pixels, terminal: Terminal) -> str:
    """Lines of half-blocks: above in the colour of the letter, below in that of its ground."""
    seen = fitted(pixels, terminal.columns, 2 * terminal.rows)
    codes = _direct(seen) if terminal.colors > 256 else _indexed(seen)
    rows = [_line(codes[top : top + 2]) for top in range(0, len(codes), 2)]
    return "\n".join(rows)


def _line(codes: list[list[str]]) -> str:
    """One line of text for two rows of pixels, or for the last one alone; colours said once."""
    text, ink, ground = [], "", ""
    for column, above in enumerate(codes[0]):
        below = codes[1][column] if len(codes) > 1 else ""
        changes = [f"38;{above}"] if above != ink else []
        changes += [f"48;{below}"] if below != ground else []
        text.append(f"\x1b[{';'.join(changes)}m{HALF}" if changes else HALF)
        ink, ground = above, below
    return "".join([*text, RESET])


def _direct(pixels: Pixels) -> list[list[str]]:
    return [[f"2;{red};{green};{blue}" for red, green, blue in row] for row in pixels.tolist()]


def _indexed(pixels: Pixels) -> list[list[str]]:
    """The nearest of the 256 colours, of the cube or of the grays."""
    values = pixels.astype(np.int32)
    levels = np.abs(values[..., np.newaxis] - CUBE).argmin(axis=-1)
    gray = np.abs(values.mean(axis=-1)[..., np.newaxis] - GRAYS).argmin(axis=-1)
    to_cube = ((values - CUBE[levels]) ** 2).sum(axis=-1)
    to_gray = ((values - GRAYS[gray][..., np.newaxis]) ** 2).sum(axis=-1)
    index = np.where(to_gray < to_cube, 232 + gray, 16 + levels @ np.array([36, 6, 1]))
    return [[f"5;{code}" for code in row] for row in index.tolist()]


def characters(pixels: Pixels, terminal: Terminal) -> str:
    """Lines of ASCII characters, the lighter the more ink; a character is two pixels high."""
    gray = luminance(fitted(pixels, terminal.columns, 2 * terminal.rows)).astype(np.float64)
    gray = gray.reshape(gray.shape[:2])
    if len(gray) % 2:
        gray = np.vstack([gray, gray[-1:]])
    means = gray.reshape(len(gray) // 2, 2, -1).mean(axis=1)
    steps = np.minimum(means * len(RAMP) / 256, len(RAMP) - 1).astype(int)
    return "\n".join("".join(RAMP[step] for step in row).rstrip() for row in steps.tolist())
