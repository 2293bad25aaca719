"""``cnnviz kernels``: what ``--kernel`` can name, and whether a file of one's own is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.options import shown
from cnnviz.errors import KernelError
from cnnviz.kernels import kernel_names, load_kernel, read_kernel

if TYPE_CHECKING:
    from cnnviz.kernels import Kernel


_PATH = click.Path(path_type=Path)


@click.group("kernels", invoke_without_command=True, epilog="Example: cnnviz kernels show emboss")
@options.everywhere
@click.pass_context
def command(context: click.Context, quiet: bool, as_json: bool) -> None:
    """List, show and check kernels; alone it lists them."""
    if context.invoked_subcommand is None:
        context.invoke(list_kernels, quiet=quiet, as_json=as_json)


@command.command("list", epilog="Example: cnnviz kernels list")
@options.everywhere
def list_kernels(quiet: bool, as_json: bool) -> None:
    """The kernels that ship with cnnviz; --quiet prints their names alone."""
    kernels = [load_kernel(name) for name in kernel_names()]
    if as_json:
        click.echo(json.dumps({"kernels": [_document(kernel) for kernel in kernels]}))
        return
    longest = max(len(kernel.name) for kernel in kernels)
    for kernel in kernels:
        rows, columns = kernel.shape
        line = f"{kernel.name:<{longest}}  {rows}x{columns}  {kernel.title}"
        click.echo(kernel.name if quiet else line)


@command.command("show", epilog="Example: cnnviz kernels show gaussian")
@click.argument("kernel", metavar="NAME|FILE.json")
@options.everywhere
def show(kernel: str, quiet: bool, as_json: bool) -> None:
    """One kernel: its weights, their sum, what it does, where it is from."""
    found = load_kernel(kernel)
    if as_json:
        click.echo(json.dumps(_document(found)))
        return
    click.echo(_table(found))
    if not quiet:
        for line in filter(None, (f"sum {float(found.sum):g}", found.description, found.source)):
            click.echo(line)


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
            click.echo(f"Error: {shown(error)}", err=True)
            continue
        good.append({"input": str(file), **_document(kernel)})
        if not quiet and not as_json:
            rows, columns = kernel.shape
            what = f"a {rows}x{columns} kernel called {shown(kernel.name)}"
            click.echo(f"{shown(file)}: {what}, sum {float(kernel.sum):g}")
    if as_json:
        click.echo(json.dumps({"kernels": good, "failures": faults}))
    if faults:
        context.exit(KernelError.exit_code)


def _table(kernel: Kernel) -> str:
    """The title and the weights as aligned rows, divisor and offset beside them."""
    cells = [[f"{float(weight):.6g}" for weight in row] for row in kernel.weights]
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    divisor = f"  / {float(kernel.divisor):g}" if kernel.divisor != 1 else ""
    offset = f"  + {float(kernel.offset):g}" if kernel.offset else ""
    rows[len(rows) // 2] += divisor + offset
    title = f"{kernel.name}: {kernel.title}" if kernel.title else kernel.name
    return "\n".join([title, "", *(f"  {row}" for row in rows), ""])


def _document(kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "title": kernel.title,
        "weights": [[float(weight) for weight in row] for row in kernel.weights],
        "divisor": float(kernel.divisor),
        "offset": float(kernel.offset),
        "sum": float(kernel.sum),
        "description": kernel.description,
        "source": kernel.source,
    }
