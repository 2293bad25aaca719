"""Pixels and a kernel to a signed result, computed by both engines and compared."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import agreement, engines, images
from cnnviz.engines import Window, borders
from cnnviz.errors import CnnvizError, DisagreementError, ShapeError, UsageError
from cnnviz.filtering.bands import Crew, plan_bands
from cnnviz.statistics import finite_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.engines import Engine, Image
    from cnnviz.filtering.bands import Band
    from cnnviz.kernels import Kernel, Magnitude

    Pixels = NDArray[Any]
    Take = Callable[[slice, Image], None]

ROWS_AT_A_TIME = 256
CHANNELS = ("each", "gray", "mean")
PRECISIONS = ("float32", "float64")
MAX_PADDED = 1_000_000_000


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
        if not self.engines:
            raise UsageError(f"no engine is named; there are {' and '.join(engines.ENGINES)}")
        if self.device != "cpu" and "torch" not in self.engines:
            raise UsageError(f"device is {self.device!r}, which is torch's; OpenCV uses the CPU")
        for name in self.engines if self.device != "cpu" else ():
            engines.load(name, self.device)


@dataclass(frozen=True)
class Outcome:
    """How a result came about: its (H, W, C) ``size``, and how it was verified.

    ``range`` is from its smallest finite value to its largest, None where there is none.
    ``verdict`` is None when one engine worked alone. ``seconds`` has a time per engine, one for
    importing them, and one for the comparison, each summed over all threads.
    """

    size: tuple[int, int, int]
    range: tuple[float, float] | None
    verdict: Verdict | None
    engines: tuple[str, ...]
    seconds: dict[str, float]
    notes: list[str]

    @property
    def disagreement(self) -> DisagreementError | None:
        """The error that names the worst pixel, when the engines disagree."""
        if self.verdict is None or self.verdict.agree:
            return None
        row, column, channel = self.verdict.worst
        first, second = (
            f"{name} {value:.9g}"
            for name, value in zip(self.engines, self.verdict.pair, strict=True)
        )
        return DisagreementError(
            f"the engines disagree at row {row}, column {column}, channel {channel}:"
            f" {first}, {second}; the difference {self.verdict.max_abs_diff:.6g} is above the"
            f" bound {self.verdict.bound.tolerance:.6g}"
        )


@dataclass(frozen=True)
class Filtered(Outcome):
    """An outcome with its signed ``result``, (H, W, C) in the precision asked for."""

    result: Image


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
    result = np.empty(result_size(pixels, kernel, options), options.precision)
    with Crew() as crew:
        outcome = correlate_and_compare(pixels, kernel, options, result.__setitem__, crew)
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
    """As ``filter_image``, but the result is handed to ``take`` as rows and their values.

    ``take`` is called from several threads, once for each band, in no order. A disagreement is
    in the outcome instead of raised. Of a magnitude every part is compared by itself: a length
    would hide a wrong sign.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    size = result_size(pixels, kernel, options)
    seconds: dict[str, float] = {}
    with _timed(seconds, "import"):
        if options.engines == ("torch",):
            import_module("torch")  # alone it is torch itself, without the short cut
        loaded = [engines.load(name, options.device) for name in options.engines]
    turned, survey = kernel.flipped if options.flip else kernel, _Survey.of(pixels, options)
    works = [_Work.prepare(pixels, part, options, loaded, survey) for part in turned.parts]
    shape = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
    # An engine that somebody has put in the place of ours may not expect to be called in parts.
    in_one = not all(map(engines.is_own, loaded))
    bands = plan_bands(shape, kernel.shape, options.window, options.precision, in_one=in_one)

    def job(band: Band) -> tuple[Verdict | None, tuple[float, float] | None, dict[str, float]]:
        seconds: dict[str, float] = {}
        source = pixels[band.source]
        results, verdicts = zip(*(work.band(source, band, seconds) for work in works), strict=True)
        result = results[0] if len(works) == 1 else _length(results)
        take(slice(band.start, band.stop), result)
        verdict = reduce(agreement.both, verdicts) if len(loaded) > 1 else None
        return verdict, finite_range(result), seconds

    verdicts, ranges, times = zip(*crew.run(job, bands, loaded), strict=True)
    for name, time in (pair for more in times for pair in more.items()):
        seconds[name] = seconds.get(name, 0.0) + time
    known = [ends for ends in ranges if ends]
    return Outcome(
        size=size,
        range=(min(low for low, _ in known), max(high for _, high in known)) if known else None,
        verdict=reduce(agreement.joined, verdicts) if len(loaded) > 1 else None,
        engines=options.engines,
        seconds=seconds,
        notes=works[0].notes,
    )


