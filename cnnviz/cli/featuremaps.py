"""``cnnviz featuremaps``: what every layer of a model makes of an image."""

from __future__ import annotations

import json
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import asking, compared, gathered, options, redrawn
from cnnviz.cli.options import WholeNumber
from cnnviz.cli.progress import Progress
from cnnviz.errors import UsageError
from cnnviz.featuremaps.against import Divergence
from cnnviz.featuremaps.folder import CHANNELS
from cnnviz.featuremaps.options import MANIFEST, RAW_FORMATS, SORTS, Limit, MapOptions
from cnnviz.inputs import find_inputs
from cnnviz.models import MODELS
from cnnviz.models.known import refuse_unknown
from cnnviz.render.look import COLOR_MAPS, SCALES, Look
from cnnviz.storage import STANDARD_STREAM, refuse_filled

if TYPE_CHECKING:
    from cnnviz.featuremaps.against import Against
    from cnnviz.featuremaps.job import FeatureMaps
    from cnnviz.models.asked import Asked

LAYOUTS = ("NCHW", "NHWC")


class Count(WholeNumber):
    """A whole number, or ``all``."""

    name = "n|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; None for all.

        Raises:
            click.BadParameter: neither of them.
        """
        return None if value == "all" else super().convert(value, param, ctx)


def drawing(command: options.Command) -> options.Command:
    """Which layers and channels are drawn, and how."""
    for option in (
        click.option(
            "--fail-on",
            multiple=True,
            metavar="FLAG[>N%]",
            help="Exit 1 where channels are nonfinite, dead, constant or saturated: dead>10%; with"
            " --compare where a layer diverges, or diverges>1e-6.",
        ),
        click.option(
            "--raw", type=click.Choice(RAW_FORMATS), help="Keep the exact values in a file too."
        ),
        click.option("--top", type=WholeNumber(), help="How many classes are named."),
        click.option(
            "--class",
            "cam_class",
            metavar="N|NAME",
            help="The class that --cam explains.  [default: the most probable]",
        ),
        click.option(
            "--cam",
            metavar="LAYER|auto",
            help="Show by Grad-CAM what in the image speaks for a class, as LAYER sees it; auto is"
            " the last with maps.",
        ),
        click.option(
            "--overlay", is_flag=True, help="Lay each layer's most active map over the image too."
        ),
        click.option(
            "--filters",
            is_flag=True,
            help="Draw the kernels of the convolutions shown too, and beside the first one's maps.",
        ),
        click.option(
            "--layout",
            "maps",
            type=click.Choice(LAYOUTS),
            help="Where channels stand, of maps that no layer tells it of.",
        ),
        click.option("--tile", type=WholeNumber(), help="Width of a map, in pixels."),
        click.option("--cmap", type=click.Choice(COLOR_MAPS), help="Colours.  [default: viridis]"),
        click.option(
            "--scale",
            type=click.Choice(SCALES),
            default="channel",
            show_default=True,
            help="Whose range the colours span: each map's own, the layer's, about 0, without the"
            " outermost 1 %.",
        ),
        click.option(
            "--sort",
            type=click.Choice(SORTS),
            default="index",
            show_default=True,
            help="Which channels come first.",
        ),
        click.option(
            "--channels",
            type=Count(),
            default="all",
            show_default=True,
            help="How many of a layer's channels are drawn.",
        ),
        click.option(
            "-l",
            "--layers",
            multiple=True,
            metavar="SELECTION",
            help="A layer's name, a glob, a kind (conv, relu, pool, norm, linear, attention, block,"
            " function), or all. Repeatable.  [default: what a reader wants to see]",
        ),
    ):
        command = option(command)
    return command


@click.command(
    "featuremaps",
    epilog="Example: cnnviz featuremaps --model lenet samples/digit_7.png",
)
@options.images_if_any
@redrawn.option
@compared.option
@asking.model
@asking.placement
@drawing
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print every layer and what a run would take; compute, fetch and write nothing.",
)
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
    quiet: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Draw what the layers of a model put out for an image.

    IMAGE is a file, a folder, a quoted pattern such as "scans/*.png", or - for standard input; a
    .npy or .safetensors file with one tensor is taken as the model's input as it is. For a model
    that takes no picture it is latent:SEED, or left out. Writes a folder with a picture per layer,
    the input as the model sees it, an overview, the predictions, and manifest.json with the
    figures. A MODEL in a file or package of yours is run: take it only from people you trust.
    """
    place = {name: given.pop(name) for name in ("device", "precision")}
    limit = compared.limit_of(given["fail_on"], against)
    asked, chosen = asking.asked_of(given), _options(given)
    if stored is not None:
        said = {"quiet": quiet, "as_json": as_json}
        redrawn.redrawn(stored, chosen, output=output, overwrite=overwrite, **said)
        return
    found = find_inputs(
        images or _without_image(model), recursive=recursive, output=output, is_result=_is_result
    )
    folders = _folders(found, model, output, f".vs.{against.short}" if against else "")
    together = None if against or len(folders) < 2 else _together(model, output)
    written = [*folders.values(), *([together] if together else [])]
    refuse_filled([] if dry_run else written, overwrite=overwrite)
    refuse_unknown(model)
    batch = Batch(list(folders))
    if dry_run:
        _dry_run(batch, folders, model, asked, chosen, as_json=as_json)
        return

    from cnnviz.cli import mapped
    from cnnviz.featuremaps.gather import Gathering  # torch: only when there is work
    from cnnviz.featuremaps.placing import placed
    from cnnviz.models.loading import load_model

    with redirect_stdout(sys.stderr):  # what a user's model prints is no result
        loaded = placed(load_model(model, asked), **place)
        comparer = compared.comparer(loaded, asked, against, limit)
    gathering = Gathering(loaded)
    if not as_json and not quiet:
        click.echo(mapped.introduction(loaded))
    verbose = bool(click.get_current_context().find_root().meta.get("cnnviz.verbose"))

    def work(path: Path) -> list[FeatureMaps]:
        with redirect_stdout(sys.stderr):
            return [(comparer or gathering).save(path, folders[path], found, chosen)]

    done, summed = [], None
    with Progress(batch, quiet=quiet or as_json) as progress:
        for result in batch.run(work, after_each=progress.update):
            named = {"input": str(result.input), "output": str(result.folder)}
            done.append(named | result.manifest)
            if not as_json:
                progress.say(
                    compared.table(result, quiet=quiet)
                    if comparer
                    else mapped.report(result, quiet=quiet, verbose=verbose, top=chosen.top)
                )
    if together is not None and not batch.stopped:
        summed = gathering.finish(together)
    if summed is not None and not as_json:
        click.echo(gathered.report(summed, quiet=quiet))
    if as_json:
        over = {"channels": {"output": str(summed.folder), **summed.said}} if summed else {}
        click.echo(json.dumps({"results": done, "failures": options.failures(batch), **over}))
    options.end(batch)
    if any(result["failed_limits"] for result in done):
        _fail(done)


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

    with redirect_stdout(sys.stderr):
        loaded = load_weightless(model, asked)

    def work(path: Path) -> list[dict[str, Any]]:
        with redirect_stdout(sys.stderr):
            return [dry.dry_run(path, loaded, folders[path], chosen)]

    done = []
    for result in batch.run(work):
        done.append(result)
        if not as_json:
            click.echo(dry.text_of(result))
    if as_json:
        click.echo(json.dumps({"results": done, "failures": options.failures(batch)}))
    options.end(batch)


