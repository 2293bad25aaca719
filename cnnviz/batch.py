"""Many files: in order, several at once, a failure never stopping the rest."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from cnnviz.errors import CnnvizError, DisagreementError, OutputError

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    Job = Callable[[Path], Iterable[T]]
    Begin = Callable[[], Iterable[T]]
    _Collected = tuple[list[T], CnnvizError | None]


@dataclass(frozen=True)
class Failure:
    """One input that could not be done, and why."""

    input: Path
    error: CnnvizError


@dataclass
class Batch:
    """Runs jobs over inputs; remembers what failed.

    ``finished`` counts inputs, of which ``done`` are those without a failure; ``results`` counts
    what they yielded. Once it is ``stopped``, no input is begun.
    """

    inputs: list[Path]
    failures: list[Failure] = field(default_factory=list)
    finished: int = 0
    done: int = 0
    results: int = 0
    stopped: bool = False

    def run(
        self, job: Job[T], at_once: int = 1, after_each: Callable[[], object] = lambda: None
    ) -> Generator[T]:
        """What ``job`` yields for each input, in order; ``at_once`` inputs are worked on.

        A ``CnnvizError`` ends that input only; an ``OutputError`` ends the batch, because the
        next output would not fit either: then only what was begun is finished. ``after_each``
        is called when an input is finished, failed or not.

        Close the iterator where it is not used up: what was not begun never is, and nobody
        waits for what was.
        """
        begun = self._side_by_side(job, at_once) if at_once > 1 else self._in_turn(job)
        with closing(begun):
            for path, begin in begun:
                before = len(self.failures)
                try:
                    for result in begin():
                        self.results += 1
                        yield result
                except CnnvizError as error:
                    self.fail(path, error)
                self.finished += 1
                self.done += all(failure.input != path for failure in self.failures[before:])
                after_each()

    def fail(self, path: Path, error: CnnvizError) -> None:
        """Record that ``path`` could not be done; an ``OutputError`` stops the batch."""
        self.failures.append(Failure(path, error))
        self.stopped = self.stopped or isinstance(error, OutputError)

    @property
    def not_reached(self) -> int:
        """How many inputs have not been worked on."""
        return len(self.inputs) - self.finished

    @property
    def summary(self) -> str:
        """How many inputs are done, and how many failed or were not reached, if any."""
        said = f"{self.done:,} of {len(self.inputs):,} images done"
        others = {"failed": self.finished - self.done, "not reached": self.not_reached}
        return ", ".join([said, *(f"{count:,} {what}" for what, count in others.items() if count)])

    @property
    def exit_code(self) -> int:
        """0 when all was done; a lone failure's own code; beside results 4 beats 3 beats 1."""
        codes = {failure.error.exit_code for failure in self.failures}
        if len(self.inputs) == 1 and not self.results:
            return max(codes, default=0)
        serious = codes & {OutputError.exit_code, DisagreementError.exit_code}
        return max(serious, default=CnnvizError.exit_code if codes else 0)

    def _in_turn(self, job: Job[T]) -> Generator[tuple[Path, Begin[T]]]:
        """Each input, and what does its work, until an output cannot be written."""
        for path in self.inputs:
            if self.stopped:
                return
            yield path, partial(job, path)

    def _side_by_side(self, job: Job[T], at_once: int) -> Generator[tuple[Path, Begin[T]]]:
        """As ``_in_turn``, with the work done by threads, a few inputs ahead."""
        pool, waiting = ThreadPoolExecutor(at_once), iter(self.inputs)
        ahead: deque[tuple[Path, Future[_Collected[T] | None]]] = deque()
        try:
            while True:
                free = 0 if self.stopped else 2 * at_once - len(ahead)
                ahead.extend(
                    (path, pool.submit(self._collect, job, path)) for path in islice(waiting, free)
                )
                if not ahead:
                    return
                path, future = ahead.popleft()
                if collected := future.result():
                    yield path, partial(_replay, *collected)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _collect(self, job: Job[T], path: Path) -> _Collected[T] | None:
        """What ``job`` yields, and the error that it ends by; None once the batch is stopped."""
        if self.stopped:
            return None
        results: list[T] = []
        try:
            for result in job(path):
                results.append(result)
        except CnnvizError as error:
            self.stopped = self.stopped or isinstance(error, OutputError)
            return results, error
        return results, None


def _replay(results: list[T], error: CnnvizError | None) -> Iterator[T]:
    """What was collected, as if it happened now."""
    yield from results
    if error:
        raise error
