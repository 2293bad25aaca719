"""``cnnviz summary``: a whole model, layer by layer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.aside import standard_output_aside
from cnnviz.cli.options import shown
from cnnviz.cli.values import Size, WholeNumber
from cnnviz.errors import UsageError
from cnnviz.summary.report import (
    SORTS,
    comparison,
    comparison_csv,
    csv_text,
    document,
    report,
    sorted_layers,
    sorted_models,
)

if TYPE_CHECKING:
    from cnnviz.summary.model import ModelSummary


@click.command(
    "summary",
    short_help="A model, layer by layer: sizes, parameters, multiply-adds, receptive field.",
    epilog="Example: cnnviz summary lenet",
)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option(
    "--input",
    "input_size",
    type=Size(),
    multiple=True,
    help="Size of one image, CHANNELSxHEIGHTxWIDTH; once for each input of a model that takes"
    " several.  [default: what the model is known for]",
)
@click.option("--depth", type=WholeNumber(), help="Fold what lies deeper than so many levels.")
@click.option(
    "--sort",
    type=click.Choice(list(SORTS)),
    default="forward",
    show_default=True,
    help="Order of the rows: as they run (or are named), or the largest first.",
)
@click.option("--trainable", is_flag=True, help="Add a column of the parameters that are trained.")
@click.option(
    "--freeze",
    metavar="GLOB",
    multiple=True,
    help="Count what matches as not trained; '!fc' is all but fc. Repeatable.",
)
@click.option(
    "--classes",
    type=WholeNumber(),
    help="Outputs of one of torchvision's or timm's models, instead of its own.",
)
@options.model_args
@click.option("--compare", is_flag=True, help="One row for each of several models.")
@click.option(
    "--tree", is_flag=True, help="Print the network as a tree: layers, their filters, their maps."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@options.everywhere
def command(
    models: tuple[str, ...],
    sort: str,
    trainable: bool,
    compare: bool,
    tree: bool,
    as_csv: bool,
    model_args: dict[str, Any] | None,
    quiet: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Output sizes, parameters, multiply-adds and receptive fields of every layer of a MODEL.

    MODEL is lenet, one of torchvision's names (resnet18, vit_b_16, ...; also torchvision:resnet18),
    timm:NAME, path/file.py:CLASS_OR_FACTORY, package.module:CLASS_OR_FACTORY, or a file of
    TorchScript (.pt) or torch.export (.pt2). Nothing is downloaded, and no memory is taken for
    weights. Files and packages of your own are run: take them only from people you trust.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two forms of the same; leave out one")
    if compare and (trainable or how["depth"]):
        other = "--trainable" if trainable else "--depth"
        raise UsageError(f"--compare prints no layers; leave out {other}")
    if tree and (compare or as_csv or as_json or trainable or sort != "forward"):
        raise UsageError(
            "--tree is a form of its own; leave out --compare, --csv, --json,"
            " --trainable and --sort"
        )
    if len(models) > 1 and not compare:
        raise UsageError(f"{len(models)} MODELs are put side by side by --compare; else give one")

    from cnnviz.summary.model import summarize  # torch: only when the command runs

    with standard_output_aside():
        found = [summarize(model, args=model_args, **how) for model in models]
    if not quiet and (compare or as_csv) and not as_json:
        _print_notes(found)
    if compare:
        _print_comparison(sorted_models(found, sort), as_json=as_json, as_csv=as_csv)
        return
    (summary,) = found
    layers = sorted_layers(summary, sort)
    if tree:
        from cnnviz.summary.tree import tree_text

        click.echo(_printable(tree_text(summary)))
    elif as_json:
        click.echo(json.dumps(document(summary, layers)))
    elif as_csv:
        click.echo(csv_text(layers), nl=False)
    else:
        click.echo(_printable(report(summary, layers, trainable=trainable, notes=not quiet)))


def _print_comparison(found: list[ModelSummary], *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        click.echo(json.dumps({"models": [document(each, each.layers) for each in found]}))
    elif as_csv:
        click.echo(comparison_csv(found), nl=False)
    else:
        click.echo(_printable(comparison(found)))


def _print_notes(found: list[ModelSummary]) -> None:
    """Notes, where the printed form has no place for them."""
    for summary in found:
        for note in summary.notes:
            click.echo(_printable(f"{summary.model}: {note}"), err=True)


def _printable(text: str) -> str:
    """The text with its lines; names come from a user's code."""
    return "\n".join(map(shown, text.splitlines()))