def _options(given: dict[str, Any]) -> MapOptions:
    look = Look(given["scale"], given["cmap"], given["tile"])
    flags = (text for text in given["fail_on"] if not Divergence.read(text))
    limits = tuple(Limit.read(text) for text in flags)
    if given["cam_class"] is not None and given["cam"] is None:
        raise UsageError("--class is for --cam; add --cam auto")
    names = ("layers", "channels", "sort", "top", "raw", "maps", "overlay", "filters", "cam")
    rest = {name: given[name] for name in (*names, "cam_class")}
    return MapOptions(**rest, look=look, fail_on=limits)


def _is_result(path: Path) -> bool:
    """Whether an image lies in a folder that this command has made."""
    return any(_is_ours(path.with_name(name)) for name in (MANIFEST, CHANNELS))


def _is_ours(manifest: Path) -> bool:
    try:
        with manifest.open("rb") as file:
            return b'"cnnviz"' in file.read(64)
    except OSError:
        return False


def _together(model: str, output: str | None) -> Path:
    """Where the results over all images go."""
    return Path(output or "") / f"channels.{_short(model)}"


def _folders(
    images: dict[Path, Path], model: str, output: str | None, ending: str
) -> dict[Path, Path]:
    """Where each image's results go: ``output`` itself for one image, else folders in it."""
    if output == "":
        raise UsageError("--output is empty; name a folder")
    if output and Path(output) == STANDARD_STREAM:
        raise UsageError("results are a folder of files, which standard output cannot hold")
    if output and len(images) == 1:
        return dict.fromkeys(images, Path(output))
    stems = {image: _stem(image) for image in images}
    base, name = Path(output or ""), f"{_short(model)}{ending}"
    return {image: base / sub / f"{stems[image]}.{name}" for image, sub in images.items()}


def _stem(image: Path) -> str:
    """An image's part of its folder's name."""
    return "stdin" if image == STANDARD_STREAM else image.stem.replace(":", "_")


def _short(model: str) -> str:
    """A model's name as part of a folder's: NET of path/file.py:NET, FILE of path/FILE.pt."""
    last = model.rpartition(":")[2] or model
    plain = Path(last).stem if "/" in last or last.endswith((".pt", ".pt2")) else last
    return re.sub(r"[^\w.-]+", "_", plain).strip("_.")[:80] or "model"


def _fail(done: list[dict[str, Any]]) -> None:
    for result in done:
        if result["failed_limits"]:
            what = ", ".join(result["failed_limits"])
            click.echo(f"Error: {options.shown(result['input'])}: {options.shown(what)}", err=True)
    click.get_current_context().exit(1)
