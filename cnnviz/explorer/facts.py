"""What the page is told of a run beside its manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.shapes.receptive import Field

Language = Literal["en", "ko"]
LANGUAGES: tuple[str, ...] = get_args(Language)
INPUT = "input"  # the key of the model's own input, where a convolution reads that

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Head:
    """What a run is about.

    ``picture`` is the input as the model saw it, uint8 (H, W, 3) or (H, W, 1); ``tensor`` what it
    was given, float32 (C, H, W); both are None of a run of which only the maps are known.
    ``command`` is the line that made the page, ``versions`` those of the packages that computed it.
    """

    title: str
    model: str
    picture: NDArray[np.uint8] | None
    tensor: NDArray[np.float32] | None
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Convolution:
    """A 2-D convolution with zero padding, and what it reads.

    ``weights`` are float32 (O, I / groups, kh, kw), ``bias`` is (O,) or None. ``padding`` is that
    above and to the left. ``reads`` is the key of the layer whose output it is given, or ``INPUT``;
    None where that is no layer shown, and then its sums are not shown either.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    reads: str | None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class LayerFacts:
    """What is known of a layer beside its entry in the manifest.

    ``fields`` are its receptive fields along the rows and columns of the input, as ``summarize``
    finds them; empty where they are not known. ``labels`` are names of its values, for the layer
    that puts the classes out. ``telling`` are the channels of the overview, by default those that
    vary most. In a run beside another one ``apart`` are the channels' largest differences from
    it, (C,), NaN where there is none.
    """

    fields: tuple[Field, ...] = ()
    convolution: Convolution | None = None
    parameters: int | None = None
    labels: tuple[str, ...] = ()
    telling: tuple[int, ...] | None = None
    apart: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class PageOptions:
    """How the page is made.

    ``exact_budget`` is how many bytes of the page may be exact numbers. ``lossless``: True keeps
    every layer's picture lossless, False makes all WebP, None those that are large. Maps are
    reduced to at most ``cell`` pixels a side by means of whole blocks; None keeps them. With
    ``html_dir`` every layer has a page of its own. A page beyond ``large`` bytes is warned of.

    Raises:
        UsageError: a number below its least, or no such language.
    """

    language: Language = "en"
    exact_budget: int = 4 * MEGABYTE
    lossless: bool | None = None
    cell: int | None = 112
    html_dir: bool = False
    large: int = 15 * MEGABYTE

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise UsageError(
                f"no language is called {self.language!r}; use {' or '.join(LANGUAGES)}"
            )
        if self.exact_budget < 0:
            raise UsageError(f"an exact budget of {self.exact_budget} bytes; use 0 or more")
        if self.cell is not None and self.cell < 1:
            raise UsageError(f"cells of {self.cell} pixels cannot be seen; use 1 or more")
