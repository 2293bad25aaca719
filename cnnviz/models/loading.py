"""A model ready to run: built, with its weights, its preprocessing and its class names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnviz.errors import CnnvizError, UsageError
from cnnviz.models.asked import Asked
from cnnviz.models.naming import TIMM, TORCHVISION, find_source
from cnnviz.models.supply import resolved, supplied, weightless
from cnnviz.models.table import MODELS
from cnnviz.shapes.notation import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from cnnviz.images import Picture
    from cnnviz.images.picture import Pixels
    from cnnviz.models.naming import ModelSource
    from cnnviz.models.preparing.prepared import Prepared
    from cnnviz.models.preparing.recipes import Preprocessing, Size
    from cnnviz.models.supply import Weights
    from cnnviz.models.table import ModelEntry


@dataclass(frozen=True)
class LoadedModel:
    """A model in eval mode, ready for images.

    ``labels`` are the names of its classes, empty where they are not known. ``prepare`` makes an
    image its input, by ``recipe`` or, where that is None, in a way of its own. ``notes`` tell what
    of the model is run.
    """

    source: ModelSource
    module: nn.Module
    weights: Weights
    labels: tuple[str, ...]
    prepare: Callable[[Picture], Prepared]
    recipe: Preprocessing | None = None
    entry: ModelEntry | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As it was named."""
        return self.source.name

    @property
    def title(self) -> str:
        """What a reader calls it."""
        return self.entry.title if self.entry else self.name

    @property
    def paper_names(self) -> Mapping[str, str]:
        """What its paper calls its layers, by torch's dotted names."""
        return self.entry.paper_names if self.entry else {}

    def seen(self, prepared: Prepared) -> Pixels:
        """What the model saw, as uint8 (H, W, 3), or (H, W, 1) where it is not of three colours."""
        from cnnviz.models.preparing.preprocessing import as_seen

        return as_seen(prepared.tensor, self.recipe)


def load_model(name: str, asked: Asked | None = None) -> LoadedModel:
    """The model that ``name`` says, with weights, in eval mode.

    Raises:
        ModelError: no such model or weights, or they do not fit.
        UsageError: it cannot be prepared for as asked.
        CnnvizError: weights could not be fetched or read.
    """
    asked = asked or Asked()
    source, entry = _found(name, asked)
    module, weights = supplied(source, entry.weights if entry else {}, asked)
    return _loaded(source, entry, module, weights, asked)


def load_weightless(name: str, asked: Asked | None = None) -> LoadedModel:
    """The model that ``name`` says, on torch's meta device where it lets itself be built there.

    It can be planned for and prepared for, and takes neither memory nor a download. What comes
    with its weights in it, and what needs values while it is built, is built as it is.

    Raises:
        ModelError: no such model.
        UsageError: it cannot be prepared for as asked.
    """
    asked = asked or Asked()
    source, entry = _found(name, asked)
    module, weights = weightless(source)
    return _loaded(source, entry, module, weights, asked)


def _found(name: str, asked: Asked) -> tuple[ModelSource, ModelEntry | None]:
    source = find_source(name, args=asked.arguments)
    return source, MODELS[source.name] if source.home == "cnnviz" else None


def _loaded(
    source: ModelSource,
    entry: ModelEntry | None,
    module: nn.Module,
    weights: Weights,
    asked: Asked,
) -> LoadedModel:
    recipe = _recipe(source, module, asked)
    prepare = _preparation(entry, recipe, asked)
    labels = _labels(source, entry, module, asked)
    module.eval()  # whose own may return nothing
    runs, notes = _runnable(module)
    notes += _fixed(source, asked)
    return LoadedModel(source, runs, weights, labels, prepare, recipe, entry, tuple(notes))


def _runnable(module: nn.Module) -> tuple[nn.Module, list[str]]:
    from cnnviz.models.sources import detectors

    if not detectors.is_detector(module):
        return module, []
    runs, note = detectors.runnable(module)
    return runs, [note]


