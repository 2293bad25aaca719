"""What a MODEL on the command line means; builds it when asked."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError
from cnnviz.models import MODELS
from cnnviz.models.known import known_models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from cnnviz.models.table import ModelEntry

LONGEST = 4_000  # ast.parse, which reads a call, goes deep into nested brackets
TORCHVISION, TIMM = "torchvision", "timm"

# Files that hold weights, or what else is taken for a model; what to say is with each.
WEIGHTS_FILES = (".safetensors", ".ckpt", ".bin", ".npz", ".h5")
CONTAINERS = (".pt", ".pth", ".pt2", ".ts", ".torchscript", ".jit")


@dataclass(frozen=True)
class ModelSource:
    """A model that can be built.

    ``build`` makes it without trained weights; a user's comes as its factory returns it, a
    container's with the weights in it. ``input_size`` is that of one image, channels first; None
    where only its author knows it, and with ``fixed_size`` it takes no other. ``home`` is
    cnnviz, torchvision, timm, user, torchscript or export. ``load_default`` makes it with the
    weights that its makers trained, which it downloads; None where there are none.
    ``takes_weights`` says whether weights of one's own can be filled in.
    """

    name: str
    build: Callable[[], nn.Module]
    input_size: tuple[int, ...] | None = None
    year: int | None = None
    home: str = "user"
    fixed_size: bool = False
    load_default: Callable[[], nn.Module] | None = field(default=None, compare=False)
    takes_weights: bool = True
    description: str = ""


def find_source(
    text: str, *, classes: int | None = None, args: Mapping[str, Any] | None = None
) -> ModelSource:
    """The model that ``text`` names.

    ``text`` is a name of our table, one of torchvision's names, bare or as ``torchvision:NAME``,
    ``timm:NAME``, ``path/file.py:CLASS_OR_FACTORY`` or ``package.module:CLASS_OR_FACTORY``, or a
    file of TorchScript or ``torch.export``. ``classes`` replaces the number of outputs of a model
    of torchvision's or timm's, ``args`` are named arguments for the class, factory or builder.

    Raises:
        ModelError: no such model; it takes no such arguments; its file cannot be read.
    """
    if len(text) > LONGEST:
        raise ModelError(f"a MODEL is named in at most {LONGEST:,} characters, not {len(text):,}")
    arguments = dict(args or {})
    home, colon, name = text.partition(":")
    if text in MODELS:
        _refuse(text, classes, arguments)
        entry = MODELS[text]
        build = _builder(entry)
        size, title = entry.input_size, entry.title
        return ModelSource(text, build, size, entry.year, "cnnviz", description=title)
    if colon and home in {TORCHVISION, TIMM}:
        return _of_library(home, name, _with_classes(arguments, classes))
    if text.endswith(CONTAINERS):
        _refuse(text, classes, arguments)
        return _of_container(text)
    if text.endswith(WEIGHTS_FILES) or _is_folder_of_weights(text):
        raise ModelError(
            f"{text} is weights without a model; name the model that they belong to, and give them"
            f" by --weights {text}"
        )
    if colon:
        _refuse(text, classes, {})
        return _of_user(text, arguments)
    if text.endswith(".py"):
        raise ModelError(f"name a class or factory of the file too, such as {text}:Net")
    return _of_library(TORCHVISION, text, _with_classes(arguments, classes))


def _is_folder_of_weights(text: str) -> bool:
    """Whether it is a folder, and not one that has only the name of a known model."""
    # os.path, because pathlib raises for names that are too long
    return os.path.isdir(text) and text not in known_models()  # noqa: PTH112


def _with_classes(arguments: dict[str, Any], classes: int | None) -> dict[str, Any]:
    return arguments if classes is None else {**arguments, "num_classes": classes}


def _refuse(text: str, classes: int | None, arguments: Mapping[str, Any]) -> None:
    if classes is not None:
        raise ModelError(
            f"the number of classes of {text} is its own; --classes is torchvision's and timm's"
        )
    if arguments:
        raise ModelError(f"{text} takes no arguments; leave out --model-args")


def _builder(entry: ModelEntry) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        module, name = entry.factory.split(":")
        made: nn.Module = getattr(import_module(module), name)(**entry.arguments)
        return made

    return build


def _of_user(text: str, arguments: dict[str, Any]) -> ModelSource:
    from cnnviz.models.sources.calls import read_call

    call = read_call(text).given(arguments)

    def build() -> nn.Module:
        from cnnviz.models.building.wrappers import unwrapped
        from cnnviz.models.sources import user  # runs the user's code, and torch with it

        return unwrapped(user.build(call))[0]

    return ModelSource(text, build, description=f"made by {call.name} of {call.home}")


def _of_library(home: str, name: str, arguments: dict[str, Any]) -> ModelSource:
    """One of torchvision's or timm's."""
    library: Any
    if home == TIMM:
        from cnnviz.models.sources import timm as library  # takes seconds: only where it is meant

        library.check_name(name)
    else:
        from cnnviz.models.sources import torchvision as library

        _check_bare(name)
    return ModelSource(
        name if home == TORCHVISION else f"{home}:{name}",
        partial(library.build, name, arguments),
        library.input_size(name),
        library.year_of(name),
        home,
        load_default=partial(library.load_default, name, arguments)
        if library.has_weights(name)
        else None,
        description=f"one of {home}'s models",
    )


def _check_bare(name: str) -> None:
    """Raise a ``ModelError`` where a name is not torchvision's; that it is timm's is said."""
    from cnnviz.models.sources import timm, torchvision

    try:
        torchvision.check_name(name, tuple(MODELS))
    except ModelError as error:
        try:
            timm.check_name(name)
        except ModelError:  # not there either, or timm is not installed
            raise error from None
        raise ModelError(f"no model is called {name!r}; timm has it: timm:{name}") from None


def _of_container(text: str) -> ModelSource:
    from cnnviz.models.programs import containers

    path = Path(text)
    kind = containers.kind_of(path)
    size, fixed = containers.input_size(path, kind), kind == "export"
    return ModelSource(
        text,
        partial(containers.load, path, kind),
        size,
        home=kind,
        fixed_size=fixed and size is not None,
        takes_weights=False,
        description=containers.DESCRIPTIONS[kind],
    )
