"""Where the numbers of a tensor come from: how far each of them reads into the model's input."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.shapes.readers import SAME, Everything, Reader
from cnnviz.shapes.receptive import NOT_COMPUTED, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnviz.shapes.layer import Shape


class Factor(NamedTuple):
    """A part of a dimension: so many positions, along an axis of the input or along none."""

    size: int
    axis: int | None = None


Dim = tuple[Factor, ...]
"""A dimension as the product of its parts, the slowest first: rows and columns in one are two."""


class Trace(NamedTuple):
    """What a tensor knows of the input.

    ``dims`` says along which of its dimensions the axes of the input lie, ``fields`` how far a
    number of it reads along each, and ``depth`` how many layers with weights lie between, on
    the longest way. While a field is known, its axis is one part of one dimension.
    """

    dims: tuple[Dim, ...]
    fields: tuple[Field, ...]
    depth: int = 0

    @classmethod
    def of_input(cls, shape: Shape) -> Trace:
        """The input itself, (batch, channels, spatial axes …): every pixel sees itself."""
        spatial = tuple((Factor(size, axis),) for axis, size in enumerate(shape[2:]))
        return cls((*map(plain, shape[:2]), *spatial), (Field(),) * len(spatial))

    def read_all(self, dims: Iterable[int]) -> Trace:
        """Every number reads all positions along ``dims``."""
        axes = {axis for dim in dims for axis in axes_of(self.dims[dim])}
        fields = enumerate(self.fields)
        return self._replace(
            fields=tuple(f.through(Everything()) if axis in axes else f for axis, f in fields)
        )

    def unknown(self, axes: Iterable[int]) -> Trace:
        """The fields along ``axes`` are given up."""
        lost = set(axes)
        return self._replace(
            fields=tuple(
                Field(field.reach, NOT_COMPUTED) if axis in lost and not field.limit else field
                for axis, field in enumerate(self.fields)
            )
        )

    def lost(self, shape: Shape) -> Trace:
        """Nothing is known any more, but that the input was read."""
        return self.unknown(range(len(self.fields)))._replace(dims=tuple(map(plain, shape)))

    def through(self, dim: int, reader: Reader, size: int) -> Trace:
        """Something slides along one dimension and leaves it ``size`` long."""
        if reader == SAME and size == length(self.dims[dim]):
            return self
        axes = axes_of(self.dims[dim])
        if isinstance(reader, Everything):
            return self.read_all([dim]).with_dim(dim, plain(size))
        if len(axes) != 1 or len(self.dims[dim]) != 1:
            return self.unknown(axes).with_dim(dim, marked(axes, size))
        (axis,) = axes
        fields = list(self.fields)
        fields[axis] = fields[axis].through(reader)
        return self._replace(fields=tuple(fields)).with_dim(dim, (Factor(size, axis),))

    def with_dim(self, dim: int, parts: Dim) -> Trace:
        """One dimension replaced."""
        dims = list(self.dims)
        dims[dim] = parts
        return self._replace(dims=tuple(dims))

    def viewed(self, shape: Shape) -> Trace:
        """The same numbers in the same order, in another shape.

        A dimension that is cut inside an axis of the input ends what is known along it.
        """
        parts = [part for dim in self.dims for part in dim]
        cut: set[int] = set()
        dims: list[Dim] = []
        for size in shape:
            taken = _take(parts, size, cut)
            if taken is None:
                return self.lost(shape)
            dims.append(taken)
        if prod(part.size for part in parts) > 1:
            return self.lost(shape)
        if dims:
            dims[-1] += tuple(parts)  # axes of one position may lie anywhere
        return self.unknown(cut)._replace(dims=tuple(dims))


def plain(size: int) -> Dim:
    """A dimension along no axis of the input."""
    return (Factor(size),) if size != 1 else ()


def marked(axes: set[int], size: int) -> Dim:
    """A dimension in which axes are mixed, so that who reads all of it reads all of them."""
    if not axes:
        return plain(size)
    first, *rest = sorted(axes)
    return (Factor(size, first), *(Factor(1, axis) for axis in rest))


def axes_of(dim: Dim) -> set[int]:
    """The axes of the input that lie along a dimension."""
    return {part.axis for part in dim if part.axis is not None}


def length(dim: Dim) -> int:
    """How many positions a dimension has."""
    return prod(part.size for part in dim)


def joined(traces: Sequence[Trace], shape: Shape) -> Trace:
    """What is known of numbers computed from several tensors, position by position.

    Shapes are aligned from the right, as in broadcasting. An axis that the tensors do not lay
    along the same dimension, at the same length, is given up.
    """
    fields = reduce(
        lambda ours, theirs: tuple(a.joined(b) for a, b in zip(ours, theirs, strict=True)),
        (trace.fields for trace in traces),
    )
    filled = [((),) * (len(shape) - len(trace.dims)) + trace.dims for trace in traces]
    dims: list[Dim] = []
    odd: set[int] = set()
    for position, size in enumerate(shape):
        here = [each[position] for each in filled]
        whole = [dim for dim in here if length(dim) == size]
        dims.append(max(whole, key=lambda dim: len(axes_of(dim)), default=plain(size)))
        if len(set(here)) > 1 or not whole:
            odd.update(*map(axes_of, here))
    depth = max(trace.depth for trace in traces)
    return Trace(tuple(dims), fields, depth).unknown(odd)


def _take(parts: list[Factor], size: int, cut: set[int]) -> Dim | None:
    """The first of ``parts`` that make up ``size`` positions, removed; None where none do."""
    if size == 1 and parts and parts[0].size == 1:
        return (parts.pop(0),)
    taken: list[Factor] = []
    left = size
    while left > 1:
        if not parts:
            return None
        part = parts.pop(0)
        if left % part.size == 0:
            taken.append(part)
            left //= part.size
        elif part.size % left == 0:
            taken.append(Factor(left, part.axis))
            parts.insert(0, Factor(part.size // left, part.axis))
            cut |= axes_of((part,))
            left = 1
        else:
            return None
    return tuple(taken)
