"""Many files: one after the other, a failure never stopping the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from cnnviz.errors import CnnvizError, DisagreementError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """One input that could not be done, and why."""

    input: Path
    error: CnnvizError


@dataclass
class Batch:
    """Runs jobs over inputs and remembers what failed and how many were not reached."""

    inputs: list[Path]
    failures: list[Failure] = field(default_factory=list)
    not_reached: int = 0
    results: int = 0

    def run(self, job: Callable[[Path], Iterable[T]]) -> Iterator[T]:
        """What ``job`` yields for each input.

        A ``CnnvizError`` ends that input only; an ``OutputError`` ends the batch, because the
        next output would not fit either.
        """
        for done, path in enumerate(self.inputs, 1):
            try:
                for result in job(path):
                    self.results += 1
                    yield result
            except OutputError as error:
                self.fail(path, error)
                self.not_reached = len(self.inputs) - done
                return
            except CnnvizError as error:
                self.fail(path, error)

    def fail(self, path: Path, error: CnnvizError) -> None:
        """Record that ``path`` could not be done."""
        self.failures.append(Failure(path, error))

    @property
    def exit_code(self) -> int:
        """0 when all was done; a lone failure's own code; beside results 4 beats 3 beats 1."""
        codes = {failure.error.exit_code for failure in self.failures}
        if len(self.inputs) == 1 and not self.results:
            return max(codes, default=0)
        serious = codes & {OutputError.exit_code, DisagreementError.exit_code}
        return max(serious, default=CnnvizError.exit_code if codes else 0)
