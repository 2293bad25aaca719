"""A plan of ``filter`` or ``pool`` carried out: files, their lines, the exit code."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.filtered import document, line
from cnnviz.cli.progress import Progress
from cnnviz.cli.resume import planned_record, saving
from cnnviz.cli.showing import picture_of, terminal_for
from cnnviz.cores import cores
from cnnviz.engines import ENGINES, warm_up
from cnnviz.errors import UsageError
from cnnviz.memory import keep_freed_memory
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from pathlib import Path

    from cnnviz.filtering import FileFilter, Kept, Report, Target
    from cnnviz.filtering.operation import Operation, W

    Plan = dict[Path, list[Target[W]]]


def prepare(engine: str, device: str) -> tuple[str, ...]:
    """The engines that ``--engine`` names, which are being loaded from now on."""
    # numpy's OpenBLAS starts a thread per core when it is loaded; nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    engines = ENGINES if engine == "both" else (engine,)
    keep_freed_memory()
    warm_up(engines, device)
    return engines


def job_of(operation: Operation[W], how: dict[str, Any], plan: Plan[W]) -> FileFilter[W]:
    """What does a file; takes the options that say how files are written out of ``how``.

    Raises:
        UsageError: settings of formats that nothing is written in.
    """
    from cnnviz.filtering import FileFilter
    from cnnviz.images import LOSSY, Encoding

    quality, compression = how.pop("quality"), how.pop("compression")
    written = {target.suffix for targets in plan.values() for target in targets}
    if quality and not written & LOSSY.keys():
        raise UsageError(f"--quality {quality} is for JPEG and WebP; see --format")
    if compression != "fast" and ".png" not in written:
        raise UsageError(f"--compression {compression} is for PNG; see --format")
    return FileFilter(operation, how.pop("display"), Encoding(quality, compression))


def run_plan(
    plan: Plan[W],
    job: FileFilter[W],
    output: str | None,
    *,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
    resume: bool,
    jobs: int | None,
    show: bool,
) -> None:
    """Do what is planned, say what became of it, and exit by that."""
    from cnnviz.filtering import Crew, Kept

    terminal = terminal_for(as_json=as_json) if show else None
    record = planned_record(plan, output, overwrite=overwrite, resume=resume)
    batch, jobs = Batch(list(plan)), jobs or cores()
    documents: dict[str, list[Any]] = {"results": [], **({"skipped": []} if resume else {})}
    with (
        Crew(jobs) as crew,
        Progress(batch, quiet=quiet) as progress,
        saving(record, batch) as save,
    ):
        job = replace(job, crew=crew, record=record, resume=resume, overwrite=overwrite)

        def after_each() -> None:
            progress.update()
            save()

        reports = batch.run(lambda path: job(path, plan[path]), min(jobs, len(plan)), after_each)
        with closing(reports):
            for report in reports:
                if as_json:
                    kind = "skipped" if isinstance(report, Kept) else "results"
                    documents[kind].append(document(report))
                _tell(report, batch, progress, quiet=quiet, silent=as_json)
                if terminal and report.output:
                    progress.say(picture_of(report.output, terminal))
    if as_json:
        click.echo(json.dumps({**documents, "failures": options.failures(batch)}))
    options.end(batch)


def _tell(
    report: Report | Kept, batch: Batch, progress: Progress, *, quiet: bool, silent: bool
) -> None:
    """Print a result's line, unless ``silent``, and its notes; a disagreement is a failure."""
    from cnnviz.filtering import Report

    error = report.outcome.disagreement if isinstance(report, Report) else None
    if error:
        batch.fail(report.input, type(error)(f"{report.input} × {report.kernel}: {error}"))
    elif not silent:
        progress.say(line(report), err=report.output == STANDARD_STREAM)
    if isinstance(report, Report) and not quiet:
        for note in report.notes:
            progress.say(f"  note: {options.shown(note)}", err=True)
