"""timm's models, by the names that timm gives them; timm is an extra."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cnnviz.errors import ModelError
from cnnviz.models.building.arguments import check_arguments
from cnnviz.models.sources.downloads import check_reachable, downloading
from cnnviz.models.sources.torchvision import load_torchvision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from torch import nn

# The year of the paper by which a family is named; the longest beginning of a name counts.
FAMILIES = {
    2014: "vgg",
    2015: "resnet inception_v3",
    2016: "xception legacy_xception inception_v4 inception_resnet_v2 resnext wide_resnet resnetv2",
    2017: "densenet dpn senet legacy_senet seresnet legacy_seresnet",
    2018: "mobilenetv2 mnasnet",
    2019: "mobilenetv3 efficientnet tf_efficientnet hrnet",
    2020: "regnet vit_ deit_ resnest",
    2021: "swin_ mixer_ cait_ levit_ tf_efficientnetv2 efficientnetv2 beit_ resnetrs",
    2022: "convnext maxvit_",
    2023: "convnextv2 fastvit",
}
YEARS = {family: year for year, names in FAMILIES.items() for family in names.split()}
HUB = "huggingface.co"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def load_timm() -> ModuleType:
    """The package timm.

    Raises:
        ModelError: not installed, or it cannot be imported.
    """
    load_torchvision()  # which timm imports too, and which must be helped beside some a torch
    try:
        return import_module("timm")
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise ModelError(f"timm cannot be imported: {error}") from error
        raise ModelError('timm is not installed; pip install "cnnviz[timm]"') from None
    except Exception as error:  # whatever packages that do not fit raise
        raise ModelError(f"timm cannot be imported: {type(error).__name__}: {error}") from error


def check_name(name: str) -> None:
    """Raise a ``ModelError`` with a near miss, if timm has no model called ``name``."""
    timm = load_timm()
    architecture, _, tag = name.partition(".")
    names = timm.list_models()
    if architecture not in names:
        close = get_close_matches(architecture.lower(), names, n=3)
        hint = f"did you mean {' or '.join(f'timm:{each}' for each in close)}?" if close else ""
        hint = hint or f"timm {timm.__version__} has {len(names)}, none like it"
        raise ModelError(f"timm has no model {architecture!r}; {hint}")
    if tag:
        tags = [full.partition(".")[2] for full in timm.list_models(name, pretrained=True)]
        if tag not in tags:
            trained = timm.list_models(f"{architecture}.*", pretrained=True)
            raise ModelError(
                f"timm has no weights {tag!r} of {architecture}; it has"
                f" {', '.join(trained) or 'none'}"
            )


def build(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """The model without trained weights; ``arguments`` go to timm's own builder.

    Raises:
        ModelError: it cannot be built with them.
    """
    try:
        return _created(name, arguments, pretrained=False)
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # timm's and torch's own refusals are of several kinds
        raise ModelError(f"timm:{name} cannot be built: {type(error).__name__}: {error}") from error


def load_default(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """The model with the weights that timm's makers trained, from the usual cache or fetched.

    Raises:
        CnnvizError: the weights could not be fetched.
        ModelError: it cannot be built with ``arguments``.
    """
    host = host_of(name)
    with downloading(f"timm:{name}", host):
        cached = _cached_file(name)
        overlay = {"file": cached} if cached else None
        if not cached and host == HUB:
            check_reachable(host)  # the hub's library would try for 46 seconds
        return _created(name, {**arguments, "pretrained_cfg_overlay": overlay}, pretrained=True)


def has_weights(name: str) -> bool:
    """Whether timm knows of trained weights."""
    return bool(getattr(_settings(name), "has_weights", False))


def input_size(name: str) -> tuple[int, ...]:
    """The input that the model is built for, without the batch."""
    size: tuple[int, ...] = tuple(getattr(_settings(name), "input_size", (3, 224, 224)))
    return size


def year_of(name: str) -> int | None:
    """The year of the network's paper, where it is known."""
    found = [family for family in YEARS if name.startswith(family)]
    return YEARS[max(found, key=len)] if found else None


def host_of(name: str) -> str:
    """The host that keeps the trained weights."""
    settings = _settings(name)
    if getattr(settings, "hf_hub_id", None):
        return HUB
    return urlsplit(getattr(settings, "url", None) or "").hostname or HUB


def _settings(name: str) -> Any:
    """What timm notes of a model beside its code; None of some that come without weights."""
    return load_timm().get_pretrained_cfg(name, allow_unregistered=True)


def _cached_file(name: str) -> str | None:
    """The weights, where the hub's cache has them: else it would ask whether they are new."""
    hub_id = getattr(_settings(name), "hf_hub_id", None)
    if not hub_id:
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in HUB_FILES:
        found = try_to_load_from_cache(hub_id, file)
        if isinstance(found, str):
            return found
    return None


def _created(name: str, arguments: Mapping[str, Any], *, pretrained: bool) -> nn.Module:
    timm = load_timm()
    check_arguments(timm.create_model, f"timm:{name}", (name,), {**arguments})
    try:
        module: nn.Module = timm.create_model(name, pretrained=pretrained, **arguments)
    except (TypeError, ValueError) as error:  # about arguments; others are of the download too
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ModelError(f"timm:{name} cannot be built: {said}") from error
    return module
