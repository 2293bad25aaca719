"""The record of a batch from the plan to the end, so that ``--resume`` can take it up again."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from cnnviz.errors import OutputError
from cnnviz.record import Record
from cnnviz.storage import refuse_existing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cnnviz.batch import Batch
    from cnnviz.filtering import Target
    from cnnviz.filtering.operation import W


def planned_record(
    plan: dict[Path, list[Target[W]]], output: str | None, *, overwrite: bool, resume: bool
) -> Record | None:
    """The record in which all that is planned stands, not saved yet; one image alone needs none.

    Raises:
        UsageError: a result is in the way of a file that may not be replaced.
    """
    from cnnviz.filtering import folder_of  # cv2, which is loaded by now

    results = [target.files for targets in plan.values() for target in targets]
    several = len(plan) > 1 or resume
    record = Record(folder_of(output, chain(*plan.values()))) if several else None
    ours = record.names if record and resume else None
    refuse_existing(chain(*results), plan, overwrite=overwrite, ours=ours)
    if record:
        record.plan(results)
    return record


@contextmanager
def saving(record: Record | None, batch: Batch) -> Iterator[Callable[[], None]]:
    """What saves the record now and then; it is saved before the work too, and however that ends.

    Where the record cannot be written, the results could not be either: the batch stops.
    """

    def save(*, at_once: bool = False) -> None:
        try:
            if record:
                record.save(at_once=at_once)
        except OutputError as error:
            if record and not batch.stopped:
                batch.fail(record.file, error)

    save(at_once=True)
    try:
        yield save
    finally:
        save(at_once=True)
