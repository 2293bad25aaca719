"""The input moved by some pixels, and whether its maps are the same ones, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.matrices import shape_of

if TYPE_CHECKING:
    from cnnviz.matrices import Maps, Number


class Shifted(NamedTuple):
    """Maps before and after the input moved, and how they compare.

    ``by`` are the rows and columns that the maps should have moved by: None where that is no
    whole number. ``same`` and ``compared`` count the values that still exist after the move;
    those that were moved in are left out.
    """

    what: str
    stride: tuple[Number, Number]
    before: Maps
    after: Maps
    by: tuple[int, int] | None
    same: int
    compared: int


def moved(maps: Maps, down: int, right: int) -> Maps:
    """The same maps, moved; zeros come in, and what leaves is lost.

    Raises:
        ShapeError: nothing is left.

    >>> moved((((1, 2), (3, 4)),), 0, 1)
    (((0, 1), (0, 3)),)
    """
    _, height, width = shape_of(maps)
    if abs(down) >= height or abs(right) >= width:
        raise ShapeError(
            f"the input is {height}x{width}, and nothing of it is left when it moves by"
            f" {down} rows and {right} columns; move it less"
        )

    def at(matrix: tuple[tuple[object, ...], ...], row: int, column: int) -> object:
        inside = 0 <= row < height and 0 <= column < width
        return matrix[row][column] if inside else 0

    return tuple(
        tuple(tuple(at(m, r - down, c - right) for c in range(width)) for r in range(height))  # type: ignore[misc]
        for m in maps
    )


def compared(
    what: str, stride: tuple[Number, Number], before: Maps, after: Maps, shift: tuple[int, int]
) -> Shifted:
    """Whether ``after`` is ``before``, moved as far as ``shift`` pixels of the input are.

    ``stride`` is what one step of the maps is in the input. Where the shift is no whole number
    of steps the maps are compared in place.
    """
    whole = all(n % s == 0 for n, s in zip(shift, stride, strict=True))
    by = (int(shift[0] // stride[0]), int(shift[1] // stride[1])) if whole else None
    down, right = by or (0, 0)
    _, height, width = shape_of(before)
    pairs = [
        (old[r - down][c - right], new[r][c])
        for old, new in zip(before, after, strict=True)
        for r in range(max(0, down), height + min(0, down))
        for c in range(max(0, right), width + min(0, right))
    ]
    return Shifted(what, stride, before, after, by, sum(a == b for a, b in pairs), len(pairs))