def _fixed(source: ModelSource, asked: Asked) -> list[str]:
    """That a model takes one size, and no other; refuses another."""
    if not source.fixed_size or source.input_size is None:
        return []
    size = size_text(source.input_size)
    if asked.size is not None and asked.size != tuple(source.input_size[1:]):
        raise UsageError(
            f"{source.name} was exported for {size}; leave out --size {size_text(asked.size)}"
        )
    return [f"it was exported for {size}, and takes no other size"]


def _recipe(source: ModelSource, module: nn.Module, asked: Asked) -> Preprocessing | None:
    """How images become its input; None where a function does that."""
    from cnnviz.models.preparing import recipes

    if asked.preprocess is not None:
        return None
    size, mean, std, fit = asked.size, asked.mean, asked.std, asked.fit
    base = _usual(source, module)
    if base is None:
        if size or mean or std or fit or asked.gray:
            raise UsageError(
                f"{source.name} prepares images in its own way, which --size, --mean, --std, --fit"
                " and --gray do not change; leave them out, or give --preprocess"
            )
        return None
    return recipes.adjusted(base, size=size, mean=mean, std=std, fit=fit, gray=asked.gray)


def _usual(source: ModelSource, module: nn.Module) -> Preprocessing | None:
    from cnnviz.models.preparing import recipes
    from cnnviz.models.sources import detectors, presets

    if source.home == "cnnviz":
        own = resolved(MODELS[source.name].prepare) if MODELS[source.name].prepare else None
        return own if isinstance(own, recipes.Preprocessing) else None
    if source.home == TORCHVISION:
        how = presets.of_torchvision(source.name)
        if detectors.is_detector(module):  # which normalises and pads by itself
            how = replace(how, mean=(), std=(), multiple=1)
        return how
    if source.home == TIMM:
        return presets.of_timm(vars(module).get("pretrained_cfg") or {})
    return recipes.plain(_plain_size(source), _channels(module, source))


def _plain_size(source: ModelSource) -> Size | None:
    """The height and width that a model of the user's says it takes; None where it says none."""
    if source.input_size is None or len(source.input_size) != 3:
        return None
    return source.input_size[1], source.input_size[2]


def _channels(module: nn.Module, source: ModelSource) -> int:
    """How many channels a model of the user's takes: those of its first layer."""
    if source.input_size is not None and len(source.input_size) == 3:
        return source.input_size[0]
    found = [getattr(layer, "in_channels", None) for layer in module.modules()]
    found += [param.shape[1] for param in module.parameters() if param.ndim == 4]
    first = next((count for count in found if isinstance(count, int)), 3)
    return first if first in {1, 3} else 3


def _preparation(
    entry: ModelEntry | None, recipe: Preprocessing | None, asked: Asked
) -> Callable[[Picture], Prepared]:
    if asked.preprocess is not None:
        from cnnviz.models.sources.own_input import preparation  # runs the user's code

        made: Callable[[Picture], Prepared] = preparation(asked.preprocess)
        return made
    if recipe is None and entry is not None and entry.prepare:
        own: Callable[[Picture], Prepared] = resolved(entry.prepare)
        return own

    def by_recipe(picture: Picture) -> Prepared:
        from cnnviz.models.preparing.preprocessing import prepare

        if recipe is None:
            raise CnnvizError(
                "the model's input is no picture; leave IMAGE out or give latent:SEED for numbers"
                " drawn with that seed, or a .npy or .safetensors file of numbers"
            )
        return prepare(picture, recipe)

    return by_recipe


def _labels(
    source: ModelSource, entry: ModelEntry | None, module: nn.Module, asked: Asked
) -> tuple[str, ...]:
    from cnnviz.models import labels

    if asked.labels is not None:
        return labels.read_labels(asked.labels)
    if entry is not None:
        return entry.labels if len(entry.labels) != 1 else labels.labels_of(entry.labels[0])
    if source.home == TORCHVISION:
        return labels.labels_of_torchvision(source.name) if source.load_default else ()
    if source.home == TIMM and getattr(module, "num_classes", None) == 1000:
        return labels.labels_of("imagenet")
    return ()
