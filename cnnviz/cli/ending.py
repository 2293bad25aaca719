"""What ends a run from outside: Ctrl-C, ``SIGTERM``, ``SIGHUP``; also where nobody listens.

Python sees to a signal between two steps of its own. A library's function that computes for hours,
or a model that catches every exception, would keep it waiting: then a thread that does nothing else
ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
SECONDS_TO_END = 1.0  # in which Python has to hear of a signal
SECONDS_TO_CLEAR = 5.0  # and in which what it interrupts has to come to its end

how_far: list[Callable[[], str]] = []  # what says how much is done, the innermost last
_said: list[str] = []  # the lines on an ending, of which there is one


class Ended(KeyboardInterrupt):
    """A signal that ends the process, as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class _Ending:
    """Raises ``Ended`` once, whoever sends the signal, and how often.

    ``timeout`` sends it twice, a terminal and a parent each once, and people press Ctrl-C again:
    while the first is seen to, the others would only interrupt that.
    """

    def __init__(self) -> None:
        self.begun = -SECONDS_TO_END

    def __call__(self, number: int, _: FrameType | None) -> None:
        now = monotonic()
        if now - self.begun >= SECONDS_TO_END:
            self.begun = now
            raise Ended(number)


def listen() -> None:
    """Take the signals that end a process, except those that its parent wants ignored (nohup)."""
    end = _Ending()
    taken = set()
    for name in ENDING:
        number = getattr(signal, name, None)  # Windows has not all
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
            taken.add(int(number))
    if os.name != "nt":  # where only sockets could wake it
        _watch(end, taken)


def line(number: int, notes: list[str]) -> str:
    """What is said of an ending by that signal: ``notes`` on how far the run was."""
    name = signal.Signals(number).name
    what = "Interrupted" if number == signal.SIGINT else f"Ended by {name}"
    _said.append("; ".join([what, *(notes or [_written()])]))
    return _said[-1]


def end_at_once(code: int, *, flush: bool = True) -> NoReturn:
    """End without waiting for threads that are still at work, and leave nothing half-written."""
    try:
        from cnnviz.storage import abandon  # and pathlib with it, which other runs need not load

        abandon()
        for stream in filter(None, (sys.stdout, sys.stderr) if flush else ()):  # a closed one: None
            with suppress(OSError, ValueError):
                stream.flush()
    finally:
        os._exit(code)


def _watch(end: _Ending, numbers: set[int]) -> None:
    """Have a thread see that the process ends after one of these signals."""
    from _thread import start_new_thread  # no more is needed, and threading takes milliseconds

    hears, speaks = os.pipe()
    os.set_blocking(speaks, False)
    signal.set_wakeup_fd(speaks, warn_on_full_buffer=False)
    # A child that is ended by a signal would speak into the same pipe.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))

    def watch() -> None:
        while heard := os.read(hears, 1):
            if heard[0] in numbers:
                _see_to_the_end(end, heard[0])

    start_new_thread(watch, ())


def _see_to_the_end(end: _Ending, number: int) -> None:
    """End the process in a while, if it is still there."""
    at = monotonic()
    sleep(SECONDS_TO_END)
    if end.begun >= at - SECONDS_TO_END:
        sleep(SECONDS_TO_CLEAR - SECONDS_TO_END)
    if not _said:
        said = line(number, [each() for each in how_far[-1:]])
        with suppress(OSError):  # the stream's own lock may be held by what does not end
            os.write(2, f"{said}\n".encode(errors="backslashreplace"))
    end_at_once(128 + number, flush=False)


def _written() -> str:
    """How far a run is that is no batch: how many files it has written."""
    storage: Any = sys.modules.get("cnnviz.storage")  # where it is not loaded, nothing was
    count = storage.finished() if storage else 0
    return f"{count:,} file{'s' if count != 1 else ''} written" if count else "nothing written"
