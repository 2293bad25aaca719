"""``cnnviz shape``: sizes, parameters, multiply-adds, receptive fields of a layer or a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.options import shown
from cnnviz.cli.values import Size, WholeNumber
from cnnviz.errors import ShapeError, UsageError
from cnnviz.language import say
from cnnviz.shapes.chain import image_shape, trace_chain, trace_layer
from cnnviz.shapes.grammar import Arguments, LayerText, parse_chain
from cnnviz.shapes.memory import BYTES
from cnnviz.shapes.notation import per_axis, quoted, size_text
from cnnviz.shapes.report import Wanted, chain_report, document, layer_report
from cnnviz.shapes.table import lines_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.shapes.chain import Chain

# Options that describe the single layer, and what the grammar calls them.
LAYER_OPTIONS = {
    "out_channels": "n",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "output_padding": "op",
    "groups": "g",
    "multiplier": "m",
    "ceil": "ceil",
}


class PerAxis(click.ParamType[Any]):
    """One number, or one per axis: ``3``, ``3x5``; ``words`` are taken as they are."""

    name = "n|hxw"

    def __init__(self, minimum: int = 1, words: Sequence[str] = ()) -> None:
        self.minimum, self.words = minimum, words
        self.name = "|".join([*words, self.name])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...] | str:
        """The numbers, or the word.

        Raises:
            click.BadParameter: not of that form, or below the minimum.
        """
        if value in self.words:
            return str(value)
        try:
            return per_axis(value, self.minimum)
        except ShapeError as error:
            self.fail(str(error), param, ctx)


@click.command(
    "shape",
    short_help="Sizes, parameters, multiply-adds, receptive field of layers.",
    epilog="Example: cnnviz shape 3x224x224 conv:64,k7,s2,p3 relu maxpool:k3,s2,p1 --explain",
)
@click.argument("size", type=Size())
@click.argument("layers", metavar="[LAYER]...", nargs=-1)
@click.option("--op", default="conv", show_default=True, help="Layer, where no LAYER is given.")
@click.option(
    "-k", "--kernel-size", type=PerAxis(), help="Rows and columns.  [default: 3; pools 2]"
)
@click.option(
    "-s",
    "--stride",
    type=PerAxis(),
    help="Pixels from one window to the next.  [default: 1; pools: the kernel size]",
)
@click.option(
    "-p",
    "--padding",
    type=PerAxis(0, ("same", "valid")),
    help="Pixels added on every side; same keeps the size at stride 1, valid adds none."
    "  [default: 0]",
)
@options.dilation(PerAxis(), default=None)
@click.option(
    "-i",
    "--in-channels",
    type=WholeNumber(),
    help="Maps in the input.  [default: what SIZE says, else 1]",
)
@click.option(
    "-c",
    "--out-channels",
    type=WholeNumber(),
    help="Maps in the output: how many kernels there are.  [default: 1]",
)
@click.option(
    "--groups",
    type=WholeNumber(),
    help="Parts that the channels are divided into, each convolved by itself.  [default: 1]",
)
@click.option(
    "--multiplier", type=WholeNumber(), help="Depthwise maps per input map.  [default: 1]"
)
@click.option("--bias/--no-bias", default=True, show_default=True, help="Count a bias per channel.")
@click.option(
    "--output-padding",
    type=PerAxis(0),
    help="Rows and columns added to a transposed convolution's output.  [default: 0]",
)
@click.option("--ceil", is_flag=True, default=None, help="Round a pool's output size up.")
@click.option("--explain", is_flag=True, help="Show the working of every number, in words too.")
@click.option("--check", is_flag=True, help="Compare with layers built in torch (takes seconds).")
@click.option("--flops", is_flag=True, help="Count FLOPs too: two per multiply-add.")
@click.option(
    "--dtype",
    type=click.Choice(list(BYTES)),
    default="float32",
    show_default=True,
    help="What a number is stored in, for the memory.",
)
@click.option(
    "--batch", type=WholeNumber(), default=1, show_default=True, help="Images, for the memory."
)
@click.option(
    "--figure",
    "--svg",
    "figure",
    metavar="FILE",
    help="Also draw the layers: .svg, or with matplotlib .png or .pdf.",
)
@options.overwrite
@options.language
@options.everywhere
def command(
    size: tuple[int, ...],
    layers: tuple[str, ...],
    in_channels: int | None,
    quiet: bool,
    as_json: bool,
    check: bool,
    figure: str | None,
    overwrite: bool,
    **how: Any,
) -> None:
    """Output sizes, parameters, multiply-adds and receptive field of one layer or a chain.

    SIZE is HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH; CHANNELSxLENGTH before a 1-D layer,
    CHANNELSxDEPTHxHEIGHTxWIDTH before a 3-D one. One layer is described by options; numbers
    that take N also take one per axis: -k3x5 is 3 rows, 5 columns.

    A chain is described by LAYERs, NAME[:ARG,...][@N]. A bare number is output channels or
    features; k s p d op take N or one number per axis; then psame, pvalid, gN (groups),
    mN (depthwise multiplier), nobias, ceil; @N repeats the layer. Branches are
    added by res[ ], concatenated by cat[ ]; an empty one is the identity.

    \b
      conv conv1d conv3d dwconv sepconv convt      maxpool avgpool minpool
      adaptiveavgpool:7x7 adaptivemaxpool:7x7 gap  bn ln gn:32 in
      relu gelu silu tanh sigmoid ... softmax      dropout flatten linear:10
      upsample:2,bilinear pad:1 pad:0+1x2          res[ main... / shortcut... ]
                                                   cat[ branch... / branch... ]

    The rules and refusals are torch's; MACs are counted as torchvision does.
    """  # noqa: D301 (click wants the backspace itself)
    single = _single_layer(how)
    chain = _chain(size, layers, single, in_channels)
    done = _checked(chain) if check else {}
    if figure is not None:
        done["figure"] = _drawn(chain, figure, overwrite=overwrite)
    named = in_channels is not None or len(chain.input) == len(size)
    wanted = Wanted(memory=bool(layers) or _given("dtype") or _given("batch"), **how)
    if as_json:
        import json  # only where it is printed

        click.echo(json.dumps({**document(chain, wanted), **done}))
        return
    click.echo(size_text(chain.output if named or chain.output[0] > 1 else chain.output[1:]))
    if not quiet:
        report = chain_report if layers else layer_report
        click.echo(f"\n{report(chain, wanted, '' if named else ' (SIZE names none)')}")
        if done:
            click.echo(lines_text([(say(name), shown(what)) for name, what in done.items()]))


def _single_layer(how: dict[str, Any]) -> LayerText:
    """The layer that the options describe, which are taken out of ``how``."""
    name, bias = how.pop("op"), how.pop("bias")
    if ":" in name:
        raise UsageError(f"--op takes a layer's name alone; write {quoted(name)} after SIZE")
    given = {letter: how.pop(option) for option, letter in LAYER_OPTIONS.items()}
    given["n"] = given["n"] and (given["n"],)
    return LayerText(name, Arguments(**given, nobias=None if bias else True), name)


def _chain(
    size: tuple[int, ...], layers: tuple[str, ...], single: LayerText, in_channels: int | None
) -> Chain:
    if not layers:
        return trace_layer(single, image_shape(size, [single], in_channels))
    _refuse_layer_options()
    nodes = parse_chain(" ".join(layers))
    return trace_chain(nodes, image_shape(size, nodes))


def _given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


def _refuse_layer_options() -> None:
    """One way to say it: options describe a single layer, LAYERs carry their own arguments."""
    for name in filter(_given, (*LAYER_OPTIONS, "in_channels", "op", "bias")):
        option = "no-bias" if name == "bias" else name.replace("_", "-")
        raise UsageError(
            f"--{option} describes a single layer; beside LAYERs write it"
            " into them, such as conv:64,k3,p1"
        )


def _checked(chain: Chain) -> dict[str, str]:
    from cnnviz.shapes.twin import compare  # torch: only when it is asked for

    return {"checked": compare(chain)}


def _drawn(chain: Chain, figure: str, *, overwrite: bool) -> str:
    """The file that the chain was drawn into."""
    from pathlib import Path  # like storage, only where something is written

    from cnnviz.figures.chain import draw_chain
    from cnnviz.figures.marks import encoded
    from cnnviz.storage import refuse_existing, write_bytes

    path = Path(figure)
    suffix = path.suffix.lower()
    if suffix == ".svg":  # its letters are the viewer's
        data = encoded(draw_chain(chain), suffix)
    else:
        from cnnviz.figures.filter import has_letters, lettered, refuse_unmakeable

        refuse_unmakeable(suffix)
        options.note_letters(installed=has_letters())
        with lettered():
            data = encoded(draw_chain(chain), suffix)
    refuse_existing([path], [], overwrite=overwrite)
    write_bytes(path, data)
    return str(path)
