"""``--show``: results drawn in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cnnviz.preview import Terminal


def terminal_for(*, as_json: bool) -> Terminal | None:
    """The terminal that ``--show`` draws in; None where standard output is none, which is said.

    To be called before anything is printed: the terminal may be asked what it can.

    Raises:
        UsageError: standard output is for JSON.
    """
    if as_json:
        raise UsageError("--json and --show both want standard output; choose one")
    from cnnviz.preview import this_terminal  # only for those who ask for it

    terminal = this_terminal()
    if terminal is None:
        click.echo("--show draws in a terminal, and standard output is none", err=True)
    return terminal


def picture_of(path: Path, terminal: Terminal) -> str:
    """What to print to see an image file, which may be a result of ours, there."""
    import numpy as np  # and PIL: only when there is something to draw

    from cnnviz.images import read_image
    from cnnviz.preview import drawn

    pixels = read_image(path).pixels
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    return drawn(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), terminal)
