"""``cnnviz kernels``: what ``--kernel`` can name, and whether a file of one's own is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.options import fault, shown
from cnnviz.errors import KernelError, UsageError
from cnnviz.figures.filter import has_letters, refuse_unmakeable
from cnnviz.figures.kernel import draw_kernel
from cnnviz.kernels import Kernel, kernel_names, load_kernel, read_kernel
from cnnviz.kernels.analysis import factors, rank, symmetries
from cnnviz.kernels.wording import separability_text, symmetry_text
from cnnviz.language import described, of_locale, say, speaking, titled
from cnnviz.storage import refuse_existing, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.kernels import Magnitude

_PATH = click.Path(path_type=Path)


@click.group("kernels", invoke_without_command=True, epilog="Example: cnnviz kernels show emboss")
@options.everywhere
@click.pass_context
def command(context: click.Context, quiet: bool, as_json: bool) -> None:
    """List, show and check kernels; alone it lists them."""
    if context.invoked_subcommand is None:
        with speaking(of_locale()):  # as the list's own option would do
            context.invoke(list_kernels, quiet=quiet, as_json=as_json)


@command.command("list", epilog="Example: cnnviz kernels list")
@click.option(
    "--gallery",
    type=_PATH,
    help="Also draw what every kernel makes of one image: .png, .svg or .pdf.",
)
@click.option(
    "--image", type=_PATH, help="Of the gallery.  [default: a picture of edges, lines and dots]"
)
@options.overwrite
@options.language
@options.everywhere
def list_kernels(
    quiet: bool,
    as_json: bool,
    gallery: Path | None = None,
    image: Path | None = None,
    overwrite: bool = False,
) -> None:
    """The kernels that ship with cnnviz; --quiet prints their names alone."""
    kernels = [load_kernel(name) for name in kernel_names()]
    if image and not gallery:
        raise UsageError(f"--image {image} is for --gallery FILE; say where that is to be")
    if gallery:
        _draw(gallery, overwrite, lambda suffix: _gallery(kernels, image, suffix), image)
    if as_json:
        click.echo(json.dumps({"kernels": [_document(kernel) for kernel in kernels]}))
        return
    longest = max(len(kernel.name) for kernel in kernels)
    for kernel in kernels:
        rows, columns = kernel.shape
        line = f"{kernel.name:<{longest}}  {rows}x{columns}  {titled(kernel.title)}"
        click.echo(kernel.name if quiet else line)


@command.command("show", epilog="Example: cnnviz kernels show gaussian")
@click.argument("kernel", metavar="NAME|FILE.json")
@click.option(
    "--figure",
    type=_PATH,
    help="Also draw weights, frequency response, and what it makes of edges, lines and a dot:"
    " .png, .svg or .pdf.",
)
@options.overwrite
@options.language
@options.everywhere
def show(kernel: str, figure: Path | None, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """One kernel: its weights, their sum, symmetry and factors, what it does, where it is from."""
    found = load_kernel(kernel)
    if figure:
        _draw(figure, overwrite, lambda suffix: draw_kernel(found, suffix))
    if as_json:
        click.echo(json.dumps(_document(found)))
        return
    click.echo(_table(found))
    if not quiet:
        for line in filter(None, (*_measures(found), described(found.description), found.source)):
            click.echo(shown(line))


@command.command("check", epilog="Example: cnnviz kernels check samples/ridge.json")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_PATH)
@options.everywhere
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...], quiet: bool, as_json: bool) -> None:
    """Say whether each FILE is a kernel that --kernel takes; if not, where the fault is."""
    good, faults = [], []
    for file in files:
        try:
            kernel = read_kernel(file)
        except KernelError as error:
            faults.append({"input": str(file), "error": str(error)})
            click.echo(f"Error: {fault(error)}", err=True)
            continue
        good.append({"input": str(file), **_document(kernel)})
        if not quiet and not as_json:
            rows, columns = kernel.shape
            what = f"a {rows}x{columns} kernel called {shown(kernel.name)}"
            click.echo(f"{shown(file)}: {what}, {_measure(kernel)}")
    if as_json:
        click.echo(json.dumps({"kernels": good, "failures": faults}))
    if faults:
        context.exit(KernelError.exit_code)


def _gallery(kernels: list[Kernel | Magnitude], image: Path | None, suffix: str) -> bytes:
    from cnnviz.filtering.gallery import gallery  # cv2 and torch: only when there is work

    return gallery(kernels, image, suffix)


def _draw(
    figure: Path, overwrite: bool, draw: Callable[[str], bytes], image: Path | None = None
) -> None:
    """Write what ``draw`` gives for the figure's suffix, if it may be written."""
    suffix = figure.suffix.lower()
    refuse_unmakeable(suffix)
    refuse_existing([figure], [image] if image else [], overwrite=overwrite)
    options.note_letters(installed=has_letters())
    write_bytes(figure, draw(suffix))


def _table(kernel: Kernel | Magnitude) -> str:
    """The title, and the weights as aligned rows; the parts of a magnitude beside each other."""
    parts = zip(*(_rows(part) for part in kernel.parts), strict=True)
    title = shown(f"{kernel.name}: {titled(kernel.title)}" if kernel.title else kernel.name)
    return "\n".join([title, "", *(("  " + "     ".join(rows)).rstrip() for rows in parts), ""])


def _rows(kernel: Kernel) -> list[str]:
    """The weights as lines of equal length, divisor and offset beside the middle one."""
    cells = [[f"{float(weight):.6g}" for weight in row] for row in kernel.weights]
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    divisor = f"  / {float(kernel.divisor):g}" if kernel.divisor != 1 else ""
    offset = f"  + {float(kernel.offset):g}" if kernel.offset else ""
    rows[len(rows) // 2] += divisor + offset
    longest = max(map(len, rows))
    return [row.ljust(longest) for row in rows]


def _measure(kernel: Kernel | Magnitude) -> str:
    """What the weights add up to, or how the parts' results do."""
    if isinstance(kernel, Kernel):
        return say("sum {sum}", sum=f"{float(kernel.sum):g}")
    return f"sqrt({' + '.join(f'{shown(part.name)}^2' for part in kernel.parts)})"


def _measures(kernel: Kernel | Magnitude) -> list[str]:
    """What can be seen from the weights; of a magnitude for each part."""
    if isinstance(kernel, Kernel):
        symmetry, separability = symmetry_text(kernel), separability_text(kernel)
        return [
            _measure(kernel),
            say("symmetry: {text}", text=symmetry),
            say("separable: {text}", text=separability),
        ]
    parts = (
        f"{shown(part.name)} {say('separable: {text}', text=separability_text(part))}"
        for part in kernel.parts
    )
    return [_measure(kernel), *parts]


def _document(kernel: Kernel | Magnitude) -> dict[str, Any]:
    texts = {"title": kernel.title, "description": kernel.description, "source": kernel.source}
    if not isinstance(kernel, Kernel):
        parts = [_document(part) for part in kernel.parts]
        return {"name": kernel.name, **texts, "magnitude": parts}
    return {
        "name": kernel.name,
        **texts,
        "weights": [[float(weight) for weight in row] for row in kernel.weights],
        "divisor": float(kernel.divisor),
        "offset": float(kernel.offset),
        "sum": float(kernel.sum),
        "symmetry": symmetries(kernel),
        "rank": rank(kernel),
        "separable": _separable(kernel),
    }


def _separable(kernel: Kernel) -> dict[str, Any] | None:
    found = factors(kernel)
    return found and {"column": found.column, "row": found.row, "divisor": str(found.divisor)}
