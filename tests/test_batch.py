"""A failure ends its own input, and the exit code says the worst that happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from cnnviz.batch import Batch
from cnnviz.errors import (
    CnnvizError,
    DisagreementError,
    ImageError,
    KernelError,
    OutputError,
    UsageError,
)

ERRORS: dict[str, type[CnnvizError]] = {
    "image": ImageError,
    "usage": UsageError,
    "disagree": DisagreementError,
    "output": OutputError,
}


def job(path: Path) -> Iterator[str]:
    """Two results of each input; one named after an error raises it after the first."""
    yield f"{path.name} 1"
    if error := ERRORS.get(path.stem):
        raise error(f"{path.name} failed")
    yield f"{path.name} 2"


def batch_of(*names: str, at_once: int = 1) -> tuple[Batch, list[str]]:
    batch = Batch([Path(name) for name in names])
    return batch, list(batch.run(job, at_once))


def wait_until(condition: Callable[[], bool]) -> None:
    """For what another thread is about to do; a fault is an error, not a test that hangs."""
    end = monotonic() + 10
    while not condition():
        assert monotonic() < end
        sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_failed_input_keeps_its_results_and_the_others_run(at_once: int) -> None:
    batch, results = batch_of("a", "image", "b", at_once=at_once)

    assert results == ["a 1", "a 2", "image 1", "b 1", "b 2"]
    assert [(f.input, str(f.error)) for f in batch.failures] == [(Path("image"), "image failed")]
    assert batch.not_reached == 0


def test_an_output_that_cannot_be_written_stops_the_batch() -> None:
    batch, results = batch_of("image", "a", "output", "b", "c")

    assert results == ["image 1", "a 1", "a 2", "output 1"]
    assert [f.input.name for f in batch.failures] == ["image", "output"]
    assert batch.not_reached == 2


def test_a_lone_input_without_a_result_keeps_its_own_code() -> None:
    def refuse(path: Path) -> Iterator[str]:
        if path.name:
            raise UsageError(f"{path} failed")
        yield ""

    batch = Batch([Path("a")])
    assert list(batch.run(refuse)) == []
    assert batch.exit_code == UsageError.exit_code


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param([], 0, id="nothing-to-do"),
        pytest.param(["a"], 0, id="one-done"),
        pytest.param(["a", "b"], 0, id="all-done"),
        pytest.param(["image"], 1, id="lone-image"),
        pytest.param(["usage"], 1, id="lone-usage-after-a-result"),
        pytest.param(["disagree"], 3, id="lone-disagreement"),
        pytest.param(["output"], 4, id="lone-output"),
        pytest.param(["a", "image"], 1, id="one-of-two"),
        pytest.param(["a", "usage"], 1, id="usage-in-a-batch"),
        pytest.param(["image", "disagree", "image"], 3, id="3-beats-1"),
        pytest.param(["usage", "disagree"], 3, id="3-beats-usage"),
        pytest.param(["disagree", "image", "output"], 4, id="4-beats-3"),
        pytest.param(["output", "disagree"], 4, id="4-and-nothing-after"),
    ],
)
def test_the_exit_code_is_the_worst_that_happened(names: list[str], code: int) -> None:
    batch, _ = batch_of(*names)

    assert batch.exit_code == code


def test_a_lone_input_keeps_the_code_of_its_worst_failure() -> None:
    batch = Batch([Path("a")])
    batch.fail(Path("a"), KernelError("no such kernel"))
    batch.fail(Path("a"), DisagreementError("pixel 3"))

    assert batch.exit_code == 3


@pytest.mark.parametrize("at_once", [1, 2])
def test_our_own_bugs_are_not_taken_for_failures_of_an_input(at_once: int) -> None:
    def broken(path: Path) -> Iterator[str]:
        yield path.name
        raise ZeroDivisionError

    batch = Batch([Path("a"), Path("b")])

    with pytest.raises(ZeroDivisionError):
        list(batch.run(broken, at_once))
    assert batch.failures == []


@pytest.mark.parametrize(
    ("names", "summary"),
    [
        pytest.param(["a", "b"], "2 of 2 images done", id="all"),
        pytest.param(["a", "image", "b"], "2 of 3 images done, 1 failed", id="failed"),
        pytest.param(
            ["a", "image", "output", "b", "c"],
            "1 of 5 images done, 2 failed, 2 not reached",
            id="stopped",
        ),
    ],
)
def test_the_summary_counts_every_input_once(names: list[str], summary: str) -> None:
    batch, _ = batch_of(*names)

    assert batch.summary == summary


def test_an_input_that_fails_beside_its_result_is_not_done() -> None:
    batch = Batch([Path("a"), Path("b")])
    for result in batch.run(job):
        if result == "b 1":
            batch.fail(Path("b"), DisagreementError("pixel 3"))

    assert batch.summary == "1 of 2 images done, 1 failed"


@pytest.mark.parametrize("at_once", [1, 3])
def test_every_finished_input_is_told_also_a_failed_one(at_once: int) -> None:
    batch = Batch([Path(name) for name in ("a", "image", "b", "usage")])
    told = []
    for _ in batch.run(job, at_once, lambda: told.append((batch.finished, batch.done))):
        pass

    assert told == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_results_come_in_the_order_of_the_inputs_although_later_ones_are_done_first() -> None:
    finished: list[str] = []

    def backwards(path: Path) -> Iterator[str]:
        later = chr(ord(path.name) + 1)
        wait_until(lambda: path.name == "d" or later in finished)
        finished.append(path.name)
        yield path.name

    batch = Batch([Path(name) for name in "abcd"])

    assert list(batch.run(backwards, 4)) == ["a", "b", "c", "d"]
    assert finished == ["d", "c", "b", "a"]


def test_after_an_output_error_what_was_begun_is_finished_and_nothing_else_begun() -> None:
    batch = Batch([Path(name) for name in ("slow", "output", "b", "c", "d")])
    begun = []

    def recorded(path: Path) -> Iterator[str]:
        begun.append(path.name)
        if path.name == "slow":
            wait_until(lambda: batch.stopped)
        yield from job(path)

    assert list(batch.run(recorded, 2)) == ["slow 1", "slow 2", "output 1"]
    assert sorted(begun) == ["output", "slow"]
    assert [failure.input.name for failure in batch.failures] == ["output"]
    assert batch.summary == "1 of 5 images done, 1 failed, 3 not reached"


def test_a_failure_beside_the_inputs_stops_the_batch_too() -> None:
    batch = Batch([Path(name) for name in "abc"])
    for at_once in (1, 2):
        batch.fail(Path("record"), OutputError("disk full"))
        assert list(batch.run(job, at_once)) == []
    assert batch.summary == "0 of 3 images done, 3 not reached"


def test_only_a_few_inputs_are_begun_ahead_of_the_reader() -> None:
    begun = []

    def recorded(path: Path) -> Iterator[str]:
        begun.append(path)
        yield path.name

    batch = Batch([Path(f"{number}") for number in range(1000)])
    results = batch.run(recorded, 3)
    next(results)
    wait_until(lambda: len(begun) == 6)
    sleep(0.05)  # time for more, were there more
    assert len(begun) == 6
    assert len(list(results)) == 999


def test_who_stops_reading_waits_for_nobody_and_nothing_more_is_begun() -> None:
    begun, released = [], Event()

    def held(path: Path) -> Iterator[str]:
        begun.append(path.name)
        if path.name != "a":
            assert released.wait(10)
        yield path.name

    before = set(threading.enumerate())
    results = Batch([Path(name) for name in "abcdef"]).run(held, 2)
    assert next(results) == "a"
    wait_until(lambda: len(begun) == 3)
    workers = set(threading.enumerate()) - before
    results.close()
    assert all(worker.is_alive() for worker in workers)

    released.set()
    for worker in workers:
        worker.join(10)
    assert sorted(begun) == ["a", "b", "c"]


def test_a_bug_in_a_thread_lets_nothing_more_begin() -> None:
    begun = []

    def broken(path: Path) -> Iterator[str]:
        begun.append(path.name)
        if path.name == "0":
            raise ZeroDivisionError
        sleep(0.001)
        yield path.name

    with pytest.raises(ZeroDivisionError):
        list(Batch([Path(f"{number}") for number in range(1000)]).run(broken, 2))
    assert len(begun) <= 5
