"""How an image is to be filtered."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnnviz import engines
from cnnviz.engines import Window
from cnnviz.errors import UsageError

CHANNELS = ("each", "gray", "mean")
PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class FilterOptions:
    """What ``filter_image`` does, as the options of ``cnnviz filter``.

    ``window`` is border, padding, stride and dilation; ``channels`` is each, gray or mean;
    ``precision`` float32 or float64; ``device`` is torch's, cpu, cuda or cuda:N.

    Raises:
        UsageError: a word that is none of these; a device that is not there.
    """

    window: Window = field(default_factory=Window)
    engines: tuple[str, ...] = engines.ENGINES
    channels: str = "each"
    flip: bool = False
    precision: str = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("channels", self.channels, CHANNELS),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise UsageError(f"{name} is {value!r}; it must be {' or '.join(known)}")
        engines.refuse_impossible(self.engines, self.device)
