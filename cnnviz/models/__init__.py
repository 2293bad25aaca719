"""The models that can be named: what they are, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnviz.models.loading import LoadedModel


@dataclass(frozen=True)
class ModelEntry:
    """A model of the table: ``factory`` and ``prepare`` are ``module:function``.

    ``input_size`` is (channels, height, width). ``paper_names`` maps torch's dotted names to
    the names that the paper gives its layers. ``weights`` maps what ``--weights`` calls shipped
    weights to their file, the default first.
    """

    name: str
    title: str
    year: int
    paper: str
    known_for: str
    input_size: tuple[int, int, int]
    parameters: int
    factory: str
    prepare: str
    weights: Mapping[str, str]
    labels: tuple[str, ...]
    paper_names: dict[str, str]


LENET = ModelEntry(
    name="lenet",
    title="LeNet-5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition",
    known_for="Read the digits on cheques; convolution, pooling and linear layers, as ever since.",
    input_size=(1, 32, 32),
    parameters=61_706,
    factory="cnnviz.models.lenet:LeNet5",
    prepare="cnnviz.models.digits:prepare",
    weights={"trained": "lenet.safetensors"},
    labels=tuple("0123456789"),
    paper_names={
        "features.0": "C1",
        "features.1": "C1 tanh",
        "features.2": "S2",
        "features.3": "C3",
        "features.4": "C3 tanh",
        "features.5": "S4",
        "features.6": "C5",
        "features.7": "C5 tanh",
        "classifier.1": "F6",
        "classifier.2": "F6 tanh",
        "classifier.3": "OUTPUT",
    },
)

MODELS = {entry.name: entry for entry in (LENET,)}


def find_model(name: str) -> ModelEntry:
    """The entry called ``name``.

    Raises:
        ModelError: no such model.
    """
    if name in MODELS:
        return MODELS[name]
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name.lower(), MODELS, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ModelError(f"no model is called {name!r}; {hint}there is {', '.join(MODELS)}")


def load_model(name: str) -> LoadedModel:
    """The model called ``name`` with its trained weights, in eval mode.

    Raises:
        ModelError: no such model.
    """
    from cnnviz.models.loading import load  # torch: only when a model is built

    return load(find_model(name))
