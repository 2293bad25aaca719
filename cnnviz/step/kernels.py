"""What ``--kernel`` may be, as filters: a name, a file, rows of numbers, or a size."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from cnnviz.errors import KernelError, UsageError
from cnnviz.kernels import Kernel, load_kernel
from cnnviz.matrices import parse_maps, shape_of
from cnnviz.matrices.numbers import exact
from cnnviz.shapes.notation import size_text
from cnnviz.step.sliding import Filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Maps, Matrix

ONES = re.compile(r"([1-9][0-9]?)[xX×]([1-9][0-9]?)")
LARGEST_SIDE = 31
ROWS_NAME = "kernel"  # of one that was written as rows


def read_filters(texts: Sequence[str], *, flip: bool = False) -> list[Filter]:
    """The filters that ``texts`` describe; each reads the channels that it has weights for.

    Raises:
        KernelError: no such kernel, not rows of numbers, kernels of different sizes.
    """
    filters = [each for text in texts for each in _filters(text.strip())]
    names = [each.name for each in filters]
    filters = [
        replace(each, name=f"{each.name} {number}") if names.count(each.name) > 1 else each
        for number, each in enumerate(filters)
    ]
    for each in filters:
        _refuse_other_size(each, filters[0])
    if not flip:
        return filters
    return [replace(each, weights=tuple(map(_turned, each.weights))) for each in filters]


def spread(filters: Sequence[Filter], channels: int, how: str) -> tuple[Filter, ...]:
    """The filters as they meet an input of so many channels.

    ``how`` is ``sum``, ``mean`` (of the channels' sums) or ``each`` (every channel alone). A
    filter of one channel has the same weights on all.

    Raises:
        KernelError: a filter's channels are neither one nor those of the input.
    """
    for each in filters:
        if len(each.weights) not in {1, channels} or (how == "each" and len(each.weights) > 1):
            raise KernelError(
                f"{each.name} has weights for {len(each.weights)} channels but the input has"
                f" {channels}; give one matrix, or one per channel with | between them"
            )
    if how == "each":
        return tuple(
            replace(f, channels=(c,), name=f"{f.name}, channel {c}" if channels > 1 else f.name)
            for f in filters
            for c in range(channels)
        )
    divisor = channels if how == "mean" else 1
    return tuple(
        replace(
            each,
            weights=each.weights * (channels // len(each.weights)),
            channels=tuple(range(channels)),
            divisor=exact(Fraction(each.divisor) * divisor),
        )
        for each in filters
    )


def with_biases(filters: Sequence[Filter], biases: Sequence[int | Fraction]) -> tuple[Filter, ...]:
    """The filters with a bias each, or one for all.

    Raises:
        UsageError: neither one bias nor one per filter.
    """
    if len(biases) not in {0, 1, len(filters)}:
        raise UsageError(
            f"there are {len(biases)} biases for {len(filters)} maps; give --bias once, or once"
            " per map"
        )
    given = list(biases or [0]) * (1 if len(biases) == len(filters) else len(filters))
    return tuple(
        replace(each, bias=each.bias + bias) for each, bias in zip(filters, given, strict=True)
    )


def _filters(text: str) -> list[Filter]:
    if match := ONES.fullmatch(text):
        height, width = int(match[1]), int(match[2])
        return [Filter(f"ones {height}x{width}", (((1,) * width,) * height,), (0,))]
    if re.match(r"[-+.0-9−]", text):
        return [_written(text)]
    return [_named(name.strip()) for name in text.split(",")]


def _written(text: str) -> Filter:
    try:
        weights = parse_maps(text)
    except UsageError as error:
        raise KernelError(f"kernel: {error}") from None
    _, *size = shape_of(weights)
    if max(size) > LARGEST_SIDE:
        raise KernelError(f"kernel: {size_text((*size,))} is more than {LARGEST_SIDE} a side")
    return Filter(ROWS_NAME, weights, tuple(range(len(weights))))


def _named(name: str) -> Filter:
    kernel = load_kernel(name)
    if not isinstance(kernel, Kernel):
        parts = ",".join(part.name for part in kernel.parts)
        raise KernelError(
            f"{name} is the length of several results, not one sum; show its parts: {parts}"
        )
    weights: Maps = (tuple(tuple(map(exact, row)) for row in kernel.weights),)
    if max(kernel.shape) > LARGEST_SIDE:
        raise KernelError(f"{name}: {size_text(kernel.shape)} is more than {LARGEST_SIDE} a side")
    return Filter(kernel.name, weights, (0,), exact(kernel.divisor), exact(kernel.offset))


def _refuse_other_size(each: Filter, first: Filter) -> None:
    size, expected = shape_of(each.weights)[1:], shape_of(first.weights)[1:]
    if size != expected:
        raise KernelError(
            f"{each.name} is {size_text(size)} but {first.name} is {size_text(expected)}; the"
            " kernels of one layer have one size, so pad with zeros"
        )


def _turned(matrix: Matrix) -> Matrix:
    return tuple(row[::-1] for row in reversed(matrix))
