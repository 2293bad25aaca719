"""The options of ``cnnviz step``, and what their values may be."""

from __future__ import annotations

from typing import Any

import click

from cnnviz.cli import options
from cnnviz.cli.values import Padding, Pair, Place, WholeNumber
from cnnviz.errors import ShapeError, UsageError
from cnnviz.matrices import parse_number
from cnnviz.shapes.notation import per_axis


class Exact(click.ParamType[Any]):
    """An exact number: ``3``, ``-0.5``, ``1/16``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, an int or a Fraction.

        Raises:
            click.BadParameter: it is none.
        """
        try:
            return parse_number(str(value).strip())
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Move(click.ParamType[Any]):
    """Pixels to the right, or down and to the right: ``1``, ``2x1``."""

    name = "n|hxw"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(rows down, columns right).

        Raises:
            click.BadParameter: not of that form, or no move at all.
        """
        try:
            numbers = per_axis(str(value), 0)
        except ShapeError as error:
            self.fail(str(error), param, ctx)
        if len(numbers) > 2 or not any(numbers):
            self.fail(f"{value!r} moves nothing; write 1, or ROWSxCOLUMNS such as 0x2", param, ctx)
        return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


class Count(WholeNumber):
    """A whole number, or ``all``: then None."""

    name = "n|all"

    def convert(  # type: ignore[override]  # None stands for all
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """The number, or None.

        Raises:
            click.BadParameter: neither.
        """
        return None if value == "all" else super().convert(value, param, ctx)


def inputs(command: options.Command) -> options.Command:
    """What the window slides over, and with which weights."""
    for option in reversed(
        (
            click.argument("files", metavar="[FILE]", nargs=-1),
            click.option(
                "-i",
                "--input",
                "rows",
                multiple=True,
                metavar="ROWS",
                help='Rows, such as "1 2 3; 4 5 6"; | between channels, or repeat it.',
            ),
            click.option(
                "--size", type=Pair(), help="As input the numbers 1, 2, 3 … of that size."
            ),
            click.option(
                "--at",
                type=Place(),
                help="Of an image the one window around this pixel; of a --layer the value there.",
            ),
            click.option(
                "--region",
                metavar="ROW,COL,HxW",
                help="Of an image the part that begins there and is so large.",
            ),
            click.option(
                "-k",
                "--kernel",
                "kernels",
                multiple=True,
                metavar="NAME|FILE.json|ROWS|HxW",
                help="Repeatable, a map each; HxW are ones. `cnnviz kernels` lists the names.",
            ),
            click.option(
                "--channels",
                type=click.Choice(["sum", "mean", "each", "gray"]),
                default="sum",
                show_default=True,
                help="Add the channels up as a Conv2d does; or their mean; each alone; brightness.",
            ),
            click.option(
                "--bias",
                "biases",
                type=Exact(),
                multiple=True,
                help="Added to every value; once, or once per kernel.  [default: 0]",
            ),
        )
    ):
        command = option(command)
    return command


def network(command: options.Command) -> options.Command:
    """A convolution inside a network, in place of a kernel."""
    for option in reversed(
        (
            click.option(
                "-m", "--model", metavar="MODEL", help="Work out one value inside this network."
            ),
            click.option("--layer", metavar="NAME", help="Its convolution, such as features.0."),
            click.option(
                "--channel", type=WholeNumber(0), default=0, help="Which map.  [default: 0]"
            ),
            click.option(
                "--weights",
                metavar="trained|random|default|FILE",
                help="The network's, as `cnnviz featuremaps` takes them.",
            ),
            click.option("--seed", type=WholeNumber(0), help="Of --weights random.  [default: 0]"),
        )
    ):
        command = option(command)
    return command


def sliding(command: options.Command) -> options.Command:
    """How the window slides, and what follows."""
    for option in reversed(
        (
            click.option(
                "-s",
                "--stride",
                type=Pair(),
                default="1",
                show_default=True,
                help="Pixels from one window to the next.",
            ),
            click.option(
                "-p",
                "--padding",
                type=Padding(minimum=0),
                default="valid",
                show_default=True,
                help="Zeros on every side; valid is none, same keeps the size at stride 1.",
            ),
            options.dilation(Pair()),
            click.option(
                "--flip", is_flag=True, help="Turn the kernel by 180 degrees: true convolution."
            ),
            click.option(
                "--transposed",
                is_flag=True,
                help="Lay a copy of the kernel out for every pixel: transposed convolution.",
            ),
            click.option(
                "--then",
                multiple=True,
                metavar="LAYER",
                help="Layers after the convolution as `cnnviz shape` writes them: relu maxpool:k2"
                " flatten. Repeatable.",
            ),
            click.option(
                "--linear",
                multiple=True,
                metavar="ROWS",
                help="Weights of a fully connected layer, a row for each output.",
            ),
            click.option(
                "--linear-bias",
                multiple=True,
                metavar="NUMBERS",
                help="Its biases, one for each output.  [default: 0]",
            ),
        )
    ):
        command = option(command)
    return command


def showing(command: options.Command) -> options.Command:
    """What is shown of it."""
    for option in reversed(
        (
            click.option("--position", type=Place(), help="Show the window of one output value."),
            click.option(
                "--windows",
                type=Count(),
                default="9",
                show_default=True,
                help="How many windows to show, of the convolution and of each pool.",
            ),
            click.option("--blank", is_flag=True, help="Leave the answers out: a worksheet."),
            click.option(
                "--key",
                is_flag=True,
                help="Print the answers alone; with --blank, after the worksheet.",
            ),
            click.option(
                "--visits",
                is_flag=True,
                help="Instead: how often each pixel is read, without and with padding.",
            ),
            click.option(
                "--reach",
                type=WholeNumber(maximum=9),
                metavar="N",
                help="Instead: how often one output of N such layers reads each pixel.",
            ),
            click.option(
                "--shift",
                type=Move(),
                help="Instead: move the input by so many pixels and compare the maps.",
            ),
            click.option("--figure", metavar="FILE", help="Also draw it: .png or .svg."),
            click.option(
                "--gif",
                metavar="FILE",
                help="Also animate it: the window slides, the output fills.",
            ),
            click.option(
                "--webp", metavar="FILE", help="The same as an animated WebP, the smallest."
            ),
            click.option("--apng", metavar="FILE", help="The same as an animated PNG."),
            options.show,
            options.overwrite,
            options.language,
            options.everywhere,
        )
    ):
        command = option(command)
    return command
