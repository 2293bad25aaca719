"""How often each pixel is read, and by what: why edges fade, checkerboards, gridding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.errors import ShapeError
from cnnviz.shapes.axes import TransposedAxis
from cnnviz.shapes.window import along

if TYPE_CHECKING:
    from cnnviz.matrices import Matrix
    from cnnviz.shapes.window import Axis

    Axes = tuple[Axis, Axis] | tuple[TransposedAxis, TransposedAxis]

NAMES = ("height", "width")


def visits(size: tuple[int, int], axes: Axes) -> Matrix:
    """How many windows read each pixel of an input of ``size``.

    Of a transposed convolution: how many copies of the kernel each *output* pixel is a sum of.

    Raises:
        ShapeError: the kernel is larger than the padded input.
    """
    down, right = axes
    return _crossed([_along(down, size[0], NAMES[0]), _along(right, size[1], NAMES[1])])


def reach(axes: tuple[Axis, Axis], layers: int) -> Matrix:
    """In how many ways one output of so many such layers reads each input pixel around it.

    The matrix spans the receptive field; a 0 in it is a pixel that is never looked at.

    Raises:
        ShapeError: the field is wider than 99 pixels.
    """
    return _crossed([_ways(axis, layers, name) for axis, name in zip(axes, NAMES, strict=True)])


def _along(axis: Axis | TransposedAxis, size: int, name: str) -> list[int]:
    count = along(axis, name, size)
    reader = axis.reader(size)
    if isinstance(axis, TransposedAxis):
        return [sum(0 <= i < size for i in reader.reads(output)) for output in range(count)]
    counts = [0] * size
    for output in range(count):
        for position in reader.reads(output):
            if 0 <= position < size:
                counts[position] += 1
    return counts


def _ways(axis: Axis, layers: int, name: str) -> list[int]:
    """Of one output, by layers backwards: each way on goes to every tap of the kernel."""
    ways = {0: 1}
    for _ in range(layers):
        further: dict[int, int] = {}
        for position, count in ways.items():
            for tap in range(axis.kernel_size):
                at = position * axis.stride + tap * axis.dilation
                further[at] = further.get(at, 0) + count
        ways = further
        if max(ways) > 98:
            raise ShapeError(
                f"{name}: one output of {layers} such layers spans more than 99 pixels; take"
                " fewer layers or a smaller dilation"
            )
    return [ways.get(position, 0) for position in range(max(ways) + 1)]


def _crossed(counts: list[list[int]]) -> Matrix:
    """Rows times columns: a pixel is read wherever its row and its column are."""
    rows, columns = counts
    return tuple(tuple(row * column for column in columns) for row in rows)
