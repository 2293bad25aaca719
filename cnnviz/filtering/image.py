"""Pixels and a kernel to a signed result, computed by both engines and compared."""

from __future__ import annotations

from functools import partial, reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import agreement, engines
from cnnviz.errors import ShapeError, UsageError
from cnnviz.filtering.bands import Crew, plan_bands
from cnnviz.filtering.options import FilterOptions
from cnnviz.filtering.outcome import Filtered, Outcome
from cnnviz.filtering.work import Survey, Work, timed
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.engines import Image
    from cnnviz.filtering.bands import Band
    from cnnviz.filtering.operation import Take
    from cnnviz.kernels import Kernel, Magnitude

    Pixels = NDArray[Any]
    Part = tuple[Verdict | None, tuple[float, float] | None, dict[str, float]]

MAX_PADDED = 1_000_000_000


def filter_image(
    pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions | None = None
) -> Filtered:
    """``kernel`` correlated with each channel of (H, W) or (H, W, C) pixels of any depth.

    The result is OpenCV's when both engines ran, and is not clipped, scaled or rounded to
    the image's depth.

    Raises:
        DisagreementError: the engines differ by more than rounding explains; names the pixel.
        ShapeError: the kernel does not fit into the padded image.
        CnnvizError: sums too large for the precision.
    """
    options = options or FilterOptions()
    size = result_size(pixels, kernel, options)
    return whole(size, options.precision, partial(correlate_and_compare, pixels, kernel, options))


def whole(
    size: tuple[int, int, int], precision: str, compare: Callable[[Take, Crew], Outcome]
) -> Filtered:
    """The result of ``size`` that ``compare`` hands over in bands, with its outcome.

    Raises:
        DisagreementError: the engines differ.
    """
    result = np.empty(size, precision)

    def take(rows: slice, results: Sequence[Image]) -> None:
        result[rows] = results[0]

    with Crew() as crew:
        outcome = compare(take, crew)
    if error := outcome.disagreement:
        raise error
    return Filtered(**vars(outcome), result=result)


def result_size(
    pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions
) -> tuple[int, int, int]:
    """(H, W, C) of the result.

    Raises:
        ShapeError: the kernel does not fit into the padded image.
        UsageError: not the pixels of an image.
    """
    planes = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    if planes.ndim != 3 or planes.shape[2] not in {1, 3} or planes.dtype.kind not in "uif":
        raise UsageError(
            f"pixels are {pixels.dtype} of shape {pixels.shape};"
            " they must be real numbers of shape (H, W), (H, W, 1) or (H, W, 3)"
        )
    rows, columns = options.window.axes(kernel.shape)
    channels = planes.shape[2] if options.channels == "each" else 1
    height, width = rows.along("height", pixels.shape[0]), columns.along("width", pixels.shape[1])
    read = [n + sum(axis.padding) for n, axis in zip(pixels.shape, (rows, columns), strict=False)]
    if read[0] * read[1] > MAX_PADDED:
        raise ShapeError(
            f"the padded image would be {read[0]}x{read[1]}; the limit is {MAX_PADDED:,} pixels"
        )
    return height, width, channels


def correlate_and_compare(
    pixels: Pixels, kernel: Kernel | Magnitude, options: FilterOptions, take: Take, crew: Crew
) -> Outcome:
    """As ``filter_image``, but rows and the results for them, one of each engine, go to ``take``.

    ``take`` is called from several threads, once for each band, in no order. A disagreement is
    in the outcome instead of raised. Of a magnitude every part is compared by itself: a length
    would hide a wrong sign.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    size = result_size(pixels, kernel, options)
    seconds: dict[str, float] = {}
    with timed(seconds, "import"):
        if options.engines == ("torch",):
            import_module("torch")  # alone it is torch itself, without the short cut
        loaded = [engines.load(name, options.device) for name in options.engines]
    turned = kernel.flipped if options.flip else kernel
    survey = Survey.of(pixels, options.precision, gray=options.channels == "gray")
    works = [Work.prepare(pixels, part, options, loaded, survey) for part in turned.parts]
    shape = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
    # An engine that somebody has put in the place of ours may not expect to be called in parts.
    in_one = not all(map(engines.is_own, loaded))
    bands = plan_bands(shape, kernel.shape, options.window, options.precision, in_one=in_one)

    def job(band: Band) -> Part:
        seconds: dict[str, float] = {}
        source = pixels[band.source]
        parts = [work.band(source, band, seconds) for work in works]
        results = [_length(of_engine) for of_engine in zip(*(r for r, _ in parts), strict=True)]
        take(slice(band.start, band.stop), results)
        verdicts = [verdict for _, verdict in parts if verdict]
        verdict = reduce(agreement.both, verdicts) if verdicts else None
        return verdict, finite_range(results[0]), seconds

    return joined(crew.run(job, bands, loaded), size, options.engines, seconds, works[0].notes)


def joined(
    parts: Sequence[Part],
    size: tuple[int, int, int],
    engines: tuple[str, ...],
    seconds: dict[str, float],
    notes: list[str],
) -> Outcome:
    """The outcome of an image whose bands had ``parts``: verdicts, ranges, and times."""
    verdicts, ranges, times = zip(*parts, strict=True)
    for name, time in (pair for more in times for pair in more.items()):
        seconds[name] = seconds.get(name, 0.0) + time
    known = [ends for ends in ranges if ends]
    given = [verdict for verdict in verdicts if verdict]
    return Outcome(
        size=size,
        range=(min(low for low, _ in known), max(high for _, high in known)) if known else None,
        verdict=reduce(agreement.joined, given) if given else None,
        engines=engines,
        seconds=seconds,
        notes=notes,
    )


def _length(parts: Sequence[Image]) -> Image:
    """The length of the vector that ``parts`` are the components of; one alone stays as it is.

    Squares cannot overflow. Right to the last bit in float32, to one unit in the last place in
    float64.
    """
    return reduce(np.hypot, parts)