def _length(parts: Sequence[Image]) -> Image:
    """The length of the vector that ``parts`` are the components of; its squares cannot overflow.

    Right to the last bit in float32, to one unit in the last place in float64.
    """
    return reduce(np.hypot, parts)


@dataclass(frozen=True)
class _Work:
    """What all bands of an image have in common.

    The engines correlate with ``whole``; the division and the offset of ``total`` come after
    their sums, and ``magnitude`` is what no sum of |w| * |x| is above. Where the arithmetic is
    ``exact``, the weights of ``whole`` are integers.
    """

    options: FilterOptions
    engines: list[Engine]
    whole: Kernel
    total: agreement.Sum
    magnitude: float
    exact: bool
    nonfinite: bool
    notes: list[str]

    @classmethod
    def prepare(
        cls,
        pixels: Pixels,
        kernel: Kernel,
        options: FilterOptions,
        loaded: list[Engine],
        survey: _Survey,
    ) -> _Work:
        dtype = np.dtype(options.precision)
        channels = pixels.shape[2] if options.channels == "mean" else 1
        offset = float(kernel.offset) * survey.level
        kept = all(engine.KEEPS_INTEGERS for engine in loaded)

        def summed(whole: Kernel, divisor: int) -> tuple[Kernel, agreement.Sum, float]:
            weights = [abs(w) for row in whole.rounded for w in row]
            integers = kept and survey.integers and all(w == int(w) for w in weights)
            errors = [engine.transform_error(whole, survey.peak, dtype) for engine in loaded]
            total = agreement.Sum(
                terms=len(weights) * channels,
                divisor=float(divisor * channels),
                offset=offset,
                integers=integers,
                transforms=sum(errors) * channels,
            )
            return whole, total, float(sum(weights)) * channels * survey.peak

        whole, total, magnitude = summed(*kernel.split(agreement.largest_integer(dtype)))
        exact = agreement.is_exact(magnitude, total, dtype)
        if not exact:  # then integers are of no use: the weights as they are, each rounded once
            whole, total, magnitude = summed(replace(kernel, offset=Fraction(0)), 1)
        agreement.refuse_overflow(magnitude, total, dtype)
        rounded = ["values rounded to float32; --precision float64 keeps them"]
        notes = rounded if survey.rounded else []
        return cls(options, loaded, whole, total, magnitude, exact, survey.nonfinite, notes)

    def band(
        self, pixels: Pixels, band: Band, seconds: dict[str, float]
    ) -> tuple[Image, Verdict | None]:
        """The first engine's result for one band, and the verdict on it; adds to ``seconds``."""
        image = _as_computed(pixels, self.options)
        results = []
        for name, engine in zip(self.options.engines, self.engines, strict=True):
            with _timed(seconds, name), _named_fault(name):
                results.append(self._finished(engine.correlate(image, self.whole, band.window)))
        if len(results) < 2:
            return results[0], None
        with _timed(seconds, "compare"), _named_fault("the comparison"):
            ignore = self._windows_with_nonfinite(image, band.window) if self.nonfinite else None
            allowed = None if self.exact else self._tolerances(image, band.window)
            verdict = agreement.compare(results[0], results[1], allowed, ignore)
        return results[0], verdict.moved(band.start)

    def _finished(self, total: Image) -> Image:
        """One division and one addition after the sums; for ``mean`` first over channels."""
        if self.options.channels == "mean":
            total = total.sum(axis=2, keepdims=True)
        if self.total.divisor != 1:
            total = total / total.dtype.type(self.total.divisor)
        return total + total.dtype.type(self.total.offset) if self.total.offset else total

    def _tolerances(self, image: Image, window: Window) -> NDArray[np.float64]:
        """The bound of each value, from its own sum(|w| * |x|).

        An engine that may be wrong computes these sums; none can be above that of the image.
        """
        rows = tuple(tuple(abs(weight) for weight in row) for row in self.whole.weights)
        absolute = replace(self.whole, weights=rows, divisor=abs(self.whole.divisor))
        sizes = np.nan_to_num(np.abs(image), nan=0, posinf=0)
        magnitudes = self.engines[0].correlate(sizes, absolute, window)
        if self.options.channels == "mean":
            magnitudes = magnitudes.sum(axis=2, keepdims=True)
        magnitudes = np.fmin(magnitudes, image.dtype.type(self.magnitude))  # NaN gives way too
        return agreement.tolerances(magnitudes, self.total, image.dtype)

    def _windows_with_nonfinite(self, image: Image, window: Window) -> NDArray[np.bool_] | None:
        """Where the window reads a NaN or Inf, in the result's shape; None where none does."""
        damaged = ~np.isfinite(image)
        if not damaged.any():
            return None
        rows, columns = window.axes(self.whole.shape)
        touched: NDArray[np.bool_] = borders.touched(damaged, rows, columns, window.border)
        if self.options.channels == "mean":
            return np.asarray(touched.any(axis=2, keepdims=True))
        return touched


