"""``cnnviz filter``: kernels over images by OpenCV and torch, verified, written."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.filtered import document, line
from cnnviz.cli.options import Padding, Pair, WholeNumber
from cnnviz.cli.progress import Progress
from cnnviz.cli.resume import planned_record, saving
from cnnviz.cores import cores
from cnnviz.engines import BORDERS, ENGINES, Window, warm_up
from cnnviz.errors import UsageError
from cnnviz.inputs import find_inputs
from cnnviz.kernels import Kernel, Magnitude, file_name, kernel_names, load_kernel
from cnnviz.memory import keep_freed_memory
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.filtering import FileFilter, Kept, Report, Target

    Plan = dict[Path, list[Target]]


DISPLAYS = ("auto", "clip", "abs", "minmax", "offset")


@click.command(
    "filter",
    short_help="Apply kernels to images, by two engines that must agree.",
    epilog="Example: cnnviz filter samples/coffee.png --kernel sobel_x --border replicate",
)
@options.images
@click.option(
    "-k",
    "--kernel",
    "kernels",
    required=True,
    multiple=True,
    metavar="NAME|FILE.json",
    help="Repeatable, or several names with commas. `cnnviz kernels` lists the names.",
)
@options.outputs(
    "File; or folder, if it ends in / or exists as one; - is standard output.",
    "IMAGE-STEM.KERNEL.png in the current folder",
)
@click.option(
    "--engine",
    type=click.Choice(["both", *ENGINES]),
    default="both",
    show_default=True,
    help="One engine alone is faster, and not verified.",
)
@click.option(
    "--border",
    type=click.Choice(BORDERS),
    default="reflect101",
    show_default=True,
    help="How pixels outside the image are invented.",
)
@click.option(
    "--padding",
    type=Padding(minimum=0),
    default="same",
    show_default=True,
    help="How many there are on every side.",
)
@click.option(
    "--stride",
    type=Pair(),
    default="1",
    show_default=True,
    help="Keep every Nth row and column of the result.",
)
@options.dilation(Pair())
@click.option(
    "--channels",
    type=click.Choice(["each", "gray", "mean"]),
    default="each",
    show_default=True,
    help="Each colour alone; the luminance; or the mean of the colours' results.",
)
@click.option(
    "--display",
    type=click.Choice(DISPLAYS),
    default="auto",
    show_default=True,
    help="How signed results become pixels; auto is abs for kernels that sum to 0 without an"
    " offset, else clip.",
)
@click.option("--flip", is_flag=True, help="Turn the kernel by 180 degrees: true convolution.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Of the arithmetic in both engines.",
)
@click.option(
    "--raw", metavar="PATH", help="Also write the exact signed result: .npy, .npz or .tiff."
)
@click.option(
    "--figure",
    metavar="PATH",
    help="Also draw input, kernel, both results and their difference: .png, .svg or .pdf.",
)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["png", "jpg", "webp", "tiff", "bmp"]),
    default="png",
    show_default=True,
    help="Of results that are not named one by one; else the name's ending decides.",
)
@click.option(
    "--quality",
    type=WholeNumber(maximum=100),
    help="Of JPEG and WebP, 1 to 100. [default: 95; WebP lossless]",
)
@click.option(
    "--compression",
    type=click.Choice(["fast", "small"]),
    default="fast",
    show_default=True,
    help="Of PNG; small takes many times as long.",
)
@options.jobs
@options.device
@click.option(
    "--resume",
    is_flag=True,
    help="Take up a batch again: what is done, and made of the same images in the same way, stays.",
)
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    kernels: tuple[str, ...],
    output: str | None,
    raw: str | None,
    figure: str | None,
    suffix: str,
    as_json: bool,
    engine: str,
    **how: Any,
) -> None:
    """Apply kernels to images through OpenCV and torch, and prove that the two agree.

    IMAGE is a file, a folder, a quoted pattern such as "photos/*.jpg", or - for standard input.
    Kernels are not flipped (cross-correlation), as in cv2.filter2D and torch.nn.Conv2d. The
    written image is OpenCV's result; the agreement is checked on the exact signed values.
    """
    if "" in {output, raw, figure}:
        raise UsageError("--output, --raw or --figure is empty; name a file or a folder")
    if as_json and output == str(STANDARD_STREAM):
        raise UsageError("--json and --output - both want standard output; choose one")
    if how["resume"] and output == str(STANDARD_STREAM):
        raise UsageError("--resume finds nothing on standard output; name a file or a folder")
    chosen = _kernels(kernels)
    # numpy's OpenBLAS starts a thread per core when it is loaded; nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    how["engines"] = ENGINES if engine == "both" else (engine,)
    keep_freed_memory()
    warm_up(how["engines"], how["device"])
    found = find_inputs(images, recursive=recursive, output=output, is_result=_is_result(chosen))

    from cnnviz.filtering import Places, plan_targets  # cv2: only when there is work

    plan = plan_targets(found, chosen, Places(output, raw, figure, f".{suffix}"))
    _run(plan, output, as_json=as_json, **how)


def _run(
    plan: Plan,
    output: str | None,
    *,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
    resume: bool,
    jobs: int | None,
    **how: Any,
) -> None:
    """Do what is planned, say what became of it, and exit by that."""
    from cnnviz.filtering import Crew, Kept

    targets = [target for several in plan.values() for target in several]
    _refuse_useless(how, targets)
    job = _file_filter(how)
    record = planned_record(plan, output, overwrite=overwrite, resume=resume)
    batch, jobs = Batch(list(plan)), jobs or cores()
    documents: dict[str, list[Any]] = {"results": [], **({"skipped": []} if resume else {})}
    with (
        Crew(jobs) as crew,
        Progress(batch, quiet=quiet) as progress,
        saving(record, batch) as save,
    ):
        job = replace(job, crew=crew, record=record, resume=resume)

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
    if as_json:
        click.echo(json.dumps({**documents, "failures": options.failures(batch)}))
    options.end(batch)


def _file_filter(how: dict[str, Any]) -> FileFilter:
    """The options that say how files are filtered and written; refuses what cannot be."""
    from cnnviz.filtering import FileFilter, FilterOptions
    from cnnviz.images import Encoding

    display = how.pop("display")
    encoding = Encoding(how.pop("quality"), how.pop("compression"))
    window = Window(*(how.pop(name) for name in ("border", "padding", "stride", "dilation")))
    return FileFilter(FilterOptions(window, **how), display, encoding)


def _refuse_useless(how: dict[str, Any], targets: list[Target]) -> None:
    """Refuse settings of formats that nothing is written in."""
    from cnnviz.images import LOSSY

    written = {target.suffix for target in targets}
    if how["quality"] and not written & LOSSY.keys():
        raise UsageError(f"--quality {how['quality']} is for JPEG and WebP; see --format")
    if how["compression"] != "fast" and ".png" not in written:
        raise UsageError(f"--compression {how['compression']} is for PNG; see --format")


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
            progress.say(f"  note: {note}", err=True)


def _kernels(given: tuple[str, ...]) -> list[Kernel | Magnitude]:
    """The kernels that ``--kernel`` names, each once."""
    names = (name.strip() for several in given for name in several.split(","))
    return [load_kernel(name) for name in dict.fromkeys(names)]


def _is_result(kernels: list[Kernel | Magnitude]) -> Callable[[Path], bool]:
    """What tells a result of this command from an image: it is called STEM.KERNEL[.figure]."""
    names = {*kernel_names(), *(file_name(kernel) for kernel in kernels)}
    return lambda path: Path(path.stem.removesuffix(".figure")).suffix[1:] in names
