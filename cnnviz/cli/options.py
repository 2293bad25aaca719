"""Options and value types that more than one command uses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cnnviz.language import LANGUAGES, of_locale, speaking
from cnnviz.limits import MAX_PIXELS, allowing
from cnnviz.shapes.notation import CROSS, WHOLE, quoted

if TYPE_CHECKING:
    from cnnviz.batch import Batch

Command = Callable[..., Any]

ARGUMENTS_HINT = """; write names and values in braces, such as '{"num_classes": 7}'"""
LONGEST_FAULT = 280  # characters; "Error: " comes before them, "-v shows where" after
TOO_LONG = re.compile(r"[0-9]{10}")


class WholeNumber(click.ParamType[int]):
    """A whole number in plain digits, at least ``minimum`` and at most ``maximum``."""

    name = "n"

    def __init__(self, minimum: int = 1, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        Raises:
            click.BadParameter: not a whole number, or beyond the limits.
        """
        number = int(value) if re.fullmatch(rf"-?{WHOLE}", str(value)) else None
        if number is None:
            self.fail(f"{value!r} is not a whole number of at most 9 digits", param, ctx)
        if number < self.minimum:
            self.fail(f"{number} is below {self.minimum}", param, ctx)
        if self.maximum is not None and number > self.maximum:
            self.fail(f"{number} is above {self.maximum}", param, ctx)
        return number


class Size(click.ParamType[Any]):
    """HEIGHTxWIDTH, CHANNELSxHEIGHTxWIDTH, or what the layer needs."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """One to four numbers.

        Raises:
            click.BadParameter: not of that form, or a number is 0.
        """
        if re.fullmatch(rf"[0-9]+(?:{CROSS}[0-9]+){{0,3}}", value) and TOO_LONG.search(value):
            self.fail(f"{quoted(value)} is too large; a number has at most 9 digits", param, ctx)
        if not re.fullmatch(rf"{WHOLE}(?:{CROSS}{WHOLE}){{0,3}}", value):
            self.fail(
                f"{quoted(value)} is not a size; write HEIGHTxWIDTH such as 300x400,"
                " or CHANNELSxHEIGHTxWIDTH",
                param,
                ctx,
            )
        numbers = tuple(int(n) for n in re.split(CROSS, value))
        if min(numbers) < 1:
            self.fail(f"{value!r} has a 0; every number must be at least 1", param, ctx)
        return numbers


class Pair(click.ParamType[Any]):
    """One number for height and width, or HxW: ``3`` or ``3x5``."""

    name = "n|hxw"

    def __init__(self, minimum: int = 1) -> None:
        self.minimum = minimum

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(along height, along width).

        Raises:
            click.BadParameter: not of that form, or below the minimum.
        """
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(rf"-?{WHOLE}({CROSS}-?{WHOLE})?", str(value)):
            self.fail(f"{value!r} is neither a whole number nor HEIGHTxWIDTH", param, ctx)
        numbers = [int(n) for n in re.split(CROSS, value)]
        if min(numbers) < self.minimum:
            self.fail(f"{min(numbers)} is below {self.minimum}", param, ctx)
        return numbers[0], numbers[-1]


class Place(click.ParamType[Any]):
    """A row and a column, counted from 0: ``0,2``."""

    name = "row,col"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(row, column).

        Raises:
            click.BadParameter: not of that form.
        """
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(rf"{WHOLE}, ?{WHOLE}", str(value)):
            self.fail(
                f"{quoted(str(value))} is not ROW,COL, counted from 0, such as 0,2", param, ctx
            )
        row, column = map(int, value.split(","))
        return row, column


class Padding(Pair):
    """As ``Pair``, or a word: ``same`` or ``valid``."""

    name = "same|valid|n|hxw"

    def convert(  # type: ignore[override]  # a word is no pair
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[int, int]:
        """The word, or (along height, along width).

        Raises:
            click.BadParameter: not of that form.
        """
        if value in {"same", "valid"}:
            return str(value)
        if isinstance(value, str) and value[:1].isalpha():
            self.fail(f"{value!r} is not same, valid, a whole number or HEIGHTxWIDTH", param, ctx)
        return super().convert(value, param, ctx)


class Device(click.ParamType[str]):
    """One of torch's devices: ``cpu``, ``cuda`` or ``cuda:N``."""

    name = "cpu|cuda|cuda:n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as torch writes it.

        Raises:
            click.BadParameter: not of that form.
        """
        if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", str(value)):
            self.fail(f"{value!r} is not cpu, cuda or cuda:N", param, ctx)
        return str(value)


class Arguments(click.ParamType[Any]):
    """Named arguments as a JSON object: ``{"num_classes": 7}``."""

    name = "json"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        """The arguments by name.

        Raises:
            click.BadParameter: not a JSON object.
        """
        if isinstance(value, dict):
            return value
        import json  # only where it is given

        try:
            found = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"{quoted(value)} is not JSON: {error}{ARGUMENTS_HINT}", param, ctx)
        if not isinstance(found, dict):
            self.fail(f"{quoted(value)} is no JSON object{ARGUMENTS_HINT}", param, ctx)
        return found


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
