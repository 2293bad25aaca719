"""How torchvision and timm prepare an image for a model of theirs, as recipes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError, UsageError
from cnnviz.models.preparing.recipes import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnviz.models.preparing.recipes import Fit

# timm's own, where a configuration says nothing.
TIMM_CROP = 0.875
TIMM_FITS: dict[str, Fit] = {"center": "crop", "squash": "stretch", "border": "pad"}

# torchvision's documentation of RAFT resizes its frames to this; both sides must be multiples of 8.
FLOW_SIZE = 520, 960


def of_timm(cfg: Mapping[str, Any]) -> Preprocessing:
    """What timm's evaluation does, by a model's ``pretrained_cfg``.

    Raises:
        UsageError: it holds statistics for another number of channels, or a way unknown to us.
    """
    channels, height, width = cfg.get("input_size") or (3, 224, 224)
    share = cfg.get("crop_pct") or TIMM_CROP
    high, wide = math.floor(height / share), math.floor(width / share)
    mode = cfg.get("crop_mode") or "center"
    if mode not in TIMM_FITS:
        raise UsageError(f"timm's crop_mode is {mode!r}; there is {', '.join(TIMM_FITS)}")
    by_shorter_side = mode == "center" and high == wide
    return Preprocessing(
        size=(height, width),
        resize=high if by_shorter_side else (high, wide),
        fit=TIMM_FITS[mode],
        interpolation=cfg.get("interpolation") or "bicubic",
        channels=channels,
        mean=tuple(cfg.get("mean") or (0.485, 0.456, 0.406)),
        std=tuple(cfg.get("std") or (0.229, 0.224, 0.225)),
    )


def of_torchvision(name: str) -> Preprocessing:
    """What the default weights of torchvision's model ``name`` were measured with.

    Of a detector, which resizes by itself, what its backbone sees. A video model is shown one
    image as a clip.

    Raises:
        ModelError: torchvision has no such model or cannot be imported.
    """
    from cnnviz.models.sources.torchvision import FRAMES, load_torchvision

    try:
        preset = load_torchvision().models.get_model_weights(name).DEFAULT.transforms()
    except (ValueError, AttributeError) as error:
        raise ModelError(f"torchvision has no weights for {name!r}") from error
    kind = type(preset).__name__
    if kind == "ObjectDetection":
        return _of_detector(name)
    if kind == "OpticalFlow":  # the one preset that keeps its numbers to itself
        return Preprocessing(FLOW_SIZE, fit="stretch", mean=(0.5,) * 3, std=(0.5,) * 3)
    size, resize = getattr(preset, "crop_size", None), preset.resize_size
    stretched = resize is not None and len(resize) == 2
    is_video = kind == "VideoClassification"
    return Preprocessing(
        size=(size[0], size[-1]) if size else None,
        resize=None if resize is None else tuple(resize) if stretched else resize[0],
        fit="stretch" if stretched else "crop",
        interpolation=preset.interpolation.value,
        antialias=not is_video,  # torchvision's is fixed to False there
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        frames=FRAMES if is_video else None,
    )


def _of_detector(name: str) -> Preprocessing:
    from cnnviz.models.building.unallocated import unallocated
    from cnnviz.models.sources import torchvision

    try:
        with unallocated():
            own: Any = torchvision.build(name).transform
    except ModelError:  # ssdlite's constructor runs its backbone, which needs values
        own = torchvision.build(name).transform
    fixed = own.fixed_size and (own.fixed_size[1], own.fixed_size[0])
    return Preprocessing(
        size=fixed or None,
        resize=None if fixed else own.min_size[-1],
        fit="stretch" if fixed else "crop",
        antialias=False,
        mean=tuple(own.image_mean),
        std=tuple(own.image_std),
        longest=None if fixed else own.max_size,
        multiple=own.size_divisible,
    )
