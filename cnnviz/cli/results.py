"""The options of ``filter`` and ``pool`` that say how results are computed, shown and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnnviz.cli import options
from cnnviz.cli.values import WholeNumber
from cnnviz.engines import ENGINES
from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnviz.cli.options import Command

DISPLAYS = ("auto", "clip", "abs", "minmax", "offset")

engine = click.option(
    "--engine",
    type=click.Choice(["both", *ENGINES]),
    default="both",
    show_default=True,
    help="One engine alone is faster, and not verified.",
)


def outputs(name: str) -> Callable[[Command], Command]:
    """--output, --overwrite; ``name`` stands for the part of a file's name that says what it is."""
    return options.outputs(
        "File; or folder, if it ends in / or exists as one; - is standard output.",
        f"IMAGE-STEM.{name}.png in the current folder",
    )


def precision(choices: Sequence[str], more: str = "") -> Callable[[Command], Command]:
    """--precision, the first of ``choices`` where it is not given; ``more`` says more of them."""
    return click.option(
        "--precision",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help=f"Of the arithmetic in both engines{more}.",
    )


def display(auto: str) -> Callable[[Command], Command]:
    """--display; ``auto`` says what that is."""
    return click.option(
        "--display",
        type=click.Choice(DISPLAYS),
        default="auto",
        show_default=True,
        help=f"How results become pixels; {auto}.",
    )


def written(drawn: str) -> Callable[[Command], Command]:
    """What is written beside the picture, in which format, by how many threads, how often.

    --raw, --figure (which shows what is ``drawn``), --format, --quality, --compression, --jobs,
    --device, --show, --resume.
    """

    def decorate(command: Command) -> Command:
        figure = click.option(
            "--figure", metavar="PATH", help=f"Also draw {drawn}: .png, .svg or .pdf."
        )
        several = (_raw, figure, _suffix, _quality, _compression)
        for option in reversed((*several, options.jobs, options.device, options.show, _resume)):
            command = option(command)
        return command

    return decorate


_raw = click.option(
    "--raw", metavar="PATH", help="Also write the exact signed result: .npy, .npz or .tiff."
)
_suffix = click.option(
    "--format",
    "suffix",
    type=click.Choice(["png", "jpg", "webp", "tiff", "bmp"]),
    default="png",
    show_default=True,
    help="Of results that are not named one by one; else the name's ending decides.",
)
_quality = click.option(
    "--quality",
    type=WholeNumber(maximum=100),
    help="Of JPEG and WebP, 1 to 100. [default: 95; WebP lossless]",
)
_compression = click.option(
    "--compression",
    type=click.Choice(["fast", "small"]),
    default="fast",
    show_default=True,
    help="Of PNG; small takes many times as long.",
)
_resume = click.option(
    "--resume",
    is_flag=True,
    help="Take up a batch again: what is done, and made of the same images in the same way, stays.",
)


def refuse_contradictions(
    output: str | None, raw: str | None, figure: str | None, *, as_json: bool, resume: bool
) -> None:
    """Refuse places for results that are none, or that exclude each other.

    Raises:
        UsageError: names the options.
    """
    if "" in {output, raw, figure}:
        raise UsageError("--output, --raw or --figure is empty; name a file or a folder")
    if as_json and output == "-":
        raise UsageError("--json and --output - both want standard output; choose one")
    if resume and output == "-":
        raise UsageError("--resume finds nothing on standard output; name a file or a folder")
