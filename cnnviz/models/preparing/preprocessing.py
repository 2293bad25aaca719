"""An image as a model's input, by a stated recipe, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image as Pillow
from torch.nn import functional as F

from cnnviz.errors import UsageError
from cnnviz.images import luminance
from cnnviz.models.preparing.floats import finite, stretched
from cnnviz.models.preparing.prepared import Prepared
from cnnviz.models.preparing.recipes import TO_UNIT, resized

if TYPE_CHECKING:
    from torch import Tensor

    from cnnviz.images import Picture
    from cnnviz.images.picture import Pixels
    from cnnviz.models.preparing.recipes import Preprocessing, Size

WHITE = 255
TORCH_MODES = {"nearest", "bilinear", "bicubic"}


def prepare(picture: Picture, how: Preprocessing) -> Prepared:
    """The float32 input (1, C, H, W) for an image, or (1, C, T, H, W) for a clip, and the steps.

    An 8-bit image is resized in whole levels by Pillow, as the presets of torchvision and timm do,
    and equals theirs bit for bit; a deeper one keeps its depth.

    Raises:
        UsageError: an image cannot have that many channels, or would be too large.
    """
    steps = list(picture.notes)
    levels = _opaque(_levels(picture.pixels, steps), picture.alpha, steps)
    levels = _channels(levels, how, steps)
    levels = _resized(levels, how, steps).astype(np.float32)  # a copy: pixels may be read-only
    image = torch.from_numpy(levels).movedim(2, 0).contiguous()
    image = _middle(image, how, steps)
    blank = bool((image.amax((1, 2)) == image.amin((1, 2))).all())
    if blank:
        steps.append("all of one colour: nothing to recognise")
    if how.fit != "pad":
        image = _framed(image, how, "black", steps)
    image = _normalised(image, how, steps)
    if how.fit == "pad":  # now 0 is the mean colour
        image = _framed(image, how, "the mean colour" if how.mean else "black", steps)
    image = _whole_multiples(image, how.multiple, steps)
    if how.frames is not None:
        steps.append(f"shown as {how.frames} equal frames")
        image = image.unsqueeze(1).repeat(1, how.frames, 1, 1)
    return Prepared(image.unsqueeze(0), steps, blank)


def as_seen(tensor: Tensor, how: Preprocessing | None) -> Pixels:
    """What the model saw of (1, C, H, W), as uint8 (H, W, 3) in RGB, or (H, W, 1) for other C.

    Of other counts than 1 and 3 the first channel is shown, of a clip the first frame. Without a
    recipe (a tensor that was given as it is) the smallest value is black and the largest white.
    """
    image = tensor.detach()[0].cpu().double()
    while image.ndim > 3:
        image = image[:, 0]
    if how is None:
        image = _stretched(image)
    else:
        std, mean = _per_channel(how.std, image), _per_channel(how.mean, image)
        image = image if std is None else image * std
        image = image if mean is None else image + mean
        image = image / how.scale
        image = image.flip(0) if how.order == "BGR" else image
    image = image if len(image) == 3 else image[:1]
    levels = torch.nan_to_num(image).round().clamp(0, WHITE)
    pixels: Pixels = levels.to(torch.uint8).movedim(0, 2).contiguous().numpy()
    return pixels


def _stretched(image: Tensor) -> Tensor:
    finite = image[image.isfinite()]
    low, high = (finite.min(), finite.max()) if finite.numel() else (0.0, 0.0)
    return (image - low) / (high - low) * WHITE if high > low else torch.zeros_like(image)


def _levels(pixels: Pixels, steps: list[str]) -> Pixels:
    """8-bit pixels as they are; others as float32 from 0 to 255 with all their decimals."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "f":
        unit = _unit_range(finite(pixels.astype(np.float64), steps), steps)
        return (unit * WHITE).astype(np.float32)
    return (pixels * (WHITE / np.iinfo(pixels.dtype).max)).astype(np.float32)


def _unit_range(pixels: Pixels, steps: list[str]) -> Pixels:
    """Floats within 0 to 1 as they are, others from their smallest to their largest value."""
    if pixels.min() >= 0 and pixels.max() <= 1:
        steps.append("float values taken as 0 (black) to 1 (white)")
        return pixels
    return stretched(pixels, steps)


def _opaque(levels: Pixels, alpha: Pixels | None, steps: list[str]) -> Pixels:
    """Transparent parts on white; on black where white would leave nothing to see."""
    if alpha is None:
        return levels
    full = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    share = np.clip(np.nan_to_num(alpha.astype(np.float32)) / full, 0, 1)[:, :, np.newaxis]
    if share.min() == 1:
        return levels
    made: Pixels = (levels - np.float32(WHITE)) * share + np.float32(WHITE)
    ground = "white"
    if not np.ptp(made):
        ground, made = "black", levels * share
    steps.append(f"transparent parts put on {ground}")
    return np.rint(made).astype(np.uint8) if levels.dtype == np.uint8 else made.astype(np.float32)


