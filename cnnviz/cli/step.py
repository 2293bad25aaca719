"""``cnnviz step``: the arithmetic of a sliding window as text, picture or animation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.cli.showing import terminal_for
from cnnviz.cli.step_options import inputs, network, showing, sliding
from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from cnnviz.preview import Terminal
    from cnnviz.step.preview import View
    from cnnviz.step.setup import Asked

STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True},
    "weight": {"fg": "cyan"},
    "padding": {"dim": True},
    "read": {"fg": "magenta"},
    "window": {"fg": "magenta", "reverse": True},
    "here": {"fg": "green", "reverse": True},
    "moved": {"fg": "green"},
    "wrong": {"fg": "red", "bold": True},
    "result": {"fg": "green"},
}
NETWORK = ("model", "layer", "channel", "weights", "seed")
IN_NETWORK = {*NETWORK, "files", "at", "windows", "show", "quiet", "as_json", "lang"}
COMPUTED = (
    *("size", "at", "region", "channels", "stride", "padding", "dilation", "flip", "transposed"),
)


@click.command(
    "step",
    short_help="The arithmetic of a sliding window, one position at a time.",
    epilog="Example: cnnviz step samples/digit_7.png --kernel sobel_x --position 7,8",
)
@inputs
@network
@sliding
@showing
def command(**how: Any) -> None:
    """Work out a convolution by hand: each window's products and their sum.

    FILE is a CSV file or an image; or give --input rows, or --size. Without any of them it shows
    a small example. Numbers may be whole, decimals or fractions, and are computed exactly.
    Positions are row,column, counted from 0. The kernel is not flipped, as in torch and OpenCV.

    \b
      cnnviz step --input "1 2 3; 4 5 6; 7 8 9" --kernel "1 0; 0 1"
      cnnviz step photo.jpg --at 120,80 --kernel laplacian_8
      cnnviz step --size 5x5 -k "1 0; 0 1" -k "1 0; 1 1" --then "relu maxpool:k2 flatten"
      cnnviz step --size 5x5 -k 3x3 --visits
      cnnviz step --gif slide.gif
      cnnviz step samples/digit_7.png --model lenet --layer features.3 --channel 2 --at 1,5
    """  # noqa: D301 (click wants the backspace itself)
    inside = {name: how.pop(name) for name in NETWORK}
    terminal = terminal_for(as_json=how["as_json"]) if how.pop("show") else None
    if inside["model"] is not None:
        _in_network(how, terminal, **inside)
        return
    if any(inside.values()) or inside["seed"] is not None:
        raise UsageError(
            "--layer, --channel, --weights and --seed are a network's; name it by --model"
        )
    from cnnviz.step.report import Wanted, run  # only when the command runs

    quiet, as_json = how.pop("quiet"), how.pop("as_json")
    asked = _asked(how)
    wanted = Wanted(paint=_paint, quiet=quiet, **how)
    if wanted.draws or (terminal and terminal.has_graphics):
        from cnnviz.step.painting import is_lettered  # Pillow: only where it is drawn

        options.note_letters(installed=is_lettered())
    done = run(asked, wanted)
    if as_json:
        import json  # only where it is printed

        click.echo(json.dumps(done.document))
        return
    for line in done.lines:
        click.echo(line)
    if terminal:
        _draw(done.view(), terminal)


def _draw(view: View, terminal: Terminal) -> None:
    from cnnviz.step.preview import view_lines  # numpy and Pillow: only where it is drawn

    click.echo()
    for line in view_lines(view, terminal):
        click.echo(line)


def _in_network(
    how: dict[str, Any],
    terminal: Terminal | None,
    model: str,
    layer: str | None,
    channel: int,
    weights: str | None,
    seed: int | None,
) -> None:
    """Print how one value of a network's convolution comes about."""
    _refuse_beside_a_model()
    if len(how["files"]) != 1 or layer is None or how["at"] is None:
        raise UsageError(
            "a value in a network needs an image, --layer and --at ROW,COL, such as"
            " samples/digit_7.png --model lenet --layer features.0 --at 12,9"
        )
    from pathlib import Path

    from cnnviz.models.asked import Asked as AskedModel
    from cnnviz.step import in_network  # torch: only where a network runs

    asked, image = AskedModel(weights=weights, seed=seed), Path(how["files"][0])
    value = in_network.value_of(image, model, layer, channel, how["at"], asked)
    if how["as_json"]:
        import json  # only where it is printed

        click.echo(json.dumps(in_network.document_of(value)))
        return
    for line in in_network.lines_of(value, how["windows"], _paint):
        click.echo(line)
    if terminal:
        from cnnviz.step.views import network_view

        _draw(network_view(value), terminal)


def _refuse_beside_a_model() -> None:
    """Refuse options of matrices and of pictures, which a value in a network has none of."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in IN_NETWORK:
            raise UsageError(
                f"{parameter.opts[-1]} does not go with --model, which takes"
                " --layer, --channel, --weights, --seed, --at, --windows and --show"
            )


def _asked(how: dict[str, Any]) -> Asked:
    """What is to be computed; its options are taken out of ``how``."""
    from cnnviz.step.setup import Asked

    return Asked(
        files=how.pop("files"),
        rows=how.pop("rows"),
        kernels=how.pop("kernels"),
        biases=how.pop("biases"),
        then=" ".join(how.pop("then")),
        linear=how.pop("linear"),
        linear_bias=how.pop("linear_bias"),
        **{name: how.pop(name) for name in COMPUTED},
    )


def _paint(text: str, role: str) -> str:
    return click.style(text, **STYLES[role]) if role in STYLES else text
