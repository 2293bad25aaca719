"""What is done with each band of an image: both engines, the comparison, the bound."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz import agreement, images
from cnnviz.engines import borders
from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.engines import Engine, Image, Window
    from cnnviz.filtering.bands import Band
    from cnnviz.filtering.options import FilterOptions
    from cnnviz.kernels import Kernel

    Pixels = NDArray[Any]

ROWS_AT_A_TIME = 256


@dataclass(frozen=True)
class Work:
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
        survey: Survey,
    ) -> Work:
        """What applies to all bands of these pixels.

        Raises:
            CnnvizError: sums too large for the precision.
        """
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
    ) -> tuple[list[Image], Verdict | None]:
        """Each engine's result for one band, and the verdict on them; adds to ``seconds``."""
        image = as_computed(pixels, self.options.precision, gray=self.options.channels == "gray")
        results = []
        for name, engine in zip(self.options.engines, self.engines, strict=True):
            with timed(seconds, name), named_fault(name):
                results.append(self._finished(engine.correlate(image, self.whole, band.window)))
        if len(results) < 2:
            return results, None
        with timed(seconds, "compare"), named_fault("the comparison"):
            ignore = self._windows_with_nonfinite(image, band.window) if self.nonfinite else None
            allowed = None if self.exact else self._tolerances(image, band.window)
            verdict = agreement.compare(results[0], results[1], allowed, ignore)
        return results, verdict.moved(band.start)

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
class Survey:
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
    def of(cls, pixels: Pixels, precision: str, *, gray: bool = False) -> Survey:
        """What there is to know of (H, W, C) pixels of any depth, or of their luminance.

        Raises:
            CnnvizError: values beyond the precision.
        """
        if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
            level = 257.0 if pixels.dtype.itemsize == 2 else 1.0
            return cls(float(pixels.max()), True, nonfinite=False, rounded=False, level=level)
        peak, integers, nonfinite, rounded = 0.0, True, False, False
        low, high = np.inf, -np.inf
        for top in range(0, pixels.shape[0], ROWS_AT_A_TIME):
            part = pixels[top : top + ROWS_AT_A_TIME]
            with np.errstate(over="ignore"):
                held = part.astype(precision)
            if (np.isinf(held) & np.isfinite(part)).any():
                raise CnnvizError(
                    f"the image has values beyond {precision};"
                    " scale it down or use --precision float64"
                )
            rounded = rounded or not np.array_equal(held, part, equal_nan=True)
            values = as_computed(part, precision, gray=gray)
            finite = values[np.isfinite(values)]
            nonfinite = nonfinite or finite.size < values.size
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
                peak = max(abs(low), abs(high))
                integers = integers and bool((finite == np.rint(finite)).all())
        level = (high - low) / 255 if pixels.dtype.kind == "f" and high > low else 1.0
        return cls(peak, integers, nonfinite, rounded, level)


def as_computed(pixels: Pixels, precision: str, *, gray: bool = False) -> Image:
    """Pixels, or their luminance, as both engines get them."""
    if gray:
        pixels = images.luminance(pixels)
    return np.ascontiguousarray(pixels, precision)


@contextmanager
def named_fault(name: str) -> Iterator[None]:
    """A library's exceptions as ours: it raises what it likes, above all when memory runs out."""
    try:
        yield
    except CnnvizError:
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise CnnvizError(f"{name} failed: {said}") from error


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Adds the time that its block takes to ``seconds[name]``."""
    start = perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + perf_counter() - start
