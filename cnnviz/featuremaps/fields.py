"""Which part of the input a layer's position sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnviz.summary.fields import fields_by_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from cnnviz.shapes.receptive import Field


class Patch(NamedTuple):
    """A part of an input: rows and columns that it has, and where it lies in its frame.

    The frame, ``height`` x ``width``, is the whole receptive field, or the input along an axis
    where that is shorter.
    """

    top: int
    left: int
    bottom: int
    right: int
    height: int
    width: int
    down: int
    across: int


class Fields:
    """The receptive fields of a model's layers for inputs of one shape, (channels, rows, columns).

    Where they are not known, or cannot be, a layer sees the whole input; so it does of a clip,
    (channels, frames, rows, columns), of which one frame is looked at.
    """

    def __init__(self, module: nn.Module, shape: tuple[int, ...]) -> None:
        self.size = shape[-2:]
        self._is_image = len(shape) == 3
        self._fields = fields_by_call(module, [shape])

    def patch(self, key: str, place: Sequence[int]) -> Patch:
        """What the value at ``place``, row and column, of a layer sees."""
        fields = self._fields.get(key, ())
        known = self._is_image and len(fields) == len(place) == 2
        rows, columns = (
            _span(fields[axis] if known else None, place[axis] if known else 0, self.size[axis])
            for axis in (0, 1)
        )
        return Patch(
            rows[0], columns[0], rows[1], columns[1], rows[2], columns[2], rows[3], columns[3]
        )


def _span(field: Field | None, position: int, length: int) -> tuple[int, int, int, int]:
    """First, one beyond the last, the frame's length, and where in it the first is."""
    span = None if field is None or field.limit else field.reach.at(position)
    if field is None or span is None or field.size is None:
        return 0, length, length, 0
    first, last = max(span[0], 0), min(span[1] + 1, length)
    if last <= first:  # a field that lies in the padding alone
        return 0, length, length, 0
    if field.size > length:
        return first, last, length, first
    return first, last, field.size, first - span[0]
