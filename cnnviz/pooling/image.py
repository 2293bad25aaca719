"""Pixels and a pool to a result, computed by both engines and compared."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import engines
from cnnviz.errors import UsageError
from cnnviz.filtering.image import joined, whole
from cnnviz.filtering.work import timed
from cnnviz.pooling.bands import plan_bands
from cnnviz.pooling.options import PoolOptions
from cnnviz.pooling.work import Work
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.engines import Pool
    from cnnviz.filtering.bands import Crew
    from cnnviz.filtering.image import Part
    from cnnviz.filtering.operation import Take
    from cnnviz.filtering.outcome import Filtered, Outcome
    from cnnviz.pooling.bands import PoolBand

    Pixels = NDArray[Any]


def pool_image(pixels: Pixels, how: Pool, options: PoolOptions | None = None) -> Filtered:
    """``how`` taken of each channel of (H, W) or (H, W, C) pixels of any depth.

    The result is OpenCV's when both engines ran, and is not clipped, scaled or rounded to the
    image's depth.

    Raises:
        DisagreementError: the engines differ by more than rounding explains; names the pixel.
        ShapeError: the window does not fit, or the padding is more than half of the kernel.
        CnnvizError: sums too large for the precision.
    """
    options = options or PoolOptions()
    planes = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    size, precision = result_size(planes, how), options.precision_for(planes, how)
    return whole(size, precision, partial(pool_and_compare, planes, how, options))


def result_size(pixels: Pixels, how: Pool) -> tuple[int, int, int]:
    """(H, W, C) of the result.

    Raises:
        ShapeError: no window fits, or the padding is more than half of the kernel.
        UsageError: not the pixels of an image.
    """
    if pixels.ndim != 3 or not pixels.shape[2] or pixels.dtype.kind not in "uif":
        raise UsageError(
            f"pixels are {pixels.dtype} of shape {pixels.shape};"
            " they must be real numbers of shape (H, W) or (H, W, C)"
        )
    return *how.output_size(pixels.shape), pixels.shape[2]


def pool_and_compare(
    pixels: Pixels, how: Pool, options: PoolOptions, take: Take, crew: Crew
) -> Outcome:
    """As ``pool_image``, but rows and the results for them, one of each engine, go to ``take``.

    ``take`` is called from several threads, once for each band, in no order. A disagreement is
    in the outcome instead of raised.
    """
    size, precision = result_size(pixels, how), options.precision_for(pixels, how)
    names, seconds = options.engines_for(how), dict[str, float]()
    with timed(seconds, "import"):
        if names == ("torch",):
            import_module("torch")  # alone it is torch itself, without the short cut
        loaded = [engines.load(name, options.device) for name in names]
    work = Work.prepare(pixels, how, names, loaded, precision)
    shape = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
    # An engine that somebody has put in the place of ours may not expect to be called in parts.
    in_one = how.kernel_size is None or not all(map(engines.is_own, loaded))
    bands = plan_bands(shape, how, precision, in_one=in_one)

    def job(band: PoolBand) -> Part:
        seconds: dict[str, float] = {}
        results, verdict = work.band(pixels[band.source], band, seconds)
        take(slice(band.start, band.stop), results)
        return verdict, finite_range(results[0]), seconds

    rounded = ["values rounded to float32; --precision float64 keeps them"]
    notes = rounded if work.survey.rounded else []
    return joined(crew.run(job, bands, loaded), size, names, seconds, notes)
