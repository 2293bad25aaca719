"""A terminal for commands: standard output is one, and what is said there comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

CLEARED = ("COLORTERM", "NO_COLOR", "CNNVIZ_GRAPHICS")


def said_in_a_terminal(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> str:
    """What ``cnnviz`` with these arguments prints to a terminal of Linux's console."""
    pty = pytest.importorskip("pty")
    far, near = pty.openpty()
    settings = {"TERM": "linux", "LINES": "40", **environment}
    child = subprocess.Popen(
        [sys.executable, "-m", "cnnviz", *arguments],
        stdin=near,
        stdout=near,
        cwd=folder,
        env={**os.environ, **dict.fromkeys(CLEARED, ""), **settings},
    )
    os.close(near)
    said = b""
    while True:
        try:
            part = os.read(far, 65536)
        except OSError:  # Linux says so when the last program has gone
            break
        if not part:
            break
        said += part
    os.close(far)
    assert child.wait() == 0
    return said.decode()
