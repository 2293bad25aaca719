"""Feature maps of image after image: what is printed of each, of all, and the exit code."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import compared, gathered, options
from cnnviz.cli.aside import standard_output_aside
from cnnviz.cli.drawing import open_page
from cnnviz.cli.progress import Progress
from cnnviz.cli.showing import picture_of, terminal_for
from cnnviz.errors import CnnvizError
from cnnviz.featuremaps.folder import PAGE

if TYPE_CHECKING:
    from cnnviz.batch import Batch
    from cnnviz.featuremaps.against import Against, Divergence
    from cnnviz.featuremaps.compare import Comparer
    from cnnviz.featuremaps.folder import FeatureMaps
    from cnnviz.featuremaps.gather import Gathered, Gathering
    from cnnviz.featuremaps.options import MapOptions
    from cnnviz.models.asked import Asked
    from cnnviz.models.loading import LoadedModel
    from cnnviz.preview import Terminal


@dataclass(frozen=True)
class Models:
    """The model, and what does an image with it: alone, or beside something else."""

    loaded: LoadedModel
    gathering: Gathering
    comparer: Comparer | None


def models_of(
    name: str,
    asked: Asked,
    against: Against | None,
    limit: Divergence | None,
    *,
    device: str,
    precision: str | None,
) -> Models:
    """The model with its weights, where and in the precision that was asked for."""
    from cnnviz.featuremaps.gather import Gathering  # torch: only when there is work
    from cnnviz.featuremaps.placing import placed
    from cnnviz.models.loading import load_model

    loaded = placed(load_model(name, asked), device=device, precision=precision)
    return Models(loaded, Gathering(loaded), compared.comparer(loaded, asked, against, limit))


def run_batch(
    batch: Batch,
    folders: dict[Path, Path],
    inputs: dict[Path, Path],
    models: Models,
    chosen: MapOptions,
    together: Path | None,
    *,
    quiet: bool,
    as_json: bool,
    show: bool,
) -> None:
    """Do every image, say what became of it, and exit by that."""
    from cnnviz.cli import mapped

    terminal = terminal_for(as_json=as_json) if show else None

    def work(path: Path) -> list[FeatureMaps]:
        with standard_output_aside():
            job = models.comparer or models.gathering
            return [job.save(path, folders[path], inputs, chosen)]

    done = []
    with Progress(batch, quiet=quiet or as_json) as progress:
        if not as_json and not quiet:
            progress.say(mapped.introduction(models.loaded))
        for result in batch.run(work, after_each=progress.update):
            named = {"input": str(result.input), "output": str(result.folder)}
            done.append(named | result.manifest)
            if not as_json:
                progress.say(_said(result, models, quiet=quiet, top=chosen.top))
            if terminal and result.manifest["overview"]:
                progress.say(_preview(result, chosen, terminal))
        summed = _together(batch, models.gathering, together)
    if summed is not None and not as_json:
        click.echo(gathered.report(summed, quiet=quiet))
    if as_json:
        over = {"channels": {"output": str(summed.folder), **summed.said}} if summed else {}
        click.echo(json.dumps({"results": done, "failures": options.failures(batch), **over}))
    if click.get_current_context().params["opened"] and done:
        open_page(Path(done[0]["output"], PAGE).resolve().as_uri())
    options.end(batch)
    if any(result["failed_limits"] for result in done):
        _fail(done)


def _preview(result: FeatureMaps, chosen: MapOptions, terminal: Terminal) -> str:
    """The overview where it can be read, else its maps below their names."""
    if terminal.has_graphics:
        return picture_of(result.folder / result.manifest["overview"], terminal)
    from cnnviz.featuremaps.preview import overview_lines

    rows = [replace(row, name=options.shown(row.name)) for row in result.rows]
    return "\n".join(overview_lines(rows, chosen.look, terminal))


def print_trees(batch: Batch, name: str, asked: Asked) -> None:
    """The model as a tree for every image's size, without its weights."""
    from cnnviz.featuremaps.job import read_input
    from cnnviz.models.loading import load_weightless
    from cnnviz.summary.model import summarize
    from cnnviz.summary.tree import tree_text

    with standard_output_aside():
        loaded = load_weightless(name, asked)

    def work(path: Path) -> list[str]:
        with standard_output_aside():
            size = tuple(read_input(path, loaded).tensor.shape[1:])
            return [tree_text(replace(summarize(loaded.module, size), model=loaded.name))]

    for text in dict.fromkeys(batch.run(work)):  # images of one size have one tree
        click.echo("\n".join(map(options.shown, text.splitlines())))
    options.end(batch)


def _said(result: FeatureMaps, models: Models, *, quiet: bool, top: int | None) -> str:
    from cnnviz.cli import mapped

    if models.comparer:
        return compared.table(result, quiet=quiet)
    verbose = bool(click.get_current_context().find_root().meta.get("cnnviz.verbose"))
    return mapped.report(result, quiet=quiet, verbose=verbose, top=top)


def _together(batch: Batch, gathering: Gathering, folder: Path | None) -> Gathered | None:
    """What all images say together; a failure of that is one more of the batch."""
    if folder is None or batch.stopped:
        return None
    try:
        return gathering.finish(folder)
    except CnnvizError as error:
        batch.fail(folder, error)
        return None


def _fail(done: list[dict[str, Any]]) -> None:
    for result in done:
        if result["failed_limits"]:
            what = f"{result['input']}: {', '.join(result['failed_limits'])}"
            click.echo(f"Error: {options.fault(what)}", err=True)
    click.get_current_context().exit(1)
