"""torchvision's models, by the names that torchvision gives them."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cnnviz.errors import ModelError
from cnnviz.models.building.arguments import check_arguments
from cnnviz.models.building.quick_import import compiler_left_out
from cnnviz.models.sources.downloads import downloading
from cnnviz.models.sources.families import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from torch import nn

# How a model's default weights build it, where that is not how it is built without weights.
AS_TRAINED: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "quantized_googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"init_weights": False},  # initialising takes minutes and changes no number
    "quantized_inception_v3": {"init_weights": False},
    "vit_h_14": {"image_size": 518},
}
AUXILIARY = ("fcn_", "deeplabv3_")  # their weights come with an auxiliary classifier

# Video models are fed clips; detectors and flow take any size, these are what was measured with.
FRAMES, DETECTION_SIZE = 16, 800
SIZES = {"ssd300": 300, "ssdlite320": 320, "fasterrcnn_mobilenet_v3_large_320": 320, "raft": 512}

MISSING_OPERATORS = ("nms", "qnms")
_declared: list[object] = []  # torch forgets a library's operators when the library is dropped


def load_torchvision() -> ModuleType:
    """The package torchvision, also beside a torch that it was not compiled for.

    PyPI's torchvision is compiled for CUDA. Beside a CPU torch its operators do not load, and the
    import fails because it describes two that are not there. They are declared here; nothing that
    only a detector's last step needs is missing then.

    Raises:
        ModelError: not installed, or it cannot be imported.
    """
    try:
        return _imported()
    except ModelError as error:
        if "operator torchvision::" not in str(error):
            raise
    _declare_operators()
    return _imported()


def mismatch() -> bool:
    """Whether operators had to be declared, because torchvision's own do not load."""
    return bool(_declared)


def _imported() -> ModuleType:
    try:
        with compiler_left_out():
            return import_module("torchvision")
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise ModelError(f"torchvision cannot be imported: {error}") from error
        raise ModelError("torchvision is not installed; pip install torchvision") from None
    except Exception as error:  # whatever two packages that do not fit raise
        raise ModelError(f"torchvision cannot be imported: {error}") from error


def _declare_operators() -> None:
    from torch.library import Library

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # left behind by the import that failed
    library = Library("torchvision", "FRAGMENT")
    for name in MISSING_OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)


def year_of(name: str) -> int | None:
    """The year of the network's paper, where it is known."""
    family = family_of(name)
    return family.year if family else None


def check_name(name: str, others: tuple[str, ...] = ()) -> None:
    """Raise a ``ModelError`` with a near miss, if torchvision has no model called ``name``.

    ``others`` are names from elsewhere that may have been meant.
    """
    names = load_torchvision().models.list_models()
    if name in names:
        return
    close = get_close_matches(name.lower(), [*others, *names], n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(others)}"
    more = f"{len(names)} of torchvision's, and yours as file.py:Class"
    raise ModelError(f"no model is called {name!r}; {hint}" + ("" if close else f", {more}"))


def build(name: str, arguments: Mapping[str, Any] | None = None) -> nn.Module:
    """The model without weights, built as its default weights would build it.

    ``arguments`` go to torchvision's builder; ``num_classes`` replaces the number of outputs.

    Raises:
        ModelError: it cannot be built with them.
    """
    models = load_torchvision().models
    builder = models.get_model_builder(name)
    options = {**AS_TRAINED.get(name, {})}
    if "weights_backbone" in signature(builder).parameters:
        options["weights_backbone"] = None
    if name.startswith(AUXILIARY):
        options["aux_loss"] = True
    try:
        module = _built(name, builder, {**options, **(arguments or {}), "weights": None})
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # torchvision's and torch's own refusals are of several kinds
        raise ModelError(f"{name} cannot be built: {type(error).__name__}: {error}") from error
    if name.endswith("_fpn"):
        _freeze_norms(module)
    return module


def load_default(name: str, arguments: Mapping[str, Any] | None = None) -> nn.Module:
    """The model with its default weights, from torch's cache or downloaded, their hash checked.

    Raises:
        CnnvizError: the weights could not be had.
        ModelError: it cannot be built with ``arguments`` and these weights.
    """
    models = load_torchvision().models
    weights = models.get_model_weights(name).DEFAULT
    with downloading(name, urlsplit(weights.url).hostname or weights.url):
        options = {**(arguments or {}), "weights": weights, "progress": sys.stderr.isatty()}
        return _built(name, models.get_model_builder(name), options)


def _built(name: str, builder: Callable[..., nn.Module], options: dict[str, Any]) -> nn.Module:
    check_arguments(builder, name, (), options)
    try:
        return builder(**options)
    except (TypeError, ValueError) as error:  # about arguments; others are of the download too
        raise ModelError(f"{name} cannot be built: {type(error).__name__}: {error}") from error


def has_weights(name: str) -> bool:
    """Whether torchvision has trained weights of it."""
    return len(load_torchvision().models.get_model_weights(name)) > 0


def _freeze_norms(detector: nn.Module) -> None:
    """Put normalisation without parameters in place, as in detectors that are built with weights.

    Their backbones come with numbers of ImageNet's, which batches of two images would spoil.
    """
    from torch import nn

    frozen = load_torchvision().ops.FrozenBatchNorm2d
    for parent in list(detector.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, frozen(child.num_features, child.eps))


def input_size(name: str) -> tuple[int, ...]:
    """The input that the model's default weights were measured with, without the batch."""
    models = load_torchvision().models
    for family, size in SIZES.items():
        if name.startswith(family):
            return 3, size, size
    preset = models.get_model_weights(name).DEFAULT.transforms()
    sizes = getattr(preset, "crop_size", None) or getattr(preset, "resize_size", None)
    height, width = _pair(sizes or DETECTION_SIZE)
    is_video = "video" in models.get_model_builder(name).__module__
    return (3, FRAMES, height, width) if is_video else (3, height, width)


def _pair(size: Any) -> tuple[int, int]:
    sizes = list(size) if isinstance(size, (list, tuple)) else [size]
    return sizes[0], sizes[-1]
