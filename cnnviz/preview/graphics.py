"""Pictures of pixels: what terminals with a graphics protocol take.

Sources: "Terminal graphics protocol" of kitty, "Inline images protocol" of iTerm2, and chapter 14,
"Sixel graphics", of DEC's VT330/VT340 Programmer Reference Manual.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cnnviz.images import encode_image
from cnnviz.preview.fitting import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.preview.terminal import Terminal

    Pixels = NDArray[Any]

CHUNK = 4096  # characters in one of kitty's commands
LARGEST_SIXEL = 1000  # pixels a side that xterm takes
BAND = 6  # rows that a line of sixels holds
BASE = 63  # "?": no pixel of the six
AGAIN = re.compile(rb"(.)\1{3,}")


def kitty(pixels: Pixels, terminal: Terminal) -> str:
    """The pixels, compressed, in kitty's commands; as many columns wide as they take."""
    seen, columns = _sized(pixels, terminal)
    height, width = seen.shape[:2]
    data = b64encode(zlib.compress(np.ascontiguousarray(seen).tobytes())).decode()
    parts = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    # q=2: it answers nothing, which would be read as typed.
    head = f"a=T,f=24,o=z,q=2,s={width},v={height},c={columns},"
    commands = []
    for number, part in enumerate(parts, 1):
        commands.append(f"\x1b_G{head}m={int(number < len(parts))};{part}\x1b\\")
        head = "q=2,"
    return "".join(commands)


def iterm(pixels: Pixels, terminal: Terminal) -> str:
    """A PNG file in iTerm2's command; as many columns wide as it takes."""
    seen, columns = _sized(pixels, terminal)
    data = encode_image(np.ascontiguousarray(seen), ".png")
    size = f"size={len(data)};width={columns};preserveAspectRatio=1;inline=1"
    return f"\x1b]1337;File={size}:{b64encode(data).decode()}\x07"


def sixel(pixels: Pixels, terminal: Terminal) -> str:
    """Lines of six rows, each once for every colour that is in it; colours as well as registers go.

    The terminal's cursor is on the last line of the picture afterwards.
    """
    seen, _ = _sized(pixels, terminal, most=LARGEST_SIXEL)
    height, width = seen.shape[:2]
    reduced = Image.fromarray(seen).quantize(terminal.registers, dither=Image.Dither.NONE)
    indices, palette = np.asarray(reduced), np.asarray(reduced.getpalette()).reshape(-1, 3)
    percent = np.rint(palette * (100 / 255)).astype(int)
    colors = [f"#{n};2;{r};{g};{b}".encode() for n, (r, g, b) in enumerate(percent.tolist())]
    bands = [_band(indices[top : top + BAND]) for top in range(0, height, BAND)]
    head = f'\x1bPq"1;1;{width};{height}'.encode()
    return (head + b"".join(colors) + b"-".join(bands) + b"\x1b\\").decode()


def _band(rows: NDArray[Any]) -> bytes:
    """One line: for each colour a character per column, with the six rows as its bits."""
    bits = 1 << np.arange(len(rows), dtype=np.uint8)[:, np.newaxis]
    lines = []
    for color in np.unique(rows).tolist():
        columns = ((rows == color) * bits).sum(axis=0, dtype=np.uint8) + BASE
        line = columns.astype(np.uint8).tobytes().rstrip(b"?")
        lines.append(b"#%d" % color + AGAIN.sub(_counted, line))
    return b"$".join(lines)


def _counted(found: re.Match[bytes]) -> bytes:
    return b"!%d%s" % (len(found[0]), found[1])


def _sized(pixels: Pixels, terminal: Terminal, most: int | None = None) -> tuple[Pixels, int]:
    """The pixels at the size that they have on the screen, and how many columns that is."""
    height, width = terminal.cell
    side = terminal.columns * width
    most = min(side, most or side)
    seen = fitted(pixels, most, min(most, terminal.rows * height))
    return seen, ceil(seen.shape[1] / width)
