"""``cnnviz models``: the models that a command can be given by name, without loading one."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options
from cnnviz.models.known import OWN, TIMM, TORCHVISION, find_known, matching
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.table import lines_text, table_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnviz.models.known import Known

HOMES = {OWN: "cnnviz's own", TORCHVISION: "torchvision", TIMM: "timm (pip install 'cnnviz[timm]')"}
TASKS = ["classification", "segmentation", "detection", "video", "optical flow"]  # others after
ANY_SIZE = {"segmentation", "detection"}
HEADS = ["name", "year", "input", "parameters", "MACs", "result", "weights"]
NUMBERS = {1, 3, 4, 5}  # columns that end at the right
MEASURES = {"acc@1": "top-1", "mask_map": "mask mAP", "kp_map": "keypoint mAP"}
MEASURES |= {"miou": "mIoU", "box_map": "box mAP"}
WIDE = 72  # characters of a family's names that are shown on its line
TEXT_WIDTH = 96
MORE = """\
cnnviz models list resnet   the models of a family; --all shows those of every family
cnnviz models show NAME     what one is known for, its paper and its weights
Every other model of timm's is timm:NAME, a network of your own net.py:CLASS."""


@click.group(
    "models", invoke_without_command=True, epilog="Example: cnnviz models show efficientnet_b0"
)
@options.everywhere
@click.pass_context
def command(context: click.Context, quiet: bool, as_json: bool) -> None:
    """List and show the models known by name; alone it lists them."""
    if context.invoked_subcommand is None:
        context.invoke(list_models, words=(), every=False, quiet=quiet, as_json=as_json)


@command.command("list", epilog="Example: cnnviz models list resnet segmentation")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("-a", "--all", "every", is_flag=True, help="A line for every model of a family.")
@options.everywhere
def list_models(words: tuple[str, ...], every: bool, quiet: bool, as_json: bool) -> None:
    """The models that can be named; --quiet prints their names alone.

    WORD chooses: a family (resnet), a task (segmentation), a package (timm), a part of a name, or a
    glob such as 'vgg*_bn'.
    """
    found = matching(words)
    if as_json:
        click.echo(json.dumps({"models": [_document(model) for model in found]}))
    elif quiet:
        click.echo("\n".join(model.name for model in found))
    elif words or every:
        click.echo("\n\n".join(f"{head}\n{_table(group)}" for head, group in _groups(found)))
    else:
        click.echo(_overview(found))


@command.command("show", epilog="Example: cnnviz models show googlenet")
@click.argument("name", metavar="NAME")
@options.everywhere
def show(name: str, quiet: bool, as_json: bool) -> None:
    """One model: size, weights, what it is known for."""
    found = find_known(name)
    if as_json:
        click.echo(json.dumps(_document(found)))
        return
    year = f" ({found.year})" if found.year else ""
    click.echo(f"{found.name}: {found.title}{year}\n\n{lines_text(_facts(found))}")
    if quiet:
        return
    click.echo()
    for text in filter(None, (found.known_for, found.note, found.paper)):
        click.echo(click.wrap_text(text, TEXT_WIDTH))
    if commands := _commands(found):
        click.echo("\n" + "\n".join(f"  {line}" for line in commands))


def _groups(models: Sequence[Known]) -> Iterator[tuple[str, list[Known]]]:
    """The models with a heading for each package and task."""
    own = [model for model in models if model.home == OWN]
    if own:
        yield HOMES[OWN], own
    keys = {(model.home, model.task) for model in models if model.home != OWN}
    for home, task in sorted(keys, key=_place):
        yield f"{HOMES[home]}: {task}", [m for m in models if (m.home, m.task) == (home, task)]


def _place(key: tuple[str, str]) -> tuple[int, int]:
    home, task = key
    return list(HOMES).index(home), TASKS.index(task) if task in TASKS else len(TASKS)


