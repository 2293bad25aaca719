"""``cnnviz featuremaps``: what every layer of a model makes of an image."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import asking, compared, options, redrawn
from cnnviz.cli.aside import standard_output_aside
from cnnviz.cli.drawing import drawing, options_of, page, page_of
from cnnviz.cli.folders import folders_of, is_result, together_of
from cnnviz.cli.mapping import models_of, print_trees, run_batch
from cnnviz.featuremaps.options import MapOptions
from cnnviz.inputs import find_inputs
from cnnviz.models import MODELS
from cnnviz.models.known import refuse_unknown
from cnnviz.storage import refuse_filled

if TYPE_CHECKING:
    from cnnviz.featuremaps.against import Against
    from cnnviz.models.asked import Asked


@click.command(
    "featuremaps",
    epilog="Example: cnnviz featuremaps --model lenet samples/digit_7.png",
)
@partial(options.images, required=False)
@redrawn.option
@compared.option
@asking.model
@asking.placement
@drawing
@page
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print every layer and what a run would take; compute, fetch and write nothing.",
)
@click.option(
    "--tree",
    is_flag=True,
    help="Print the network as a tree: its layers, their filters, the maps they make; no more.",
)
@options.show
@options.outputs(
    "Folder; with several images, one folder each in it.", "IMAGE-STEM.MODEL/ in the current folder"
)
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    stored: Path | None,
    against: Against | None,
    model: str,
    output: str | None,
    overwrite: bool,
    dry_run: bool,
    tree: bool,
    show: bool,
    quiet: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Draw what the layers of a model put out for an image.

    IMAGE is a file, a folder, a quoted pattern such as "scans/*.png", or - for standard input; a
    .npy or .safetensors file with one tensor is taken as the model's input as it is. For a model
    that takes no picture it is latent:SEED, or left out. Writes a folder with a picture per layer,
    the input as the model sees it, an overview, the predictions, index.html that opens the network
    in a browser, and manifest.json with the figures; for several images also channels.MODEL/, which
    tells what excites each channel most. A MODEL in a file or package of yours is run: take it only
    from people you trust.
    """
    place = {name: given.pop(name) for name in ("device", "precision")}
    limit = compared.limit_of(given["fail_on"], against)
    asked, chosen = asking.asked_of(given), options_of(given)
    if stored is not None:
        said = {"quiet": quiet, "as_json": as_json}
        redrawn.redrawn(stored, chosen, output=output, overwrite=overwrite, **said)
        return
    found = find_inputs(
        images or _without_image(model), recursive=recursive, output=output, is_result=is_result
    )
    folders = folders_of(found, model, output, f".vs.{against.short}" if against else "")
    together = None if against or len(folders) < 2 else together_of(model, output)
    written = [*folders.values(), *([together] if together else [])]
    refuse_filled([] if dry_run or tree else written, overwrite=overwrite)
    refuse_unknown(model)
    chosen = replace(chosen, page=page_of(given))
    batch = Batch(list(folders))
    if tree:
        print_trees(batch, model, asked)
        return
    if dry_run:
        _dry_run(batch, folders, model, asked, chosen, as_json=as_json)
        return

    with standard_output_aside():
        models = models_of(model, asked, against, limit, **place)
    said = {"quiet": quiet, "as_json": as_json, "show": show}
    run_batch(batch, folders, found, models, chosen, together, **said)


def _without_image(model: str) -> list[Path]:
    """What is taken where no IMAGE is given: numbers, for a model that takes no picture."""
    if model in MODELS and not MODELS[model].prepare:
        return [Path("latent:0")]
    raise click.MissingParameter(param_hint="'IMAGE...'", param_type="argument")


def _dry_run(
    batch: Batch,
    folders: dict[Path, Path],
    model: str,
    asked: Asked,
    chosen: MapOptions,
    *,
    as_json: bool,
) -> None:
    from cnnviz.cli import dry
    from cnnviz.models.loading import load_weightless

    with standard_output_aside():
        loaded = load_weightless(model, asked)

    def work(path: Path) -> list[dict[str, Any]]:
        with standard_output_aside():
            return [dry.dry_run(path, loaded, folders[path], chosen)]

    done = []
    for result in batch.run(work):
        done.append(result)
        if not as_json:
            click.echo(dry.text_of(result))
    if as_json:
        click.echo(json.dumps({"results": done, "failures": options.failures(batch)}))
    options.end(batch)
