"""How far a batch is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import ending

if TYPE_CHECKING:
    from types import TracebackType

    from cnnviz.batch import Batch

SECONDS_BETWEEN_LINES = 10.0
BAR = "{n}/{total} images |{bar:30}| {rate_fmt}, {remaining} left"


class Progress:
    """Shows on stderr how much of ``batch`` is finished, unless ``quiet`` or of one image alone.

    An interruption that passes through it, or a standard output that takes no more, carries on how
    far the batch was.
    """

    def __init__(self, batch: Batch, *, quiet: bool = False) -> None:
        self._batch, self._total = batch, len(batch.inputs)
        self._shown = self._total > 1 and not quiet
        self._start = self._said = monotonic()
        terminal = sys.stderr is not None and sys.stderr.isatty()  # None where it is closed
        self._bar = _bar(self._total) if self._shown and terminal else None

    def __enter__(self) -> Progress:
        ending.how_far.append(lambda: self._batch.summary)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        ending.how_far.pop()
        if self._bar is not None:
            self._bar.close()
        if isinstance(error, KeyboardInterrupt | OSError) and self._total > 1:
            error.add_note(self._batch.summary)

    def say(self, line: str, *, err: bool = False) -> None:
        """Print a line, above the bar where there is one."""
        if self._bar is None:
            click.echo(line, err=err)
            return
        with self._bar.external_write_mode(file=sys.stderr if err else sys.stdout):
            click.echo(line, err=err)

    def update(self) -> None:
        """Show how many images are finished by now."""
        finished = self._batch.finished
        if self._bar is not None:
            self._bar.update(finished - self._bar.n)
        elif self._shown and finished < self._total:
            self._now_and_then(finished)

    def _now_and_then(self, finished: int) -> None:
        now = monotonic()
        if now - self._said < SECONDS_BETWEEN_LINES:
            return
        self._said = now
        rate = finished / (now - self._start)
        left = (self._total - finished) / rate
        click.echo(
            f"{finished:,} of {self._total:,} images, {rate:.3g} a second, {_duration(left)} left",
            err=True,
        )


def _bar(total: int) -> Any:
    from tqdm import tqdm  # a twentieth of a second that only a batch on a terminal pays

    tqdm.monitor_interval = 0  # no thread of its own
    # A terminal that does not know its size says 0x0, and tqdm would show nothing there.
    columns, rows = os.get_terminal_size(sys.stderr.fileno())
    return tqdm(
        total=total,
        unit=" images",
        bar_format=BAR,
        leave=False,
        file=sys.stderr,
        ncols=(columns or 80) - 1,
        nrows=rows or 24,
    )


def _duration(seconds: float) -> str:
    """Seconds as 42 s, 3 min or 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