def _table(models: Sequence[Known]) -> str:
    """A row per model; only torchvision's weights state multiply-adds and results."""
    if models[0].home == TORCHVISION:
        return table_text([HEADS, *map(_row, models)], NUMBERS)
    rows = [
        [
            m.name,
            str(m.year or ""),
            size_text(m.input_size),
            f"{m.parameters:,}",
            _weights(m),
            m.title,
        ]
        for m in models
    ]
    return table_text([["name", "year", "input", "parameters", "weights", "title"], *rows], {1, 3})


def _row(model: Known) -> list[str]:
    return [
        model.name,
        str(model.year or ""),
        size_text(model.input_size),
        f"{model.parameters:,}",
        f"{model.macs / 1e9:.3f} G" if model.macs else "",
        _result(model),
        _weights(model),
    ]


def _result(model: Known) -> str:
    """The measure that a model of its task is judged by, of the default weights."""
    found = {key: value for scores in model.metrics.values() for key, value in scores.items()}
    return next((f"{MEASURES[key]} {found[key]:.1f}" for key in MEASURES if key in found), "")


def _weights(model: Known) -> str:
    """What ``--weights`` takes beside a file."""
    if model.home == OWN:
        first, *others = model.weights or ["random"]
        return f"{first}, {len(others)} more" if others else first
    size = f" {model.download:,.1f} MiB" if model.download else ""
    return f"default{size}" if model.default else "random"


def _overview(models: Sequence[Known]) -> str:
    """Our models, a line per family of torchvision's, and timm's."""
    blocks = []
    for head, group in _groups(models):
        text = _families(group) if group[0].home == TORCHVISION else _table(group)
        blocks.append(f"{head}\n{text}")
    return "\n\n".join([*blocks, MORE])


def _families(models: Sequence[Known]) -> str:
    rows = [["family", "year", "parameters", "models"]]
    for family, group in groupby(models, key=lambda model: model.family):
        members = list(group)
        rows.append(
            [
                family.name if family else "",
                str(family.year) if family else "",
                _sizes(members),
                _names([model.name for model in members]),
            ]
        )
    return table_text(rows, {1, 2})


def _sizes(members: Sequence[Known]) -> str:
    """Millions of parameters of the smallest and the largest, which come first and last."""
    ends = (f"{model.parameters / 1e6:.1f}M" for model in (members[0], members[-1]))
    return " - ".join(dict.fromkeys(ends))


def _names(names: Sequence[str]) -> str:
    whole = ", ".join(names)
    return whole if len(whole) <= WIDE else f"{names[0]} … {names[-1]} ({len(names)})"


def _facts(model: Known) -> list[tuple[str, str]]:
    of = f"{model.home}, {model.task}" if model.task else model.home
    facts = [
        ("from", of),
        (
            "input",
            size_text(model.input_size) + (" or any other size" if model.task in ANY_SIZE else ""),
        ),
        ("parameters", f"{model.parameters:,}"),
    ]
    if model.macs:
        facts.append(("multiply-adds", f"{model.macs / 1e9:.3f} G"))
    facts.append(("weights", _all_weights(model)))
    others = [name for name in model.weights if name != model.default]
    if others and model.home != OWN:
        facts.append(("others", ", ".join(others)))
    facts += [("result", f"{data}: {_scores(m)}") for data, m in model.metrics.items()]
    return facts


def _all_weights(model: Known) -> str:
    if model.home == OWN:
        return ", ".join([*model.weights, "random"])
    size = f", {model.download:,.1f} MiB to download" if model.download else ", a download"
    return f"default: {model.default}{size}"


def _scores(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in scores.items())


def _commands(model: Known) -> list[str]:
    """What to type next, as far as a command takes the model's input."""
    looks = [f"cnnviz featuremaps IMAGE --model {model.name}"] if model.takes_picture else []
    return [f"cnnviz summary {model.name}", *looks]


def _document(model: Known) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "year": model.year,
        "paper": model.paper or None,
        "known_for": model.known_for,
        "task": model.task or None,
        "home": model.home,
        "family": model.family.name if model.family else None,
        "input": list(model.input_size),
        "parameters": model.parameters,
        "macs": model.macs,
        "weights": list(model.weights),
        "default": model.default,
        "download_mib": model.download,
        "metrics": model.metrics,
        "note": model.note or None,
    }