def _channels(levels: Pixels, how: Preprocessing, steps: list[str]) -> Pixels:
    """(H, W, C) with the model's count of channels, in its order."""
    if how.channels not in {1, 3}:
        raise UsageError(
            f"the model's input has {how.channels} channels and an image 1 or 3; give a tensor, "
            "as .npy or .safetensors"
        )
    if levels.shape[2] == 3 and (how.gray or how.channels == 1):
        steps.append("made gray")
        levels = luminance(levels)
    if levels.shape[2] == 1 and how.channels == 3:
        steps.append("gray repeated in 3 channels")
        levels = levels.repeat(3, axis=2)
    if how.order == "BGR" and how.channels == 3:
        steps.append("channels in the order BGR")
        levels = levels[:, :, ::-1]
    return np.ascontiguousarray(levels)


def _resized(levels: Pixels, how: Preprocessing, steps: list[str]) -> Pixels:
    old: Size = (levels.shape[0], levels.shape[1])
    new = resized(how, old)
    if new == old:
        return levels
    larger = new[0] > old[0] or new[1] > old[1]
    verb = "stretched" if how.fit == "stretch" else "enlarged" if larger else "resized"
    steps.append(f"{_spoken(old)} {verb} to {_spoken(new)} ({how.interpolation})")
    if not how.antialias and how.interpolation in TORCH_MODES:
        return _by_torch(levels, new, how.interpolation)
    return _by_pillow(levels, new, how.interpolation)


def _by_pillow(levels: Pixels, size: Size, interpolation: str) -> Pixels:
    """8 bits in whole levels, floats as Pillow's mode F: the same filters, without rounding."""
    method = Pillow.Resampling[interpolation.upper()]
    whole = levels.dtype == np.uint8 and levels.shape[2] == 3
    planes = [levels] if whole else [levels[:, :, c] for c in range(levels.shape[2])]
    images = [Pillow.fromarray(np.ascontiguousarray(plane)) for plane in planes]
    made = [np.array(image.resize(size[::-1], method)) for image in images]
    pixels: Pixels = made[0] if whole else np.stack(made, axis=2)
    # Bicubic overshoots at edges: in whole levels Pillow cuts that off, in floats we do.
    return pixels if pixels.dtype == np.uint8 else pixels.clip(0, WHITE)


def _by_torch(levels: Pixels, size: Size, interpolation: str) -> Pixels:
    """Without averaging all that falls into one pixel, as some models were trained."""
    planes = torch.from_numpy(levels.astype(np.float32)).movedim(2, 0)[None]
    corners = None if interpolation == "nearest" else False
    made = F.interpolate(planes, size, mode=interpolation, align_corners=corners)[0]
    pixels: Pixels = made.clamp(0, WHITE).movedim(0, 2).numpy()
    return pixels


def _middle(image: Tensor, how: Preprocessing, steps: list[str]) -> Tensor:
    """At most ``size`` of (C, H, W); smaller stays smaller. The offsets are torchvision's."""
    height, width = image.shape[1:]
    high, wide = how.size or (height, width)
    if height <= high and width <= wide:
        return image
    cut = min(height, high), min(width, wide)
    steps.append(f"{_spoken(cut)} cut from the middle")
    top, left = round((height - cut[0]) / 2), round((width - cut[1]) / 2)
    return image[:, top : top + cut[0], left : left + cut[1]]


def _normalised(image: Tensor, how: Preprocessing, steps: list[str]) -> Tensor:
    """Levels times scale, minus mean, divided by std."""
    if how.scale == TO_UNIT:
        steps.append("scaled to 0..1")
    else:
        steps.append(f"levels 0..255 times {how.scale:g}")
    image = image / (1 / how.scale)  # dividing by 255 rounds as torchvision does
    mean, std = (_per_channel(values, image) for values in (how.mean, how.std))
    if mean is not None:
        steps.append(f"mean {' '.join(f'{value:g}' for value in how.mean)} taken out")
        image = image - mean
    if std is not None:
        steps.append(f"divided by std {' '.join(f'{value:g}' for value in how.std)}")
        image = image / std
    return image


def _per_channel(values: tuple[float, ...], image: Tensor) -> Tensor | None:
    return torch.tensor(values, dtype=image.dtype).reshape(-1, 1, 1) if values else None


def _framed(image: Tensor, how: Preprocessing, colour: str, steps: list[str]) -> Tensor:
    """At least ``size``, with zeros around: the offsets are timm's."""
    height, width = image.shape[1:]
    high, wide = how.size or (height, width)
    down, across = max(0, high - height), max(0, wide - width)
    if not down and not across:
        return image
    to = _spoken((height + down, width + across))
    steps.append(f"{_spoken((height, width))} padded to {to} with {colour}")
    return F.pad(image, (across // 2, across - across // 2, down // 2, down - down // 2))


def _whole_multiples(image: Tensor, multiple: int, steps: list[str]) -> Tensor:
    down, across = (-side % multiple for side in image.shape[1:])
    if not down and not across:
        return image
    to = _spoken((image.shape[1] + down, image.shape[2] + across))
    steps.append(f"padded with zeros to {to}, multiples of {multiple}")
    return F.pad(image, (0, across, 0, down))


def _spoken(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
