"""How far one run's values are from another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AT_ONCE = 1 << 20  # values that are float64 at a time


def errors_between(ours: NDArray[Any], theirs: NDArray[Any] | None) -> dict[str, Any]:
    """max_abs_diff, mean_abs_diff, relative, correlation, nonfinite of two (C, …) arrays.

    ``relative`` is the largest difference over the largest magnitude of both, and ``correlation``
    Pearson's, None where either is constant. Values that are not finite in both are left out, and
    ``nonfinite`` counts those that are not the same NaN or infinity in both. ``reason`` says why
    there are no figures.
    """
    reason = None
    if theirs is None:
        reason = "the other has no such layer"
    elif ours.shape != theirs.shape:
        shapes = ["x".join(map(str, one.shape)) for one in (ours, theirs)]
        reason = f"{shapes[0]} here and {shapes[1]} there"
    figures = ("max_abs_diff", "mean_abs_diff", "relative", "correlation", "nonfinite")
    if reason or theirs is None:
        return {**dict.fromkeys(figures), "reason": reason}
    pairs = _Pairs()
    for one, other in _parts(ours, theirs):
        pairs.add(one, other)
    return {**pairs.figures(), "reason": None}


class _Pairs:
    """Sums over pairs of finite values, by which means and correlation are had in one pass.

    Source: the update of a covariance by a further set of pairs, in Schubert and Gertz,
    "Numerically stable parallel computation of (co-)variance", 2018, which does not lose the
    digits that the difference of two large sums would.
    """

    def __init__(self) -> None:
        self.count = self.nonfinite = 0
        self.largest = self.magnitude = self.total = 0.0
        self.means, self.products = np.zeros(2), np.zeros((2, 2))

    def add(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
        """Take further pairs in."""
        finite = np.isfinite(one) & np.isfinite(other)
        if not finite.all():
            same = (one == other) | (np.isnan(one) & np.isnan(other))
            self.nonfinite += int((~finite & ~same).sum())
            one, other = one[finite], other[finite]
        if not one.size:
            return
        gaps = np.abs(one - other)
        self.largest = max(self.largest, float(gaps.max()))
        self.magnitude = max(self.magnitude, float(np.abs(one).max()), float(np.abs(other).max()))
        self.total += float(gaps.sum())
        both = np.stack([one, other])
        means = both.mean(axis=1)
        both -= means[:, np.newaxis]
        count = self.count + one.size
        step = means - self.means
        self.products += both @ both.T + np.outer(step, step) * (self.count * one.size / count)
        self.means += step * (one.size / count)
        self.count = count

    def figures(self) -> dict[str, Any]:
        """What the manifest says; with no finite pair, differences of 0."""
        spread = float(np.sqrt(self.products[0, 0]) * np.sqrt(self.products[1, 1]))
        return {
            "max_abs_diff": self.largest,
            "mean_abs_diff": self.total / self.count if self.count else 0.0,
            "relative": self.largest / self.magnitude if self.magnitude else 0.0,
            "correlation": float(self.products[0, 1] / spread) if spread else None,
            "nonfinite": self.nonfinite,
        }


def _parts(
    ours: NDArray[Any], theirs: NDArray[Any]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    flat, other = ours.reshape(-1), theirs.reshape(-1)
    for start in range(0, flat.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        yield flat[part].astype(np.float64), other[part].astype(np.float64)
