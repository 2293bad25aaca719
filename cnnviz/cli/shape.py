"""``cnnviz shape``: output size, parameters and multiply-adds, with the working shown."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import click

from cnnviz.cli import options
from cnnviz.cli.options import CROSS, WHOLE, Padding, Pair, WholeNumber
from cnnviz.errors import ShapeError
from cnnviz.shapes import Axis, Conv2d, same_padding

TOO_LONG = re.compile(r"[0-9]{10}")


class Size(click.ParamType[Any]):
    """HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """(height, width) or (channels, height, width).

        Raises:
            click.BadParameter: not of that form, or a number is 0.
        """
        if re.fullmatch(rf"[0-9]+(?:{CROSS}[0-9]+){{1,2}}", str(value)) and TOO_LONG.search(value):
            self.fail(f"{value!r} is too large; a number has at most 9 digits", param, ctx)
        if not re.fullmatch(rf"{WHOLE}(?:{CROSS}{WHOLE}){{1,2}}", str(value)):
            self.fail(
                f"{value!r} is not a size; write HEIGHTxWIDTH such as 300x400,"
                " or CHANNELSxHEIGHTxWIDTH",
                param,
                ctx,
            )
        numbers = tuple(int(n) for n in re.split(CROSS, value))
        if min(numbers) < 1:
            self.fail(f"{value!r} has a 0; every number must be at least 1", param, ctx)
        return numbers


@click.command(
    "shape",
    short_help="Output size, parameters, multiply-adds of a convolution.",
    epilog="Example: cnnviz shape 3x224x224 -k7 -s2 -p3 -c64",
)
@click.argument("size", type=Size())
@click.option(
    "-k", "--kernel-size", type=Pair(), default="3", show_default=True, help="Rows and columns."
)
@click.option(
    "-s",
    "--stride",
    type=Pair(),
    default="1",
    show_default=True,
    help="Pixels from one window to the next.",
)
@click.option(
    "-p",
    "--padding",
    type=Padding(minimum=0),
    default="0",
    show_default=True,
    help="Pixels added on every side; same keeps the size at stride 1, valid adds none.",
)
@options.dilation
@click.option(
    "-i",
    "--in-channels",
    type=WholeNumber(),
    help="Maps in the input. [default: what SIZE says, else 1]",
)
@click.option(
    "-c",
    "--out-channels",
    type=WholeNumber(),
    default=1,
    show_default=True,
    help="Maps in the output: how many kernels there are.",
)
@click.option(
    "--groups",
    type=WholeNumber(),
    default=1,
    show_default=True,
    help="Parts that the channels are divided into, each convolved by itself.",
)
@click.option("--bias/--no-bias", default=True, show_default=True, help="Count a bias per channel.")
@options.everywhere
def command(
    size: tuple[int, ...],
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    padding: Literal["same", "valid"] | tuple[int, int],
    dilation: tuple[int, int],
    in_channels: int | None,
    out_channels: int,
    groups: int,
    bias: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Output size, parameters and multiply-adds of a 2-D convolution.

    SIZE is HEIGHTxWIDTH, or CHANNELSxHEIGHTxWIDTH. Options that take N also take HxW, for
    example -k3x5: 3 rows, 5 columns. The rules are those of torch.nn.Conv2d.
    """
    height, width = (
        Axis(
            kernel_size[i],
            stride[i],
            _padding(padding, i, kernel_size, stride, dilation),
            dilation[i],
        )
        for i in (0, 1)
    )
    layer = Conv2d(_channels(size, in_channels), out_channels, height, width, groups, bias)
    if as_json:
        click.echo(json.dumps(_document(layer, size[-2:])))
    else:
        click.echo(_report(layer, size, quiet, named=len(size) == 3 or in_channels is not None))


def _padding(
    padding: Literal["same", "valid"] | tuple[int, int],
    axis: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int]:
    if isinstance(padding, tuple):
        return padding[axis], padding[axis]
    if padding == "valid":
        return 0, 0
    if max(stride) > 1:
        raise ShapeError(
            f"padding same needs stride 1, as in torch, but the stride is {max(stride)};"
            " give the padding as a number"
        )
    return same_padding(kernel_size[axis], dilation[axis])


def _channels(size: tuple[int, ...], in_channels: int | None) -> int:
    if len(size) == 2:
        return in_channels or 1
    if in_channels not in (None, size[0]):
        raise ShapeError(f"SIZE names {size[0]} channels but --in-channels is {in_channels}")
    return size[0]


def _report(layer: Conv2d, size: tuple[int, ...], quiet: bool, *, named: bool) -> str:
    """The size on a line of its own, then how it comes about."""
    channels, height, width = layer.output_size(*size[-2:])
    plain = not named and layer.out_channels == 1
    headline = f"{height}x{width}" if plain else f"{channels}x{height}x{width}"
    if quiet:
        return headline
    kernel = f"{layer.height.kernel_size}*{layer.width.kernel_size}"
    shared = f"/{layer.groups}" if layer.groups > 1 else ""
    terms = f"{layer.out_channels}*{layer.in_channels}{shared}*{kernel}"
    bias = f" + {layer.out_channels} bias" if layer.bias else ""
    out_of = "" if named else " (SIZE names none)"
    rows = [
        ("height", layer.height.explain(size[-2])),
        ("width", layer.width.explain(size[-1])),
        ("channels", f"{layer.in_channels} in{out_of}, {channels} out"),
        ("parameters", f"{layer.parameters:,} = {terms}{bias}"),
        (
            "multiply-adds",
            f"{layer.macs(*size[-2:]):,} = {layer.weights:,} weights * {height}*{width}"
            " positions (as torchvision counts: without bias)",
        ),
        ("receptive field", f"{layer.height.span}x{layer.width.span}"),
    ]
    return "\n".join([headline, "", *(f"  {name:<16} {text}" for name, text in rows)])


def _document(layer: Conv2d, size: tuple[int, ...]) -> dict[str, Any]:
    output = list(layer.output_size(*size))
    macs = layer.macs(*size)
    field = [layer.height.span, layer.width.span]
    return {
        "input": [layer.in_channels, *size],
        "output": output,
        "params": layer.parameters,
        "macs": macs,
        "receptive_field": field,
        "effective_stride": [layer.height.stride, layer.width.stride],
        "effective_padding": [layer.height.padding[0], layer.width.padding[0]],
        "layers": [
            {
                "layer": "conv",
                "output": output,
                "params": layer.parameters,
                "macs": macs,
                "receptive_field": field,
            }
        ],
    }
