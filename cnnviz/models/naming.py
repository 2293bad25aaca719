"""What a MODEL on the command line means; builds it when asked."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from cnnviz.errors import ModelError
from cnnviz.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from cnnviz.models import ModelEntry

TORCHVISION = "torchvision"


@dataclass(frozen=True)
class ModelSource:
    """A model that can be built, without trained weights.

    ``input_size`` is that of one image, channels first; None where only its author knows it.
    """

    name: str
    build: Callable[[], nn.Module]
    input_size: tuple[int, ...] | None = None
    year: int | None = None


def find_source(text: str, classes: int | None = None) -> ModelSource:
    """The model that ``text`` names.

    ``text`` is a name of our table, one of torchvision's names, bare or as ``torchvision:NAME``,
    ``path/file.py:CLASS_OR_FACTORY`` or ``package.module:CLASS_OR_FACTORY``. ``classes`` replaces
    the number of outputs of a model of torchvision's.

    Raises:
        ModelError: no such model; or the number of classes cannot be chosen.
    """
    home, colon, name = text.rpartition(":")
    if classes is not None and (text in MODELS or (colon and home != TORCHVISION)):
        raise ModelError(f"the number of classes of {text} is its own; --classes is torchvision's")
    if text in MODELS:
        entry = MODELS[text]
        return ModelSource(text, _builder(entry), entry.input_size, entry.year)
    if colon and home != TORCHVISION:
        return _of_user(text, home, name)
    if text.endswith(".py"):
        raise ModelError(f"name a class or factory of the file too, such as {text}:Net")
    return _of_torchvision(name, classes)


def _builder(entry: ModelEntry) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        module, name = entry.factory.split(":")
        made: nn.Module = getattr(import_module(module), name)(**entry.arguments)
        return made

    return build


def _of_user(text: str, home: str, name: str) -> ModelSource:
    if not home or not name:
        raise ModelError(f"{text!r} is not FILE.py:CLASS or PACKAGE.MODULE:CLASS")

    def build() -> nn.Module:
        from cnnviz.models import user  # runs the user's code, and torch with it

        return user.build(home, name)

    return ModelSource(text, build)


def _of_torchvision(name: str, classes: int | None) -> ModelSource:
    from cnnviz.models import torchvision  # takes seconds: only where it is meant

    torchvision.check_name(name, tuple(MODELS))
    return ModelSource(
        name,
        lambda: torchvision.build(name, classes),
        torchvision.input_size(name),
        torchvision.year_of(name),
    )
