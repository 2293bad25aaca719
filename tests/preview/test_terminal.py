"""What a terminal is taken for, and that asking it neither waits nor takes what is typed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from time import monotonic

import pytest

from cnnviz.errors import UsageError
from cnnviz.preview import terminal
from cnnviz.preview.terminal import Terminal, this_terminal

pty = pytest.importorskip("pty")

NAMES = (
    *("TERM", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "TMUX", "STY", "XTERM_VERSION", "ZELLIJ"),
    *("KONSOLE_VERSION", "LC_TERMINAL", "COLUMNS", "LINES", "CNNVIZ_GRAPHICS", "KITTY_WINDOW_ID"),
)


class Screen(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1_000_000  # of no file


def taken_for(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], answer: bytes = b""
) -> Terminal:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(terminal, "answer_of", lambda *_: answer)
    found = this_terminal(Screen())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("environment", "answer", "kind"),
    [
        pytest.param({"TERM": "xterm-kitty"}, b"", "kitty", id="kitty"),
        pytest.param({"TERM": "xterm-ghostty"}, b"", "kitty", id="Ghostty"),
        pytest.param({"TERM": "xterm", "KONSOLE_VERSION": "230801"}, b"", "kitty", id="Konsole"),
        pytest.param({"TERM": "xterm", "KONSOLE_VERSION": "211201"}, b"", "blocks", id="older"),
        pytest.param({"TERM": "xterm", "TERM_PROGRAM": "iTerm.app"}, b"", "iterm", id="iTerm2"),
        pytest.param({"TERM": "xterm", "LC_TERMINAL": "iTerm2"}, b"", "iterm", id="iTerm2, ssh"),
        pytest.param({"TERM": "xterm"}, b"\x1b[?64;1;4;22c", "sixel", id="answers sixel"),
        pytest.param({"TERM": "xterm"}, b"\x1b[?64;1;14;22c", "blocks", id="14 is not 4"),
        pytest.param({"TERM": "xterm"}, b"", "blocks", id="no answer"),
        pytest.param({"TERM": "xterm", "KITTY_WINDOW_ID": "1"}, b"", "blocks", id="xterm in kitty"),
        pytest.param(
            {"TERM": "tmux", "TMUX": "x", "LC_TERMINAL": "iTerm2"}, b"", "blocks", id="tmux"
        ),
        pytest.param({"TERM": "dumb"}, b"", "characters", id="dumb"),
        pytest.param({"TERM": "xterm-kitty", "NO_COLOR": "1"}, b"", "characters", id="NO_COLOR"),
        pytest.param({"TERM": "linux"}, b"\x1b[?4c", "blocks", id="console"),
        pytest.param({"TERM": "dumb", "CNNVIZ_GRAPHICS": "sixel"}, b"", "sixel", id="chosen"),
    ],
)
def test_kind(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], answer: bytes, kind: str
) -> None:
    assert taken_for(monkeypatch, environment, answer).kind == kind


def test_an_unknown_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"'tv'.*kitty, iterm, sixel"):
        taken_for(monkeypatch, {"CNNVIZ_GRAPHICS": "tv"})


def test_colors_columns_and_what_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken_for(monkeypatch, {"TERM": "xterm-256color"}).colors == 256
    environment = {"TERM": "xterm", "COLORTERM": "truecolor", "COLUMNS": "37", "LINES": "50"}
    answer = b"\x1b[?1;0;16S\x1b[6;17;9t\x1b[?62;4c"
    expected = Terminal("sixel", 37, 46, 1 << 24, (17, 9), 16)
    assert taken_for(monkeypatch, environment, answer) == expected


def test_no_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNVIZ_GRAPHICS", "kitty")
    assert this_terminal(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) is None


def test_letters_that_cannot_be_written_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_for(monkeypatch, {"TERM": "xterm"})
    found = this_terminal(Screen("ascii"))
    assert found is not None
    assert found.kind == "characters"


# A program in a terminal of its own: says when it is ready, asks when it is told by the clock,
# prints the answer, then reads a line as any program would.
PROGRAM = """
import os, sys, time
os.close(os.open(os.ttyname(0), os.O_RDWR))  # from now on its controlling terminal
from cnnviz.preview.asking import answer_of
from cnnviz.preview.terminal import ATTRIBUTES, QUESTION
print("ready", flush=True)
time.sleep(0.5)
start = time.monotonic()
print("answer", answer_of(1, QUESTION, ATTRIBUTES), time.monotonic() - start < 3, flush=True)
print("line", repr(sys.stdin.readline()), flush=True)
"""


class Played:
    """The far end of a terminal."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.said = descriptor, b""

    def until(self, text: bytes, seconds: float = 20) -> bytes:
        end = monotonic() + seconds
        while text not in self.said:
            assert select([self.descriptor], [], [], max(0, end - monotonic()))[0], self.said
            self.said += os.read(self.descriptor, 1024)
        return self.said

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)


@contextmanager
def program() -> Iterator[Played]:
    far, near = pty.openpty()
    command = [sys.executable, "-c", PROGRAM]
    child = subprocess.Popen(command, stdin=near, stdout=near, start_new_session=True)
    os.close(near)
    try:
        yield Played(far)
    finally:
        child.kill()
        child.wait()
        os.close(far)


def test_a_terminal_is_asked_and_its_answer_read_to_the_end() -> None:
    with program() as played:
        played.until(b"\x1b[c")
        played.type(b"\x1b[6;20;10t\x1b[?62;4cafter\n")
        said = played.until(b"line 'after\\n'")
    assert b"answer b'\\x1b[6;20;10t\\x1b[?62;4c' True" in said


def test_a_terminal_that_does_not_answer_is_not_waited_for() -> None:
    with program() as played:
        played.until(b"answer b'' True")
        played.type(b"hello\n")
        played.until(b"line 'hello\\n'")


@pytest.mark.parametrize("keys", [b"make test\n", b"half a li"], ids=["a line", "half a line"])
def test_what_is_typed_ahead_is_left_to_be_read(keys: bytes) -> None:
    with program() as played:
        played.until(b"ready")
        played.type(keys)
        said = played.until(b"answer b'' True")
        assert b"\x1b[c" not in said
        if not keys.endswith(b"\n"):
            played.type(b"ne\n")
        played.until(b"line '" + keys.rstrip(b"\n"))
