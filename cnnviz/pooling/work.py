"""What is done with each band of an image: both engines, the comparison, the bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cnnviz import agreement
from cnnviz.filtering.work import Survey, as_computed, named_fault, timed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnviz.agreement import Verdict
    from cnnviz.engines import Engine, Image, Pool
    from cnnviz.filtering.image import Pixels
    from cnnviz.pooling.bands import PoolBand

# Roundings beside those of the sum: torch divides by the count, multiplies by the size, and
# takes the root; OpenCV rounds a sum in float64 to float32.
ROUNDINGS_OF_LP = 6


@dataclass(frozen=True)
class Work:
    """What all bands of an image have in common.

    ``total`` says what is summed, and is None for max and min, which choose and round nothing;
    ``exact`` that neither do the sums.
    """

    how: Pool
    names: tuple[str, ...]
    engines: list[Engine]
    precision: str
    survey: Survey
    total: agreement.Sum | None
    exact: bool

    @classmethod
    def prepare(
        cls,
        pixels: Pixels,
        how: Pool,
        names: tuple[str, ...],
        engines: list[Engine],
        precision: str,
    ) -> Work:
        """What applies to all bands of these pixels.

        Raises:
            CnnvizError: sums too large for the precision.
        """
        survey = Survey.of(pixels, precision)
        if how.mode in {"max", "min"}:
            return cls(how, names, engines, precision, survey, None, exact=True)
        dtype, taps = np.dtype(precision), how.taps(pixels.shape)
        power = how.p if how.mode == "lp" else 1
        running = sum(engine.running_error(how, pixels.shape, survey.peak) for engine in engines)
        magnitude = taps * survey.peak**power
        if survey.integers and magnitude < agreement.largest_integer(np.dtype(np.float64)):
            running = 0.0  # running sums of whole numbers, in float64
        total = agreement.Sum(taps, 1.0, 0.0, survey.integers, running)
        agreement.refuse_overflow(magnitude, total, dtype)
        exact = how.mode == "avg" and agreement.is_exact(magnitude, total, dtype)
        return cls(how, names, engines, precision, survey, total, exact)

    def band(
        self, pixels: Pixels, band: PoolBand, seconds: dict[str, float]
    ) -> tuple[list[Image], Verdict | None]:
        """Each engine's result for one band, and the verdict on them; adds to ``seconds``."""
        image = as_computed(pixels, self.precision)
        results = []
        for name, engine in zip(self.names, self.engines, strict=True):
            with timed(seconds, name), named_fault(name):
                results.append(engine.pool(image, self.how)[band.kept])
        if len(results) < 2:
            return results, None
        with timed(seconds, "compare"), named_fault("the comparison"):
            ignore = self._windows_with_nonfinite(image, band) if self.survey.nonfinite else None
            allowed = self._tolerances(image, results[0], band)
            verdict = agreement.compare(results[0], results[1], allowed, ignore)
        return results, verdict.moved(band.start)

    def _tolerances(
        self, image: Image, result: Image, band: PoolBand
    ) -> NDArray[np.float64] | None:
        """The bound of each value; None where the engines must be identical."""
        if self.exact or self.total is None:
            return None
        if self.how.mode == "lp" and self.how.p == 2:
            return self._tolerances_of_roots(result, self.total)
        sizes = np.abs(np.nan_to_num(image, nan=0, posinf=0, neginf=0))
        magnitudes = self.engines[0].pool(sizes, self.how)[band.kept]
        largest = self.survey.peak * (self.total.terms if self.how.mode == "lp" else 1)
        magnitudes = np.fmin(magnitudes, image.dtype.type(largest))  # NaN gives way too
        total = replace(self.total, terms=self.total.terms + ROUNDINGS_OF_LP)
        return agreement.tolerances(magnitudes, total, image.dtype)

    def _tolerances_of_roots(self, roots: Image, total: agreement.Sum) -> NDArray[np.float64]:
        """The bound of sqrt(sum(x**2)).

        The sum is off by at most gamma of itself, and so is its root, by less: sqrt(1 + e) is
        nearer to 1 than 1 + e. A running sum may be off by ``transforms``, d, besides; its root is
        then off by at most sqrt(d), and by d / root.
        """
        limits, terms = np.finfo(roots.dtype), total.terms + ROUNDINGS_OF_LP
        roundings = terms * float(limits.eps) / 2
        gamma = roundings / (1 - roundings)
        largest = self.survey.peak * total.terms**0.5
        sizes = np.fmin(np.abs(roots.astype(np.float64)) * (1 + 2 * gamma), largest)
        underflow = (total.terms * float(limits.smallest_normal)) ** 0.5
        running = total.transforms**0.5
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(sizes > running, total.transforms / sizes, running)
        return np.asarray(2 * (gamma * sizes + underflow) + share)

    def _windows_with_nonfinite(self, image: Image, band: PoolBand) -> NDArray[np.bool_] | None:
        """Where the window reads a NaN or Inf, in the result's shape; None where none does."""
        damaged = ~np.isfinite(image)
        if not damaged.any():
            return None
        return touched(damaged, self.how)[band.kept]


def touched(damaged: NDArray[np.bool_], how: Pool) -> NDArray[np.bool_]:
    """Where a window reads a pixel that is ``damaged``, for every position of the window."""
    seen = damaged
    for axis, window in enumerate(how.axes(damaged.shape)):
        count = window.output_size(damaged.shape[axis])
        reach = (count - 1) * window.stride + window.span
        pads = [(0, 0)] * 3
        pads[axis] = window.padding, max(reach - window.padding - damaged.shape[axis], 0)
        padded = np.pad(seen, pads).swapaxes(0, axis)
        taps = range(0, window.span, window.dilation)
        last = (count - 1) * window.stride + 1
        parts = [padded[tap : tap + last : window.stride] for tap in taps]
        seen = np.logical_or.reduce(parts).swapaxes(0, axis)
    return seen
