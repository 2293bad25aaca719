"""Commands measured as whole processes, side by side, and the table of their medians.

For Linux: ``wait4`` tells the peak memory of a process and of those it waited for. A process starts
with its parent's peak, so the scripts that measure import nothing large: numpy and Pillow are left
to processes of their own.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MIB = 1024  # KiB, wait4's unit
BUDGET = 600.0


@dataclass(frozen=True, eq=False)
class Contender:
    """One way to do the job, as a command line; ``processes`` of it work at the same time."""

    name: str
    command: list[str]
    processes: int = 1
    cuts_negatives: bool = False

    @property
    def title(self) -> str:
        """The name, and what its picture lacks."""
        return self.name + (", negatives cut off" if self.cuts_negatives else "")


@dataclass(frozen=True)
class Run:
    """Wall and processor seconds, the peak of the largest process in MiB, megabytes written."""

    seconds: float
    processor: float
    peak: float
    written: float


class FailedError(Exception):
    """A command ended with an error, or did not write what it should."""


def measured(command: list[str], target: Path, files: int) -> Run:
    """One run of a command that is to write ``files`` files into the folder ``target``.

    Raises:
        FailedError: it did not; the message is the last line it printed.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    os.sync()  # what the one before has written is not to be written out during this run
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        _, status, usage = os.wait4(started(command, said.fileno()), 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
    # The record of a batch is no picture.
    sizes = [path.stat().st_size for path in target.iterdir() if path.suffix != ".json"]
    if status or len(sizes) != files:
        code = os.waitstatus_to_exitcode(status)
        raise FailedError(f"exit code {code}, {len(sizes)} of {files} files written. {last}")
    processor = usage.ru_utime + usage.ru_stime
    return Run(seconds, processor, usage.ru_maxrss / MIB, sum(sizes) / 1e6)


def started(command: list[str], errors: int) -> int:
    """Number of a new process that reads nothing and writes its errors to that descriptor."""
    quiet = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, errors, 2),
    ]
    try:
        return os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    except OSError as error:
        raise FailedError(str(error)) from error


def side_by_side(
    contenders: Iterable[Contender], target: Path, files: int, runs: int, budget: float = BUDGET
) -> dict[Contender, list[Run]]:
    """``runs`` runs of each contender: all run once before any runs again.

    A machine whose speed drifts so treats them alike; each round has an order of its own, so that
    none always follows the same neighbour. A contender that has used ``budget`` seconds is not run
    again; one that fails is reported and left out.
    """
    results: dict[Contender, list[Run]] = {contender: [] for contender in contenders}
    shuffle = random.Random(0)  # noqa: S311  an order, not a secret
    for _ in range(runs):
        for contender in shuffle.sample(list(results), len(results)):
            if sum(run.seconds for run in results[contender]) > budget:
                continue
            try:
                results[contender].append(measured(contender.command, target, files))
            except FailedError as error:
                del results[contender]
                print(f"Left out: {contender.title}: {error}\n")
    return results


def print_table(results: dict[Contender, list[Run]], base: str, files: int) -> None:
    """One row for each contender: medians, and the highest peak.

    The ratio is to the median seconds of the contender titled ``base``; below 1 is faster.
    """
    medians = {c.title: statistics.median(r.seconds for r in runs) for c, runs in results.items()}
    rate = ["images/s"] if files > 1 else []
    head = ["seconds", "from – to", f"of {base}", "processor s", "MiB", "MB written", "runs"]
    print_row(["", *rate, *head])
    print_row(["---"] * (1 + len(rate) + len(head)))
    for contender, runs in results.items():
        median = medians[contender.title]
        ratio = f"{median / medians[base]:.2f}" if base in medians else "–"
        cells = [f"{files / median:.1f}"] if files > 1 else []
        cells += [f"{median:.2f}", extent(runs), ratio, *costs(contender, runs)]
        print_row([contender.title, *cells, str(len(runs))])


def extent(runs: list[Run]) -> str:
    seconds = [run.seconds for run in runs]
    return f"{min(seconds):.2f} – {max(seconds):.2f}"


def costs(contender: Contender, runs: list[Run]) -> list[str]:
    """Processor seconds, MiB and MB written."""
    peak = f"{max(run.peak for run in runs):.0f}"
    return [
        f"{statistics.median(run.processor for run in runs):.2f}",
        peak if contender.processes == 1 else f"{contender.processes} × {peak}",
        f"{runs[-1].written:.1f}",
    ]


def print_row(cells: list[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that say what is run, and how often at most."""
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows with a WORD")
    parser.add_argument("--skip", nargs="+", default=[], metavar="WORD", help="no rows with it")
    limit = "what has used up so many in a table is not run again"
    parser.add_argument("--budget", type=float, default=BUDGET, metavar="SECONDS", help=limit)


def chosen(contenders: Iterable[Contender], options: argparse.Namespace) -> list[Contender]:
    """Those whose title has a word of ``--only``, if given, and none of ``--skip``.

    What cuts negatives off, and so makes less, stands last.
    """

    def named(contender: Contender, words: list[str]) -> bool:
        return any(word.lower() in contender.title.lower() for word in words)

    rows = [one for one in contenders if not options.only or named(one, options.only)]
    rows = [one for one in rows if not named(one, options.skip)]
    return sorted(rows, key=lambda one: one.cuts_negatives)
