"""The five filters of PNG: a row is stored as its differences from a guess made of its neighbors.

Rows are (H, W) bytes, and ``pixel`` is the bytes of one pixel: the byte to the left is the same
one of the pixel before. Outside the image all is 0.

Source: Portable Network Graphics, W3C, third edition, section 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.uint8]

FILTERS = NONE, SUB, UP, AVERAGE, PAETH = range(5)
PILLOWS = np.array([NONE, UP, SUB, PAETH])  # in its order, which decides a tie

# What a difference costs, in two measures: how far it is from 0, either way round; and 16 times
# about as many bits as that number has.
DISTANCES = np.minimum(np.arange(256), 256 - np.arange(256)).astype(np.uint8)
BITS = np.rint(16 * np.log2(1.0 + DISTANCES)).astype(np.uint8)


def rows_above(rows: Rows, start: int, stop: int) -> Rows:
    """The rows (stop - start, W) that are above those from ``start`` to ``stop``."""
    if start:
        return rows[start - 1 : stop - 1]
    return np.concatenate([np.zeros_like(rows[:1]), rows[: stop - 1]])


def differences(kind: int, rows: Rows, above: Rows, pixel: int) -> Rows:
    """What filter ``kind`` leaves of rows (H, W) that lie under ``above``, modulo 256."""
    if kind == NONE:
        return rows
    if kind == UP:
        return rows - above
    left = _one_pixel_before(rows, pixel)
    if kind == SUB:
        return rows - left
    if kind == AVERAGE:
        return rows - _mean(left, above)
    return rows - _nearest(left, above, _one_pixel_before(above, pixel))


def filtered(kinds: Rows, rows: Rows, above: Rows, pixel: int) -> Rows:
    """Rows (H, 1 + W) as PNG compresses them: the number of a filter, and what it leaves.

    ``kinds`` (H,) are the filters.
    """
    result = np.empty((rows.shape[0], 1 + rows.shape[1]), np.uint8)
    result[:, 0] = kinds
    used = np.unique(kinds)
    for kind in used:
        where = slice(None) if used.size == 1 else kinds == kind
        result[where, 1:] = differences(kind, rows[where], above[where], pixel)
    return result


def candidates(rows: Rows, above: Rows, pixel: int) -> list[Rows]:
    """Filters (H,) worth trying: the first by bits, then Pillow's own, then none at all.

    Bits are the better measure, above all where some bytes are noise, as the lower ones of 16-bit
    pixels are. No filter is often best where rows repeat, as in drawings. Only compressing them
    tells. Those alike are there once.
    """
    left = [differences(kind, rows, above, pixel) for kind in FILTERS]
    bits, distances = (
        np.stack([cv2.LUT(part, cost).sum(axis=1, dtype=np.uint32) for part in left])
        for cost in (BITS, DISTANCES)
    )
    found = [bits.argmin(0), PILLOWS[distances[PILLOWS].argmin(0)], np.full(rows.shape[0], NONE)]
    distinct = {kinds.tobytes(): kinds.astype(np.uint8) for kinds in found}
    return list(distinct.values())


def _one_pixel_before(rows: Rows, pixel: int) -> Rows:
    moved = np.zeros_like(rows)
    moved[:, pixel:] = rows[:, :-pixel]
    return moved


def _mean(first: Rows, second: Rows) -> Rows:
    """Half the sum, rounded down, without the ninth bit that the sum needs."""
    return (first & second) + ((first ^ second) >> 1)


def _nearest(left: Rows, above: Rows, corner: Rows) -> Rows:
    """The neighbor nearest to left + above - corner, the first of them in a tie (Paeth's guess).

    That sum is as far from left as above is from corner, and as far from above as left is. Where
    corner lies between the two it is as far from the sum as those distances are apart; elsewhere
    it is never nearer than left and above. So eight bits are enough.
    """
    to_left, to_above = cv2.absdiff(above, corner), cv2.absdiff(left, corner)
    nearer = _either(left, above, to_left <= to_above)
    between = (left < corner) != (above < corner)
    to_corner = cv2.absdiff(to_left, to_above)
    return _either(corner, nearer, between & (to_corner < np.minimum(to_left, to_above)))


def _either(first: Rows, second: Rows, is_first: NDArray[np.bool_]) -> Rows:
    """As ``np.where``, which takes five times as long for bytes."""
    return second ^ ((first ^ second) & (0 - is_first.view(np.uint8)))
