"""Pools and images at random, and pooling written out window by window."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cnnviz.engines import POOLS, Pool
from cnnviz.errors import ShapeError

LENGTHS = st.integers(1, 14)
SHAPES = st.tuples(LENGTHS, LENGTHS, st.sampled_from([1, 3, 5]))


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Any pool that torch has, with a kernel of up to 5x5."""

    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    mode, size = draw(st.sampled_from(POOLS)), pair(1, 5)
    padding = draw(st.integers(0, size[0] // 2)), draw(st.integers(0, size[1] // 2))
    return Pool(
        mode,
        size,
        stride=draw(st.none() | st.just(pair(1, 4))),
        padding=padding if mode != "lp" else (0, 0),
        dilation=pair(1, 3) if mode in {"max", "min"} else (1, 1),
        ceil_mode=draw(st.booleans()),
        count_include_pad=draw(st.booleans()),
        p=draw(st.sampled_from([1.0, 2.0])),
    )


def pixels(shape: tuple[int, int, int], depth: str, seed: int) -> np.ndarray:
    """Noise: all values of 8 or 16 bits, or of both signs around 0."""
    random = np.random.default_rng(seed)
    if depth.startswith("float"):
        return random.normal(size=shape).astype(depth)
    return random.integers(0, np.iinfo(depth).max, shape, dtype=depth, endpoint=True)


def fits(how: Pool, shape: tuple[int, ...]) -> bool:
    """Whether a window of ``how`` fits at all."""
    try:
        how.output_size(shape)
    except ShapeError:
        return False
    return True


def by_hand(image: np.ndarray, how: Pool) -> np.ndarray:
    """Window by window, in Python's own arithmetic; sizes by counting where windows start."""
    channels = [_plane(image[:, :, n].astype(float).tolist(), how) for n in range(image.shape[2])]
    return np.stack(channels, axis=2)


def _plane(rows: list[list[float]], how: Pool) -> np.ndarray:
    size = how.kernel_size or (len(rows), len(rows[0]))
    stride = how.stride or size
    starts = [
        _starts(length, size[n], stride[n], how.padding[n], how.dilation[n], how.ceil_mode)
        for n, length in enumerate((len(rows), len(rows[0])))
    ]
    return np.array(
        [[_value(rows, top, left, size, how) for left in starts[1]] for top in starts[0]]
    )


def _starts(
    length: int, size: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> list[int]:
    """First rows, or columns, of the windows; negative in the padding."""
    found = []
    for start in range(-padding, length + padding, stride):
        end = start + dilation * (size - 1)
        inside = end < length + padding
        # The last may hang over, if it starts inside and the one before did not end at the end.
        hangs = ceil_mode and start < length and end - stride < length + padding - 1
        if inside or hangs:
            found.append(start)
    return found


def _value(rows: list[list[float]], top: int, left: int, size: Any, how: Pool) -> float:
    down = [top + n * how.dilation[0] for n in range(size[0])]
    across = [left + n * how.dilation[1] for n in range(size[1])]
    down_inside = [y for y in down if 0 <= y < len(rows)]
    across_inside = [x for x in across if 0 <= x < len(rows[0])]
    values = [rows[y][x] for y in down_inside for x in across_inside]
    if how.mode in {"max", "min"}:
        none = float("-inf") if how.mode == "max" else float("inf")
        return (max if how.mode == "max" else min)(values, default=none)
    padded = [y for y in down if y < len(rows) + how.padding[0]]
    beside = [x for x in across if x < len(rows[0]) + how.padding[1]]
    count = len(padded) * len(beside) if how.count_include_pad else len(values)
    if how.mode == "avg":
        return sum(values) / count
    assert isfinite(how.p)
    total = sum(value**how.p for value in values) / len(values) * size[0] * size[1]
    return float(total ** (1 / how.p))
