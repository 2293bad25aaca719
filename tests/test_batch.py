"""A failure ends its own input, and the exit code says the worst that happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


def batch_of(*names: str) -> tuple[Batch, list[str]]:
    batch = Batch([Path(name) for name in names])
    return batch, list(batch.run(job))


def test_a_failed_input_keeps_its_results_and_the_others_run() -> None:
    batch, results = batch_of("a", "image", "b")

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


def test_our_own_bugs_are_not_taken_for_failures_of_an_input() -> None:
    def broken(path: Path) -> Iterator[str]:
        yield path.name
        raise ZeroDivisionError

    batch = Batch([Path("a"), Path("b")])

    with pytest.raises(ZeroDivisionError):
        list(batch.run(broken))
    assert batch.failures == []
