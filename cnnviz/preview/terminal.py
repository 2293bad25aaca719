"""What the terminal behind standard output can show, as its environment and itself say."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.preview.asking import answer_of

if TYPE_CHECKING:
    from typing import TextIO

KINDS = ("kitty", "iterm", "sixel", "blocks", "characters")
CHOICE = "CNNVIZ_GRAPHICS"

# What is inherited by a terminal that is started from another is no proof: KITTY_WINDOW_ID is not
# looked at, and where xterm or a multiplexer stands between, only the answer counts.
KITTY = re.compile(r"xterm-kitty|xterm-ghostty")
ITERM = {"iTerm.app", "WezTerm", "mintty"}
BETWEEN = ("TMUX", "STY", "XTERM_VERSION", "ZELLIJ")
KONSOLE = 220400  # the first with kitty's protocol
PLAIN = {"", "dumb", "linux"}

# Colour registers, size of a cell, and last what every terminal answers: its attributes.
QUESTION = b"\x1b[?1;1;0S\x1b[16t\x1b[c"
ATTRIBUTES = re.compile(rb"\x1b\[\?([0-9;]*)c")
REGISTERS = re.compile(rb"\x1b\[\?1;0;([0-9]+)S")
CELL = re.compile(rb"\x1b\[6;([0-9]+);([0-9]+)t")
SIXEL = b"4"
LINES_BESIDE = 4  # the result's, which may be two, and the prompt's


@dataclass(frozen=True)
class Terminal:
    """A way to draw, one of ``KINDS``, and what it needs to know.

    ``rows`` are those that a picture can have and be seen whole.

    ``colors`` are 2**24 or 256 of text. ``cell`` is a character's (height, width) in pixels,
    ``registers`` how many colours a sixel picture can have.
    """

    kind: str
    columns: int = 80
    rows: int = 20
    colors: int = 256
    cell: tuple[int, int] = (20, 10)
    registers: int = 256

    @property
    def has_graphics(self) -> bool:
        """Whether a picture's pixels are drawn, so that words in it can be read."""
        return self.kind not in {"blocks", "characters"}


def this_terminal(stream: TextIO | None = None) -> Terminal | None:
    """The terminal that ``stream``, by default standard output, is; None where it is none.

    CNNVIZ_GRAPHICS chooses the kind; NO_COLOR leaves characters alone; COLUMNS is its width.

    Raises:
        UsageError: CNNVIZ_GRAPHICS is no kind.
    """
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    chosen = os.environ.get(CHOICE, "")
    if chosen and chosen not in KINDS:
        raise UsageError(f"{CHOICE} is {chosen!r}; it must be one of {', '.join(KINDS)}")
    kind = chosen or _kind_of_environment(stream.encoding)
    asked, size = kind in {"", "sixel"}, get_terminal_size()
    answer = answer_of(stream.fileno(), QUESTION, ATTRIBUTES) if asked else b""
    return Terminal(
        kind=kind or ("sixel" if _has_sixel(answer) else "blocks"),
        columns=max(1, size.columns),
        rows=max(1, size.lines - LINES_BESIDE),
        colors=_colors(),
        cell=_cell(stream.fileno(), answer),
        registers=_registers(answer),
    )


def _kind_of_environment(encoding: str | None) -> str:
    """The kind that is certain; empty where the terminal has to be asked."""
    environment = os.environ
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if environment.get("NO_COLOR") or term == "dumb":
        return "characters"
    if (encoding or "").lower().replace("-", "") not in {"utf8", "utf16le"}:
        return "characters"
    if not any(map(environment.get, BETWEEN)):
        konsole = environment.get("KONSOLE_VERSION", "")
        if KITTY.fullmatch(term) or (konsole.isdecimal() and int(konsole) >= KONSOLE):
            return "kitty"
        if program in ITERM or environment.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
    return "blocks" if term in PLAIN else ""


def _has_sixel(answer: bytes) -> bool:
    found = ATTRIBUTES.search(answer)
    return found is not None and SIXEL in found[1].split(b";")


def _registers(answer: bytes) -> int:
    found = REGISTERS.search(answer)
    return min(max(int(found[1]), 2), 256) if found else 256


def _colors() -> int:
    direct = os.environ.get("TERM", "").endswith(("-direct", "-kitty", "-ghostty"))
    return 1 << 24 if direct or os.environ.get("COLORTERM") in {"truecolor", "24bit"} else 256


def _cell(descriptor: int, answer: bytes) -> tuple[int, int]:
    """Height and width of a character in pixels, as the system or the terminal says; else usual."""
    if found := CELL.search(answer):
        size = int(found[1]), int(found[2])
        return size if min(size) > 0 else Terminal.cell
    try:
        from fcntl import ioctl  # Windows has neither
        from struct import unpack
        from termios import TIOCGWINSZ

        rows, columns, width, height = unpack("4H", ioctl(descriptor, TIOCGWINSZ, bytes(8)))
    except (ImportError, OSError):
        return Terminal.cell
    if not (rows and columns and width >= columns and height >= rows):
        return Terminal.cell
    return height // rows, width // columns
