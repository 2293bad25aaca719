"""Options that more than one command uses, and what is said of faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli.values import Arguments, Device, WholeNumber
from cnnviz.language import KOREAN, LANGUAGES, UNLETTERED, of_locale, speaking, spoken
from cnnviz.limits import MAX_PIXELS, allowing

if TYPE_CHECKING:
    from cnnviz.batch import Batch

Command = Callable[..., Any]

LONGEST_FAULT = 280  # characters; "Error: " comes before them, "-v shows where" after


def _set_verbose(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["cnnviz.verbose"] = True


def everywhere(command: Command) -> Command:
    """What every command takes: --json, --quiet, --verbose."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_set_verbose,
            help="Tell more, and show where a fault of cnnviz itself lies.",
        ),
        click.option(
            "-q", "--quiet", is_flag=True, help="Leave out notes and progress; errors still show."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead."),
    ):
        command = option(command)
    return command


model_args = click.option(
    "--model-args",
    type=Arguments(),
    help="""Arguments of the MODEL's class, factory or builder: '{"num_classes": 7}'.""",
)


overwrite = click.option("--overwrite", is_flag=True, help="Replace existing results.")


def _speak(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.with_resource(speaking(value or of_locale()))


def note_letters(*, installed: bool) -> None:
    """Say that pictures are in English, where no font with the letters of Korean is installed."""
    if spoken() == KOREAN and not installed:
        click.echo(f"note: {UNLETTERED}", err=True)


language = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    is_eager=True,
    callback=_speak,
    help="Language of explanations and figures; options, JSON and errors are English."
    "  [default: the locale's]",
)


show = click.option(
    "--show", is_flag=True, help="Also draw each result in the terminal, as well as that can."
)


def outputs(meaning: str, default: str) -> Callable[[Command], Command]:
    """Where results go: --output, --overwrite; ``default`` says what happens without."""

    def decorate(command: Command) -> Command:
        output = click.option(
            "-o",
            "--output",
            metavar="PATH",
            help=f"{meaning} [default: {default}]",
        )
        return output(overwrite(command))

    return decorate


def dilation(kind: click.ParamType[Any], default: str | None = "1") -> Callable[[Command], Command]:
    """--dilation, read as ``kind``; without a default where the command has one of its own."""
    return click.option(
        "-d",
        "--dilation",
        type=kind,
        default=default,
        show_default=True,
        help="Distance between neighbouring weights, in pixels."
        + ("" if default else "  [default: 1]"),
    )


device = click.option(
    "--device",
    type=Device(),
    default="cpu",
    show_default=True,
    help="Where torch computes.",
)


jobs = click.option(
    "-j",
    "--jobs",
    type=WholeNumber(maximum=1024),
    help="Threads to work with; several images are worked on side by side.  [default: cores]",
)


def images(command: Command, *, required: bool = True) -> Command:
    """What is read: IMAGE..., of which there may be none unless ``required``; --recursive."""
    from pathlib import Path  # a tenth of what a light command takes to start

    argument = click.argument(
        "images", metavar="IMAGE...", nargs=-1, required=required, type=click.Path(path_type=Path)
    )
    recursive = click.option(
        "-r", "--recursive", is_flag=True, help="Of an IMAGE that is a folder, sub-folders too."
    )
    return argument(recursive(max_pixels(command)))


def _set_max_pixels(context: click.Context, _: click.Parameter, value: int) -> None:
    context.find_root().with_resource(allowing(value))


max_pixels = click.option(
    "--max-pixels",
    type=WholeNumber(),
    default=MAX_PIXELS,
    show_default=True,
    expose_value=False,
    callback=_set_max_pixels,
    help="Refuse images of more; before anything of them is decoded.",
)


def fault(error: object, most: int = LONGEST_FAULT) -> str:
    """What is wrong, on one line of at most so many characters; cut in the middle, if at all."""
    text = shown(error)
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[1 - half :]}"


def shown(name: object) -> str:
    """A name from outside on one line: control characters and the like as escapes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in str(name)
    )


def failures(batch: Batch) -> list[dict[str, str]]:
    """What a batch could not do, as ``--json`` prints it."""
    return [{"input": str(f.input), "error": str(f.error)} for f in batch.failures]


def end(batch: Batch) -> None:
    """Name each failure on stderr, count them where there were others, and exit by their code."""
    for failure in batch.failures:
        click.echo(f"Error: {fault(failure.error)}", err=True)
    if batch.failures and len(batch.inputs) > 1:
        click.echo(batch.summary, err=True)
    if batch.exit_code:
        click.get_current_context().exit(batch.exit_code)
