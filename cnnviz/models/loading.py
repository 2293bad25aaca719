"""Builds a model of the table and fills in its shipped weights."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import safe_open

from cnnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from cnnviz.images import Picture
    from cnnviz.models import ModelEntry

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Prepared:
    """A model's input, (1, C, H, W), and in words what was done to the image.

    ``blank`` says that the image holds nothing that a model could tell.
    """

    tensor: Tensor
    steps: list[str]
    blank: bool = False


@dataclass(frozen=True)
class LoadedModel:
    """A model in eval mode, and where its weights are from.

    ``training`` is what the weights' file says of itself: data set, test accuracy, seed.
    """

    entry: ModelEntry
    module: nn.Module
    training: dict[str, str]

    def prepare(self, picture: Picture) -> Prepared:
        """The input that the model sees for an image."""
        prepared: Prepared = _resolve(self.entry.prepare)(picture)
        return prepared


def load(entry: ModelEntry) -> LoadedModel:
    """The model of ``entry`` with the weights that ship with cnnviz.

    Raises:
        ModelError: none do.
    """
    if "trained" not in entry.weights:
        raise ModelError(f"cnnviz ships no weights of {entry.name}; see it with cnnviz summary")
    module: nn.Module = _resolve(entry.factory)(**entry.arguments)
    with safe_open(WEIGHTS / entry.weights["trained"], framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        training = file.metadata()
    module.load_state_dict(state)
    return LoadedModel(entry, module.eval(), training)


def _resolve(name: str) -> Callable[..., Any]:
    module, function = name.split(":")
    resolved: Callable[..., Any] = getattr(import_module(module), function)
    return resolved
