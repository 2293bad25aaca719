"""Many files: in order, several at once, a failure never stopping the rest."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from cnnviz.errors import CnnvizError, DisagreementError, OutputError

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
    """Runs jobs over inputs; remembers what failed, and how many inputs are ``finished``."""

    inputs: list[Path]
    failures: list[Failure] = field(default_factory=list)
    finished: int = 0
    results: int = 0
    _stopped: bool = False

    def run(self, job: Job[T], at_once: int = 1) -> Iterator[T]:
        """What ``job`` yields for each input, in order; ``at_once`` inputs are worked on.

        A ``CnnvizError`` ends that input only; an ``OutputError`` ends the batch, because the
        next output would not fit either: then only what was begun is finished.
        """
        begun = self._side_by_side(job, at_once) if at_once > 1 else self._in_turn(job)
        for path, begin in begun:
            try:
                for result in begin():
                    self.results += 1
                    yield result
            except CnnvizError as error:
                self.fail(path, error)
                self._stopped = self._stopped or isinstance(error, OutputError)
            self.finished += 1

    def fail(self, path: Path, error: CnnvizError) -> None:
        """Record that ``path`` could not be done."""
        self.failures.append(Failure(path, error))

    def stop(self, path: Path, error: OutputError) -> None:
        """Record, once, what beside the results cannot be written, and begin no more."""
        if not self._stopped:
            self.fail(path, error)
        self._stopped = True

    @property
    def not_reached(self) -> int:
        """How many inputs have not been worked on."""
        return len(self.inputs) - self.finished

    @property
    def exit_code(self) -> int:
        """0 when all was done; a lone failure's own code; beside results 4 beats 3 beats 1."""
        codes = {failure.error.exit_code for failure in self.failures}
        if len(self.inputs) == 1 and not self.results:
            return max(codes, default=0)
        serious = codes & {OutputError.exit_code, DisagreementError.exit_code}
        return max(serious, default=CnnvizError.exit_code if codes else 0)

    def _in_turn(self, job: Job[T]) -> Iterator[tuple[Path, Begin[T]]]:
        """Each input, and what does its work, until an output cannot be written."""
        for path in self.inputs:
            if self._stopped:
                return
            yield path, partial(job, path)

    def _side_by_side(self, job: Job[T], at_once: int) -> Iterator[tuple[Path, Begin[T]]]:
        """As ``_in_turn``, with the work done by threads, a few inputs ahead.

        Whoever stops listening, because of an interruption for one, does not wait for them.
        """
        pool, waiting = ThreadPoolExecutor(at_once), iter(self.inputs)
        ahead: deque[tuple[Path, Future[_Collected[T]]]] = deque()
        try:
            while True:
                free = 0 if self._stopped else 2 * at_once - len(ahead)
                ahead.extend(
                    (path, pool.submit(_collect, job, path)) for path in islice(waiting, free)
                )
                if not ahead:
                    return
                path, future = ahead.popleft()
                if not (self._stopped and future.cancel()):
                    yield path, partial(_replay, future)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _collect(job: Job[T], path: Path) -> _Collected[T]:
    """What ``job`` yields, and the error that it ends by."""
    results: list[T] = []
    try:
        for result in job(path):
            results.append(result)
    except CnnvizError as error:
        return results, error
    return results, None


def _replay(future: Future[_Collected[T]]) -> Iterator[T]:
    """What was collected, as if it happened now."""
    results, error = future.result()
    yield from results
    if error:
        raise error
