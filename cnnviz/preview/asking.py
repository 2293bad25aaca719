"""Asks the terminal a question, without a wait that could last and without what is typed ahead."""

from __future__ import annotations

import os
from contextlib import suppress
from select import select
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

SECONDS = 1.0  # every terminal answers in milliseconds; a far one in the time of a round trip
ESCAPE = 0x1B


def answer_of(descriptor: int, question: bytes, last: re.Pattern[bytes]) -> bytes:
    """What the terminal of ``descriptor`` answers, up to what ``last`` matches; empty if nothing.

    It is not asked in the background, where that would stop the process, nor where something has
    been typed already, which could not be told from an answer. Keys that are pressed in the
    milliseconds of the answer are given back, where the system still allows that.
    """
    try:
        import termios  # Windows has none

        own = os.open(os.ttyname(descriptor), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except (ImportError, OSError):
        return b""
    try:
        if os.tcgetpgrp(own) != os.getpgrp():
            return b""
        before = termios.tcgetattr(own)
        quiet = termios.tcgetattr(own)
        quiet[3] &= ~(termios.ECHO | termios.ICANON)
        # At once: to wait until all is written lasts for ever in a terminal stopped by Ctrl-S.
        termios.tcsetattr(own, termios.TCSANOW, quiet)
        try:
            return _asked(own, question, last)
        finally:
            termios.tcsetattr(own, termios.TCSANOW, before)
    except (OSError, termios.error):  # another's terminal, or one that has gone
        return b""
    finally:
        os.close(own)


def _asked(own: int, question: bytes, last: re.Pattern[bytes]) -> bytes:
    if _is_readable(own, 0):
        return b""
    os.write(own, question)
    end, said = monotonic() + SECONDS, b""
    while not last.search(said) and _is_readable(own, max(0.0, end - monotonic())):
        said += os.read(own, 1)  # and nothing of what follows the answer
    typed = bytes(said[: said.index(ESCAPE)] if ESCAPE in said else said)
    _give_back(own, typed)
    return said[len(typed) :]


def _is_readable(own: int, seconds: float) -> bool:
    return bool(select([own], [], [], seconds)[0])


def _give_back(own: int, typed: bytes) -> None:
    """Put keys back as if they were typed now; newer systems refuse it to all but root."""
    import fcntl
    import termios

    with suppress(OSError):
        for key in typed:
            fcntl.ioctl(own, termios.TIOCSTI, bytes([key]))
