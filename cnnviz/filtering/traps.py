"""What a border, or sums in 8 bits, change of a result: where two programs come to differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.engines import BORDERS
from cnnviz.errors import UsageError
from cnnviz.filtering.image import filter_image
from cnnviz.filtering.options import FilterOptions
from cnnviz.language import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.engines import Image
    from cnnviz.kernels import Kernel, Magnitude

    Pixels = NDArray[Any]


FLOAT, FLOAT_IN_ZEROS = "float", "float, zeros around (Conv2d's padding)"
CUT, WRAPPED = "{bits}-bit, cut off at 0 and {most}", "{bits}-bit, wrapped around"
CHANNELS_CUT = "channels cut off at 0 and {most}, then added"
CHANNELS_WRAPPED = "channels cut off at 0 and {most}, added in {bits} bits, which wrap"


@dataclass(frozen=True)
class Route:
    """A result (H, W, C) that was come to in some way, beside the one that it is compared with.

    ``told`` is its name, with room for ``levels``: the bits of a pixel and the largest value.
    ``differs`` says of which pixels any channel is another; the first route of several is the
    reference, and differs nowhere.
    """

    told: str
    levels: tuple[int, int]
    result: Image
    differs: NDArray[np.bool_]
    largest: float

    @property
    def name(self) -> str:
        """What it is called, in the language that is spoken."""
        bits, most = self.levels
        return say(self.told, bits=bits, most=most)

    @classmethod
    def of(
        cls, told: str, result: Image, reference: Image, levels: tuple[int, int] = (0, 0)
    ) -> Route:
        """A route and how it differs from the ``reference``."""
        difference = np.abs(result.astype(np.float64) - reference.astype(np.float64))
        both_nan = np.isnan(result) & np.isnan(reference)
        difference[both_nan | (result == reference)] = 0
        differs = np.asarray(((difference > 0) | np.isnan(difference)).any(axis=2))
        return cls(
            told, levels, result, differs, float(np.nan_to_num(difference, nan=np.inf).max())
        )

    @property
    def count(self) -> int:
        """How many pixels differ."""
        return int(self.differs.sum())

    @property
    def reach(self) -> int:
        """How far from the nearest edge the innermost pixel lies that differs; 0 for none."""
        rows, columns = np.nonzero(self.differs)
        height, width = self.differs.shape
        inside = np.minimum.reduce([rows, columns, height - 1 - rows, width - 1 - columns])
        return int(inside.max()) + 1 if inside.size else 0


def borders(pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions) -> list[Route]:
    """The result with each border, that of the options first; verified as all results are."""
    first = options.window.border
    names = [first, *(name for name in BORDERS if name != first)]
    results = [_filtered(pixels, kernel, options, border=name) for name in names]
    return [Route.of(n, result, results[0]) for n, result in zip(names, results, strict=True)]


def depths(pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions) -> list[Route]:
    """The result in floating point, and what is left of it in the image's own depth.

    Of the mean over channels: each channel cut off first, as ``cv2.filter2D`` does with
    ``ddepth=-1``, and then added in floating point, or in that depth, which wraps around. Where
    the border is not one of zeros, the result with that, which Conv2d's own padding is, is last.

    Raises:
        UsageError: a float image, which has no such depth.
    """
    if pixels.dtype.kind != "u":
        raise UsageError(
            f"the image is {pixels.dtype}: nothing is cut off or wraps around; take one of"
            " 8 or 16 bits"
        )
    bits = 8 * pixels.dtype.itemsize
    true = _filtered(pixels, kernel, options)
    found = [(FLOAT, true), *_in_integers(pixels, kernel, options, true, bits)]
    if options.window.border != "zeros" and options.window.padding != "valid":
        found.append((FLOAT_IN_ZEROS, _filtered(pixels, kernel, options, border="zeros")))
    return [Route.of(told, result, true, (bits, (1 << bits) - 1)) for told, result in found]


def _in_integers(
    pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions, true: Image, bits: int
) -> list[tuple[str, Image]]:
    levels = 1 << bits
    if options.channels != "mean" or pixels.shape[2] == 1:
        return [
            (CUT, np.clip(np.rint(true), 0, levels - 1)),
            (WRAPPED, np.mod(np.rint(true), levels)),
        ]
    channels = _filtered(pixels, kernel, replace(options, channels="each"))
    kept = np.clip(np.rint(channels), 0, levels - 1)
    total = kept.sum(axis=2, keepdims=True)
    count = pixels.shape[2]
    return [
        (CHANNELS_CUT, total / count),
        (CHANNELS_WRAPPED, np.mod(total, levels) / count),
    ]


def _filtered(
    pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions, border: str = ""
) -> Image:
    window = replace(options.window, border=border or options.window.border)
    return filter_image(pixels, kernel, replace(options, window=window)).result
