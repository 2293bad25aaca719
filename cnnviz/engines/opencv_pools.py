"""Pools by OpenCV: ``dilate`` and ``erode``, ``boxFilter`` and ``sqrBoxFilter``, then every Nth.

The border is made by ``copyMakeBorder``, and how many pixels of a window are counted is worked
out here, by index arithmetic.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cnnviz.engines import Image
    from cnnviz.engines.pools import Pool
    from cnnviz.shapes.axes import PoolAxis

    Axes = tuple[PoolAxis, PoolAxis]
    Sums = Callable[[Image, Image], Image]

MOST_CHANNELS = 4  # that a border has values for


def pool(image: Image, how: Pool, direct_sums: Sums) -> Image:
    """Each window's value; (H, W, C) in and out, in the image's float dtype.

    ``direct_sums(image, weights)`` correlates without running sums, which would carry a NaN or
    Inf on from one window to the next.

    Raises:
        ShapeError: no window fits.
        UsageError: an lp pool of another p than 1 and 2.
    """
    channels = image.shape[2]
    if channels > MOST_CHANNELS:
        result = np.empty((*how.output_size(image.shape), channels), image.dtype)
        for first in range(0, channels, MOST_CHANNELS):
            part = slice(first, first + MOST_CHANNELS)
            result[:, :, part] = pool(np.ascontiguousarray(image[:, :, part]), how, direct_sums)
        return result
    if how.mode in {"max", "min"}:
        return _extreme(image, how)
    return _summed(image, how, direct_sums)


def running_error(how: Pool, shape: tuple[int, ...], peak: float) -> float:
    """How far ``boxFilter``'s sums may be off, before any division.

    It adds the pixel that enters a window and subtracts the one that leaves it, in float64: along
    a row two roundings a pixel, each of at most u times the window's sum, and as many down the
    columns, which add up what the rows are off by. Four times the length of both is above that.
    """
    rows, columns = how.axes(shape)
    steps = sum(shape[:2]) + 2 * (rows.span + columns.span)
    size = peak**2 if how.mode == "lp" and how.p == 2 else peak
    return 4.0 * steps * 2.0**-53 * how.taps(shape) * size


def _extreme(image: Image, how: Pool) -> Image:
    """The largest or smallest value; NaN where a window holds one, as torch has it."""
    largest = how.mode == "max"
    morph, outside = (cv2.dilate, -np.inf) if largest else (cv2.erode, np.inf)
    damaged = np.isnan(image)
    axes = how.axes(image.shape)
    if how.kernel_size is None and not damaged.any():
        kind = cv2.REDUCE_MAX if largest else cv2.REDUCE_MIN
        down = cv2.reduce(image, 0, kind).reshape(1, image.shape[1], -1)
        return np.asarray(cv2.reduce(down, 1, kind), image.dtype).reshape(1, 1, -1)
    element = _element(axes)
    result = _kept(partial(morph, kernel=element, anchor=(0, 0)), image, axes, outside)
    if damaged.any():
        mask = partial(cv2.dilate, kernel=element, anchor=(0, 0))
        result[_kept(mask, damaged.astype(np.uint8), axes, 0) > 0] = np.nan
    return result


def _element(axes: Axes) -> NDArray[np.uint8]:
    """Ones where the window reads, zeros between them where it is dilated."""
    rows, columns = axes
    element = np.zeros((rows.span, columns.span), np.uint8)
    element[:: rows.dilation, :: columns.dilation] = 1
    return element


def _summed(image: Image, how: Pool, direct_sums: Sums) -> Image:
    """Means, or roots of sums of powers, by sums in float64."""
    axes = how.axes(image.shape)
    taps, counts = how.taps(image.shape), _counts(image, how).astype(image.dtype)
    total = _totals(image, how, axes, direct_sums)
    if how.mode == "avg":
        return np.asarray(total.astype(image.dtype) / counts)
    # torch takes the mean over what of a window lies inside, times the size of a whole one.
    whole = (total * (taps / counts.astype(np.float64))).astype(image.dtype)
    if how.p == 1:
        return whole
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.maximum(whole, 0, out=whole, where=~np.isnan(whole)))


def _totals(image: Image, how: Pool, axes: Axes, direct_sums: Sums) -> Image:
    """The sum of each window's values, or of their squares."""
    squares = how.mode == "lp" and how.p == 2
    if how.mode == "lp" and how.p not in {1, 2}:
        raise UsageError(f"OpenCV has no sums of powers of p = {how.p:g}; it has those of 1 and 2")
    size = axes[0].kernel_size, axes[1].kernel_size
    if not np.isfinite(image).all():
        wide = image.astype(np.float64)
        values, ones = wide * wide if squares else wide, np.ones(size)
        return _kept(lambda padded: direct_sums(padded, ones), values, axes, 0)
    if how.kernel_size is None:
        return np.array(cv2.sumElems(image)[: image.shape[2]])[np.newaxis, np.newaxis]
    box = cv2.sqrBoxFilter if squares else cv2.boxFilter
    settings: dict[str, Any] = {"ddepth": cv2.CV_64F, "ksize": size[::-1], "anchor": (0, 0)}
    return _kept(partial(box, **settings, normalize=False), image, axes, 0)


def _kept(
    work: Callable[[Any], Any], image: NDArray[Any], axes: Axes, outside: float
) -> NDArray[Any]:
    """What ``work`` gives at every stride-th place, of the image and its border ``outside``.

    ``work`` reads from a place on downwards and to the right.
    """
    lengths = [axis.output_size(n) for axis, n in zip(axes, image.shape, strict=False)]
    rows, columns = axes
    below, right = (
        max((count - 1) * axis.stride + axis.span - axis.padding - n, 0)
        for count, axis, n in zip(lengths, axes, image.shape, strict=False)
    )
    edges = rows.padding, below, columns.padding, right
    value = (outside,) * MOST_CHANNELS
    padded = cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=value)
    dense = np.asarray(work(padded.reshape(*padded.shape[:2], -1)))
    dense = dense.reshape(*dense.shape[:2], -1)
    kept = dense[:: rows.stride, :: columns.stride][: lengths[0], : lengths[1]]
    return np.ascontiguousarray(kept)


def _counts(image: Image, how: Pool) -> NDArray[np.int64]:
    """How many values each window's sum is divided by, (H, W, 1)."""
    down, across = (
        _counted(axis, n, padding=how.count_include_pad)
        for axis, n in zip(how.axes(image.shape), image.shape, strict=False)
    )
    return down[:, np.newaxis, np.newaxis] * across[:, np.newaxis]


def _counted(axis: PoolAxis, size: int, *, padding: bool) -> NDArray[np.int64]:
    """How many pixels each window has along an axis, with or without those of the padding.

    What lies beyond the padding, where ``ceil_mode`` lets a window hang over, never counts.
    """
    first = np.arange(axis.output_size(size)) * axis.stride - axis.padding
    low, high = (-axis.padding, size + axis.padding) if padding else (0, size)
    return np.asarray(np.minimum(first + axis.span, high) - np.maximum(first, low))
