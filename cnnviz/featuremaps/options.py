"""What is asked of ``featuremaps``. Light: the command line reads its choices here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from cnnviz.errors import UsageError
from cnnviz.render.look import Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnviz.explorer import PageOptions

Sort = Literal["index", "mean", "max", "sparsity"]
SORTS: tuple[str, ...] = get_args(Sort)
RAW_FORMATS = ("safetensors", "npz")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Limit:
    """A flag that fails a run, where more than ``share`` of a layer's channels have it."""

    flag: str
    share: float = 0.0

    @classmethod
    def read(cls, text: str) -> Limit:
        """From ``nonfinite`` or ``dead>10%``.

        Raises:
            UsageError: it is neither.
        """
        found = re.fullmatch(r"(dead|constant|saturated|nonfinite)(?:>(\d{1,3}(?:\.\d+)?)%)?", text)
        if found is None or float(found[2] or 0) > 100:
            raise UsageError(
                f"{text!r} is no limit; give a flag (dead, constant, saturated, nonfinite), and"
                " after it how many of a layer's channels may have it: dead>10%"
            )
        return cls(found[1], float(found[2] or 0) / 100)

    def is_passed(self, channels: list[dict[str, Any]]) -> bool:
        """Whether a layer's channels, as the manifest has them, are beyond the limit."""
        count = sum(self.flag in channel["flags"] for channel in channels)
        return bool(channels) and count > self.share * len(channels)

    def __str__(self) -> str:
        return f"{self.flag}>{self.share:.4g}" if self.share else self.flag


@dataclass(frozen=True)
class MapOptions:
    """How feature maps are chosen, drawn and kept.

    ``layers`` are patterns (see ``select``); without any, what a reader wants to see. ``channels``
    is how many of a layer's are drawn, None all, those first that ``sort`` puts first. ``top`` is
    how many classes are named; None is ten of few and five of many. ``raw`` keeps the values in a
    file too. ``overlay`` lays a channel of each layer over the input: ``overlay_channel``, or
    without it the most active. ``filters`` draws the kernels of the convolutions shown. ``cam``
    names the layer by which Grad-CAM explains ``cam_class``, a number or name, or the first class.
    ``fail_on`` are limits that fail the run. With ``page`` an HTML page that opens the network is
    written too.
    """

    layers: tuple[str, ...] = ()
    channels: int | None = None
    sort: Sort = "index"
    look: Look = field(default_factory=Look)
    top: int | None = None
    raw: str | None = None
    overlay: bool = False
    overlay_channel: int | None = None
    filters: bool = False
    cam: str | None = None
    cam_class: str | None = None
    maps: str | None = None
    fail_on: tuple[Limit, ...] = ()
    page: PageOptions | None = None

    def overlays(self, shape: Sequence[int]) -> bool:
        """Whether one of a layer's maps, (C, H, W), is laid over the input."""
        is_map = len(shape) == 3 and max(shape[1:]) > 1
        return self.overlay and is_map and (self.overlay_channel or 0) < shape[0]

    def failed(self, layers: list[dict[str, Any]]) -> list[str]:
        """Which limits are passed in which layers, as the manifest has them."""
        return [
            f"{limit} in {layer['name']}"
            for limit in self.fail_on
            for layer in layers
            if limit.is_passed(layer["channels"])
        ]
