"""A layer's values as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.render.grid import draw_maps
from cnnviz.render.levels import short
from cnnviz.render.photo import draw_picture
from cnnviz.render.sheet import Caption
from cnnviz.render.strips import draw_strips
from cnnviz.render.values import draw_values
from cnnviz.render.volumes import draw_volumes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnviz.render.look import Look

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


def draw_seen(seen: NDArray[Any], title: str, subtitle: str) -> bytes:
    """A PNG of what a model saw, (H, W, 3) or (H, W, 1)."""
    picture = seen if seen.shape[2] == 3 else seen.repeat(3, axis=2)
    return draw_picture(picture, Caption(title, subtitle))
