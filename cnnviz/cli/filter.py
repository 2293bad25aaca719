"""``cnnviz filter``: kernels over images by OpenCV and torch, verified, written."""

from __future__ import annotations

import json
import os
import re
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.options import Padding, Pair, shown
from cnnviz.engines import BORDERS, ENGINES, Window, warm_up
from cnnviz.errors import UsageError
from cnnviz.inputs import find_inputs
from cnnviz.kernels import Kernel, kernel_names, load_kernel
from cnnviz.storage import STANDARD_STREAM, refuse_existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.filtering import FilterOptions, Report, Target


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
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    kernels: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    engine: str,
    raw: str | None,
    display: str,
    quiet: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Apply kernels to images through OpenCV and torch, and prove that the two agree.

    IMAGE is a file, a folder, a quoted pattern such as "photos/*.jpg", or - for standard input.
    Kernels are not flipped (cross-correlation), as in cv2.filter2D and torch.nn.Conv2d. The
    written image is OpenCV's result; the agreement is checked on the exact signed values.
    """
    if "" in {output, raw}:
        raise UsageError("--output or --raw is empty; name a file or a folder")
    if as_json and output == str(STANDARD_STREAM):
        raise UsageError("--json and --output - both want standard output; choose one")
    chosen = _kernels(kernels)
    # numpy's OpenBLAS starts a thread per core when it is loaded; nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    how["engines"] = ENGINES if engine == "both" else (engine,)
    warm_up(how["engines"])
    found = find_inputs(images, recursive=recursive, output=output, is_result=_is_result(chosen))
    plan = _plan(found, chosen, output, raw)
    files = [path for targets in plan.values() for t in targets for path in (t.output, t.raw)]
    refuse_existing(filter(None, files), found, overwrite=overwrite)

    from cnnviz.filtering import filter_file  # cv2: only when there is work

    batch, documents, settings = Batch(list(plan)), [], _settings(how)
    for report in batch.run(lambda path: filter_file(path, plan[path], settings, display)):
        documents.append(_document(report))
        _tell(report, batch, quiet=quiet, silent=as_json)
    if as_json:
        click.echo(json.dumps({"results": documents, "failures": options.failures(batch)}))
    options.end(batch)


def _settings(how: dict[str, Any]) -> FilterOptions:
    """The options that say how to filter."""
    from cnnviz.filtering import FilterOptions

    window = Window(*(how.pop(name) for name in ("border", "padding", "stride", "dilation")))
    return FilterOptions(window, **how)


def _tell(report: Report, batch: Batch, *, quiet: bool, silent: bool) -> None:
    """Print a result's line, unless ``silent``, and its notes; a disagreement is a failure."""
    if error := report.outcome.disagreement:
        batch.fail(report.input, type(error)(f"{report.input} × {report.kernel}: {error}"))
    elif not silent:
        click.echo(_line(report), err=report.output == STANDARD_STREAM)
    if not quiet:
        for note in report.notes:
            click.echo(f"  note: {note}", err=True)


def _kernels(given: tuple[str, ...]) -> list[Kernel]:
    """The kernels that ``--kernel`` names, each once."""
    names = (name.strip() for several in given for name in several.split(","))
    return [load_kernel(name) for name in dict.fromkeys(names)]


def _plan(
    images: dict[Path, Path], kernels: list[Kernel], output: str | None, raw: str | None
) -> dict[Path, list[Target]]:
    """What is to be made of each image, with every output named before anything starts."""
    from cnnviz.filtering import RAW_SUFFIXES, Target
    from cnnviz.images import SUFFIXES

    several = len(images) * len(kernels) > 1

    def target(image: Path, kernel: Kernel) -> Target:
        name = images[image] / _name(image, kernel)
        place = _place("--output", output or "./", several, SUFFIXES, name)
        raw_place = _place("--raw", raw, several, RAW_SUFFIXES, name) if raw else None
        return Target(kernel, place, raw_place)

    return {image: [target(image, kernel) for kernel in kernels] for image in images}


def _is_result(kernels: list[Kernel]) -> Callable[[Path], bool]:
    """What tells a result of this command from an image: it is called STEM.KERNEL."""
    names = {*kernel_names(), *(_safe(kernel.name) for kernel in kernels)}
    return lambda path: Path(path.stem).suffix[1:] in names


def _name(image: Path, kernel: Kernel) -> str:
    """IMAGE-STEM.KERNEL, with nothing in the kernel's name that could leave the folder."""
    stem = "stdin" if image == STANDARD_STREAM else image.stem
    return f"{stem}.{_safe(kernel.name)}"


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _place(option: str, given: str, several: bool, suffixes: tuple[str, ...], name: Path) -> Path:
    """Where a result goes; ``suffixes`` are the formats, the first being the default."""
    path = Path(given)
    if several and path.suffix.lower() in suffixes and not options.says_folder(given):
        raise UsageError(f"{option} {given} is one file but there are several results; end it in /")
    if several or options.says_folder(given):
        return path / f"{name}{suffixes[0]}"
    piped = path == STANDARD_STREAM and option == "--output"
    if not piped and path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {given}: the name must end in {', '.join(suffixes)}")
    return path


def _line(report: Report) -> str:
    height, width, _ = report.outcome.size
    ends = report.outcome.range
    extent = f" of {ends[0]:.6g} to {ends[1]:.6g}" if ends else ""
    raw = f"  raw: {shown(report.raw)}" if report.raw else ""
    return (
        f"{shown(report.input)} × {shown(report.kernel)} → {shown(report.output)}"
        f"  {height}x{width}  {_verified(report)}"
        f"  display: {report.display}{extent}{raw}"
    )


def _verified(report: Report) -> str:
    verdict = report.outcome.verdict
    if verdict is None:
        return f"not verified: {report.outcome.engines[0]} alone"
    if not verdict.values:
        return "not verified: every window holds NaN or Inf"
    same = verdict.max_abs_diff == 0
    said = f"verified: {'identical' if same else f'within {verdict.max_abs_diff:.2g}'}"
    said += f" on {verdict.values:,} values"
    if not verdict.bound.exact:
        said += f" (bound {verdict.bound.tolerance:.2g})"
    if verdict.nonfinite:
        said += f", {verdict.nonfinite:,} left out (their window holds NaN or Inf)"
    return said


def _document(report: Report) -> dict[str, Any]:
    verdict = report.outcome.verdict
    difference = verdict.max_abs_diff if verdict else None
    window = report.options.window
    return {
        "input": str(report.input),
        "output": str(report.output) if report.output else None,
        "raw": str(report.raw) if report.raw else None,
        "kernel": report.kernel,
        "size": list(report.outcome.size[:2]),
        "channels": report.outcome.size[2],
        "border": window.border,
        "padding": window.padding,
        "stride": window.stride,
        "dilation": window.dilation,
        "flip": report.options.flip,
        "precision": report.options.precision,
        "range": report.outcome.range,
        "display": report.display,
        "engines": list(report.outcome.engines),
        "verified": verdict.agree if verdict and verdict.values else None,
        "exact": bool(verdict and verdict.bound.exact),
        "max_abs_diff": difference if difference is not None and isfinite(difference) else None,
        "tolerance": verdict.bound.tolerance if verdict else None,
        "values": verdict.values if verdict else 0,
        "nonfinite": verdict.nonfinite if verdict else 0,
        "notes": report.notes,
        "seconds": {name: round(time, 6) for name, time in report.outcome.seconds.items()},
    }
