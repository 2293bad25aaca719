"""What a model sees, a layer's values, and both together, as pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.featuremaps.channels import most_active
from cnnviz.render.bars import percent
from cnnviz.render.grid import draw_maps
from cnnviz.render.levels import short, to_levels
from cnnviz.render.overlay import draw_overlay
from cnnviz.render.photo import draw_picture
from cnnviz.render.sheet import Caption
from cnnviz.render.strips import draw_strips
from cnnviz.render.values import draw_values
from cnnviz.render.volumes import draw_volumes
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.featuremaps.cam import Evidence
    from cnnviz.models.loading import LoadedModel
    from cnnviz.models.preparing.prepared import Prepared
    from cnnviz.render.look import Look

PICTURE = (1, 3)  # channels
MAPS, SEQUENCE, VOLUME = 3, 2, 4  # axes


def draw_layer(
    values: NDArray[Any],
    caption: Caption,
    look: Look,
    channels: Sequence[int],
    *,
    names: Sequence[str] = (),
    kernels: NDArray[Any] | None = None,
) -> bytes:
    """A PNG of some ``channels`` of a layer's (C, …) values.

    Maps become tiles, sequences strips, volumes rows of slices; vectors and 1x1 maps, which have
    nothing to look at, numbered cells. ``names`` stand in place of a vector's numbers. ``kernels``
    (C, I, kh, kw) made the maps.
    """
    total = len(values)
    is_all = len(channels) == total and list(channels) == list(range(total))
    shown = values if is_all else values[list(channels)]
    which: dict[str, Any] = {} if is_all else {"channels": list(channels), "total": total}
    if values.ndim == 1 or values[0].size == 1:
        picked = tuple(names[n] for n in channels) if names else ()
        return draw_values(shown.reshape(-1), caption, picked, look, **which)
    if values.ndim == SEQUENCE:
        return draw_strips(shown, caption, look, **which)
    if values.ndim == VOLUME:
        return draw_volumes(shown, caption, look, **which)
    beside = None if kernels is None else kernels[list(channels)]
    return draw_maps(shown, caption, look, **which, kernels=beside)


def caption_of(entry: dict[str, Any], choice: str = "") -> Caption:
    """The words over a picture, from a layer's entry in the manifest."""
    shape = "x".join(map(str, entry["shape"]))
    name = entry["name"] if entry["call"] == 1 else f"{entry['name']}, call {entry['call']}"
    title = "  ·  ".join(filter(None, (entry["paper_name"], name, entry["type"], shape)))
    stats = entry["stats"]
    subtitle = (
        "no finite value"
        if stats["min"] is None
        else f"layer: {short(stats['min'])} to {short(stats['max'])},"
        f" mean {short(stats['mean'])}, std {short(stats['std'])}"
    )
    if entry["verified"]:
        subtitle += ";  verified by OpenCV"
    marks = {c["index"]: ", ".join(c["flags"]) for c in entry["channels"] if c["flags"]}
    return Caption(title, subtitle, marks, choice)


def is_picture(prepared: Prepared) -> bool:
    """Whether a model's input is something to look at: a picture, or a clip of it."""
    _, channels, *size = prepared.tensor.shape
    return channels in PICTURE and len(size) >= 2 and max(size[-2:]) > 1


def seen_by(model: LoadedModel, prepared: Prepared) -> NDArray[Any]:
    """What a model saw, as uint8 (H, W, 3) or (H, W, 1); numbers as a square of grays."""
    if is_picture(prepared):
        return model.seen(prepared)
    numbers = prepared.tensor[0].detach().cpu().float().reshape(-1).numpy()
    columns = math.isqrt(len(numbers) - 1) + 1
    square = np.full((-(-len(numbers) // columns), columns, 1), 255, np.uint8)
    low, high = finite_range(numbers) or (0.0, 0.0)
    square.reshape(-1)[: len(numbers)] = to_levels(numbers, low, high) if high > low else 0
    return square


def draw_input(prepared: Prepared, seen: NDArray[Any], look: Look) -> bytes:
    """A PNG of what goes into a model: a picture as it is seen, numbers as numbers."""
    size = "x".join(map(str, prepared.tensor.shape[1:]))
    steps = ", ".join(prepared.steps) or "the image as it is"
    if is_picture(prepared):
        return draw_seen(seen, f"What the model sees: {size}", steps)
    values = prepared.tensor[0].detach().cpu().float().numpy()
    caption = Caption(f"What the model is given: {size}", steps)
    return draw_layer(values, caption, look, range(len(values)))


def draw_seen(seen: NDArray[Any], title: str, subtitle: str) -> bytes:
    """A PNG of what a model saw, (H, W, 3) or (H, W, 1)."""
    return draw_picture(_in_color(seen), Caption(title, subtitle))


def draw_channel_over(
    seen: NDArray[Any], values: NDArray[Any], entry: dict[str, Any], channel: int | None
) -> bytes:
    """A PNG of a channel of a layer's (C, H, W) maps over what was seen; None: the most active."""
    plain = caption_of(entry).title
    subtitle = f"channel {channel} of {len(values)}"
    if channel is None:
        (channel,) = most_active(values, 1)
        subtitle = (
            f"channel {channel}, the most active: the largest mean magnitude of {len(values)}"
        )
    return draw_overlay(values[channel], _in_color(seen), Caption(plain, subtitle))


def draw_cam(seen: NDArray[Any], evidence: Evidence, label: str, share: float | None) -> bytes:
    """A PNG of what in the image speaks for a class."""
    values = evidence.values
    high = finite_range(values)
    known = "" if share is None else f", {percent(share)}"
    said = f"Grad-CAM at layer {evidence.layer}: where its maps raise the score"
    if not high or high[1] <= 0:
        said = f"Grad-CAM at layer {evidence.layer}: nothing there raises the score"
    caption = Caption(f"What speaks for {label}{known}", said)
    limits = (0.0, high[1]) if high and high[1] > 0 else None
    return draw_overlay(values, _in_color(seen), caption, cmap="turbo", limits=limits)


def _in_color(seen: NDArray[Any]) -> NDArray[Any]:
    return seen if seen.shape[2] == 3 else seen.repeat(3, axis=2)