@dataclass(frozen=True)
class _Survey:
    """What the bound needs to know of all pixels in the precision of the arithmetic.

    ``peak`` is the largest finite |pixel|; ``integers`` says that all finite ones are whole
    numbers; ``rounded``, that the precision does not hold some of them. ``level`` is one of 255
    steps from black to white, in which kernels give their offset.
    """

    peak: float
    integers: bool
    nonfinite: bool
    rounded: bool
    level: float

    @classmethod
    def of(cls, pixels: Pixels, options: FilterOptions) -> _Survey:
        if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
            level = 257.0 if pixels.dtype.itemsize == 2 else 1.0
            return cls(float(pixels.max()), True, nonfinite=False, rounded=False, level=level)
        peak, integers, nonfinite, rounded = 0.0, True, False, False
        low, high = np.inf, -np.inf
        for top in range(0, pixels.shape[0], ROWS_AT_A_TIME):
            part = pixels[top : top + ROWS_AT_A_TIME]
            with np.errstate(over="ignore"):
                held = part.astype(options.precision)
            if (np.isinf(held) & np.isfinite(part)).any():
                raise CnnvizError(
                    f"the image has values beyond {options.precision};"
                    " scale it down or use --precision float64"
                )
            rounded = rounded or not np.array_equal(held, part, equal_nan=True)
            values = _as_computed(part, options)
            finite = values[np.isfinite(values)]
            nonfinite = nonfinite or finite.size < values.size
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
                peak = max(abs(low), abs(high))
                integers = integers and bool((finite == np.rint(finite)).all())
        level = (high - low) / 255 if pixels.dtype.kind == "f" and high > low else 1.0
        return cls(peak, integers, nonfinite, rounded, level)


def _as_computed(pixels: Pixels, options: FilterOptions) -> Image:
    """Pixels as both engines get them: the channels asked for, in the precision asked for."""
    if options.channels == "gray":
        pixels = images.luminance(pixels)
    return np.ascontiguousarray(pixels, options.precision)


@contextmanager
def _named_fault(name: str) -> Iterator[None]:
    """A library's exceptions as ours: it raises what it likes, above all when memory runs out."""
    try:
        yield
    except CnnvizError:
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise CnnvizError(f"{name} failed: {said}") from error


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + perf_counter() - start
