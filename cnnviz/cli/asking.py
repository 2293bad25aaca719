"""The options that say which model, with which weights, and how images become its input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.values import Size, WholeNumber

if TYPE_CHECKING:
    from cnnviz.cli.options import Command
    from cnnviz.models.asked import Asked

FITS = ("crop", "pad", "stretch")
PRECISIONS = ("float32", "float64", "float16", "bfloat16")


class Numbers(click.ParamType[Any]):
    """One number, or several with commas between: ``0.5`` or ``0.485,0.456,0.406``."""

    name = "n,n,n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The numbers.

        Raises:
            click.BadParameter: one of them is no finite number.
        """
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between, such as 0.5,0.5,0.5")
        if not all(map(math.isfinite, numbers)) or not str(value).isascii() or "_" in str(value):
            self.fail(f"{value!r} is not finite numbers in plain digits", param, ctx)
        return numbers


class ImageSize(Size):
    """HEIGHTxWIDTH, or one number for both."""

    name = "hxw"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """(height, width).

        Raises:
            click.BadParameter: not of that form.
        """
        numbers = value if isinstance(value, tuple) else super().convert(value, param, ctx)
        if len(numbers) > 2:
            self.fail(f"{value!r} is not HEIGHTxWIDTH; the channels are the model's", param, ctx)
        return numbers[0], numbers[-1]


def _unless_stored(context: click.Context, param: click.Parameter, value: Any) -> Any:
    """A model is needed, unless --from has maps."""
    if value is None and not context.params.get("stored"):
        raise click.MissingParameter(ctx=context, param=param)
    return value


def model(command: Command) -> Command:
    """--model and what else is asked of it; ``asked_of`` reads the values."""
    for option in (
        click.option("--labels", metavar="FILE", help="Names of the classes, one a line or JSON."),
        click.option(
            "--preprocess",
            metavar="MODULE:FUNCTION",
            help="A function of yours, also FILE.py:FUNCTION, from image to input tensor.",
        ),
        click.option("--gray", is_flag=True, help="Take the colours out first."),
        click.option(
            "--fit",
            type=click.Choice(FITS),
            help="How an image of other proportions is made to fit.",
        ),
        click.option("--std", type=Numbers(), help="Deviation that each channel is divided by."),
        click.option("--mean", type=Numbers(), help="Mean that is taken from each channel."),
        click.option("--size", type=ImageSize(), help="Size that the model sees."),
        click.option("--partial", is_flag=True, help="Take weights that fit only in part."),
        click.option("--seed", type=WholeNumber(0), help="Of --weights random.  [default: 0]"),
        click.option(
            "--weights",
            metavar="trained|random|default|FILE",
            help="trained: shipped; default: downloaded; FILE: .safetensors, or .pt of weights."
            "  [default: the first of trained, the model's own, default]",
        ),
        options.model_args,
        click.option(
            "-m",
            "--model",
            callback=_unless_stored,
            metavar="MODEL",
            help="A name of `cnnviz models`, timm:NAME, FILE.py:CLASS, PACKAGE.MODULE:CLASS, or a"
            " TorchScript or torch.export file.",
        ),
    ):
        command = option(command)
    return command


def placement(command: Command) -> Command:
    """--device and --precision."""
    precision = click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        help="Type of the model's numbers and of its input's.  [default: the model's own]",
    )
    return options.device(precision(command))


def asked_of(given: dict[str, Any]) -> Asked:
    """What was asked of the model; its options are taken out of ``given``."""
    from pathlib import Path

    from cnnviz.models.asked import Asked

    names = ("weights", "seed", "partial", "size", "mean", "std", "fit", "gray", "preprocess")
    values = {name: given.pop(name) for name in names}
    labels, arguments = given.pop("labels"), given.pop("model_args")
    return Asked(
        **values, arguments=arguments or {}, labels=None if labels is None else Path(labels)
    )
