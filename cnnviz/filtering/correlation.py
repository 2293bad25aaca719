"""Kernels as what files are run through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnviz.display import resolve_display
from cnnviz.figures.filter import Comparison
from cnnviz.filtering.image import correlate_and_compare, result_size
from cnnviz.filtering.options import FilterOptions
from cnnviz.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnviz.filtering.bands import Crew
    from cnnviz.filtering.operation import Take
    from cnnviz.filtering.outcome import Outcome
    from cnnviz.kernels import Kernel, Magnitude


@dataclass(frozen=True)
class Correlation:
    """Correlating images with kernels; an ``Operation``."""

    options: FilterOptions = field(default_factory=FilterOptions)

    def engines(self, what: Kernel | Magnitude) -> tuple[str, ...]:
        """Those asked for."""
        return self.options.engines

    def precision(self, pixels: Any, what: Kernel | Magnitude) -> str:
        """The one asked for."""
        return self.options.precision

    def size(self, pixels: Any, what: Kernel | Magnitude) -> tuple[int, int, int]:
        """(H, W, C) of the result."""
        return result_size(pixels, what, self.options)

    def display(self, asked: str, what: Kernel | Magnitude) -> str:
        """``asked``, with ``auto`` made definite."""
        return resolve_display(asked, what)

    def keeps_zero(self, what: Kernel | Magnitude) -> bool:
        """Whether the kernel sums to 0."""
        return what.zero_sum

    def run(self, pixels: Any, what: Kernel | Magnitude, take: Take, crew: Crew) -> Outcome:
        """See ``correlate_and_compare``."""
        return correlate_and_compare(pixels, what, self.options, take, crew)

    def settings(self, what: Kernel | Magnitude) -> dict[str, Any]:
        """The window, and whether the kernel was turned."""
        window = self.options.window
        return {
            "border": window.border,
            "padding": window.padding,
            "stride": window.stride,
            "dilation": window.dilation,
            "flip": self.options.flip,
        }

    def comparison(self, what: Kernel | Magnitude, shown: Mapping[str, Any]) -> Comparison:
        """The kernel, or those of a magnitude, beside what is ``shown``."""
        turned = what.flipped if self.options.flip else what
        several = what.name if len(turned.parts) > 1 else ""
        details = _described(self.options)
        return Comparison(kernels=turned.parts, magnitude=several, details=details, **shown)


def _described(options: FilterOptions) -> str:
    """What decides a result beside its kernel, in a line."""
    window = options.window
    given = {
        "border": window.border,
        "padding": window.padding if isinstance(window.padding, str) else _sizes(window.padding),
        "stride": _sizes(window.stride) if window.stride != (1, 1) else None,
        "dilation": _sizes(window.dilation) if window.dilation != (1, 1) else None,
        "channels": options.channels if options.channels != "each" else None,
        "kernel": say("turned by 180° (true convolution)") if options.flip else None,
    }
    said = [f"{say(name)} {value}" for name, value in given.items() if value]
    return ", ".join([*said, options.precision])


def _sizes(numbers: tuple[object, object]) -> str:
    """What holds along height and along width, as one types it."""
    height, width = map(str, numbers)
    return height if height == width else f"{height}x{width}"
