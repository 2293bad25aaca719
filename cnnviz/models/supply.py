"""A model with its weights: shipped, random, downloaded, or from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open

from cnnviz.errors import CnnvizError, ModelError, UsageError
from cnnviz.models.asked import DEFAULT, OWN, RANDOM
from cnnviz.models.building.unallocated import meta_copy, unallocated
from cnnviz.models.naming import TIMM, TORCHVISION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from cnnviz.models.asked import Asked
    from cnnviz.models.naming import ModelSource

NONE = "none"
WEIGHTS = Path(__file__).parent / "data" / "weights"


@dataclass(frozen=True)
class Weights:
    """Where a model's weights are from: in one word or the file, and what is known of them.

    ``about`` is what the file says of itself (data set, test accuracy, seed) or the seed.
    """

    source: str
    about: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def supplied(
    source: ModelSource, shipped: Mapping[str, str], asked: Asked
) -> tuple[nn.Module, Weights]:
    """The model with the weights that are asked for; ``shipped`` are files, or factories, by name.

    The module of such a factory says of the weights in its ``ABOUT`` what a file says of itself.

    Raises:
        ModelError: there are no such weights, or they do not fit.
        UsageError: a seed for weights that are not random.
        CnnvizError: they could not be fetched or read.
    """
    wanted = asked.weights or _first(source, shipped)
    if asked.seed is not None and wanted != RANDOM:
        raise UsageError(f"--seed is for --weights random; the weights are {wanted}")
    if not source.takes_weights and asked.weights is not None:
        raise ModelError(f"{source.name} has its weights in it; leave out --weights")
    if wanted in shipped:
        return _shipped(source, shipped[wanted], wanted)
    if wanted == RANDOM:
        return _random(source, asked.seed or 0)
    if wanted == OWN:
        return source.build(), Weights(OWN)
    if wanted == DEFAULT:
        return _default(source, shipped)
    return _of_file(source, shipped, Path(wanted), partial=asked.partial)


def weightless(source: ModelSource) -> tuple[nn.Module, Weights]:
    """The model without memory for its weights, where it can be built so."""
    if source.takes_weights:
        try:
            with unallocated():
                return meta_copy(source.build()), Weights(NONE)
        except CnnvizError:  # its constructor computes with values
            pass
    return _random(source, 0)


def resolved(place: str) -> Any:
    """What ``module:name`` names."""
    module, name = place.split(":")
    return getattr(import_module(module), name)


def _first(source: ModelSource, shipped: Mapping[str, str]) -> str:
    """What is meant without --weights."""
    if shipped:
        return next(iter(shipped))
    if source.load_default is not None:
        return DEFAULT
    return RANDOM if source.home in {"cnnviz", TORCHVISION, TIMM} else OWN


def _shipped(source: ModelSource, place: str, name: str) -> tuple[nn.Module, Weights]:
    if ":" in place:  # a package that has them
        made: nn.Module = resolved(place)()
        return made, Weights(name, resolved(f"{place.partition(':')[0]}:ABOUT"))
    module = source.build()
    with safe_open(WEIGHTS / place, framework="pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        about = dict(sorted(file.metadata().items()))  # which come in another order every time
    module.load_state_dict(state)
    return module, Weights(name, about)


def _random(source: ModelSource, seed: int) -> tuple[nn.Module, Weights]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return source.build(), Weights(RANDOM, {"seed": str(seed)})


def _default(source: ModelSource, shipped: Mapping[str, str]) -> tuple[nn.Module, Weights]:
    if source.load_default is None:
        raise ModelError(f"{source.name} has no weights to download; {_choices(shipped)}")
    return source.load_default(), Weights(DEFAULT, {"from": source.home})


def _of_file(
    source: ModelSource, shipped: Mapping[str, str], path: Path, *, partial: bool
) -> tuple[nn.Module, Weights]:
    if not path.suffix and not path.exists():  # a word, and no path
        raise ModelError(f"{source.name} has no weights called {path}; {_choices(shipped)}")
    from cnnviz.models.weights import fill, read_weights

    found = read_weights(path)
    module = source.build()
    fit = fill(module, found, partial=partial)
    about = {"file": str(path), "sha256": found.sha256, **found.metadata}
    left_out = () if fit.complete else (str(fit),)
    return module, Weights(str(path), about, (*found.notes, *fit.notes, *left_out))


def _choices(shipped: Mapping[str, str]) -> str:
    return f"--weights takes {', '.join([*shipped, RANDOM])}, or a file"
