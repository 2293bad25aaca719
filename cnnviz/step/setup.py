"""From what was asked for to a convolution that is ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from cnnviz.errors import KernelError, UsageError
from cnnviz.language import say
from cnnviz.matrices import parse_maps, shape_of
from cnnviz.shapes.axes import TransposedAxis
from cnnviz.shapes.window import Axis, same_padding
from cnnviz.step.kernels import read_filters, spread, with_biases
from cnnviz.step.layers import Dense, Tensor, run_layers
from cnnviz.step.sliding import Filter, Sliding
from cnnviz.step.sources import Source, around, counted, read_source, region_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Maps, Matrix, Number
    from cnnviz.step.layers import Stage
    from cnnviz.step.sources import Region

    Pair = tuple[int, int]
    Axes = tuple[Axis, Axis] | tuple[TransposedAxis, TransposedAxis]

EXAMPLE = "1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0"
EXAMPLE_KERNEL = "1 0 1; 0 1 0; 1 0 1"


@dataclass(frozen=True)
class Asked:
    """The options of the command that say what is computed; see its help."""

    files: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    size: Pair | None = None
    at: Pair | None = None
    region: str | None = None
    kernels: tuple[str, ...] = ()
    channels: str = "sum"
    biases: tuple[int | Fraction, ...] = ()
    stride: Pair = (1, 1)
    padding: str | Pair = "valid"
    dilation: Pair = (1, 1)
    flip: bool = False
    transposed: bool = False
    then: str = ""
    linear: tuple[str, ...] = ()
    linear_bias: tuple[str, ...] = ()


@dataclass(frozen=True)
class Worked:
    """A convolution, what it is of, and what follows it.

    ``white`` is the value of a white pixel where the input is an image, else 0.
    """

    asked: Asked
    title: str
    sliding: Sliding
    stages: list[Stage]
    white: int = 0

    @property
    def is_picture(self) -> bool:
        """Whether the input is shown as gray levels."""
        return self.white > 0

    @property
    def result(self) -> Tensor:
        """What the last stage gives."""
        return self.stages[-1].output if self.stages else Tensor(self.sliding.output)


def work_out(asked: Asked) -> Worked:
    """The convolution that is asked for, and the layers after it.

    Raises:
        UsageError: inputs, kernels, sizes or layers that do not go together.
        ImageError: a file that cannot be read.
    """
    filters = _filters(asked)
    source = source_of(asked, filters)
    outside = source.outside if asked.at else None
    axes = axes_of(asked, shape_of(filters[0].weights)[1:], outside)
    meeting = spread(filters, len(source.maps), asked.channels)
    sliding = Sliding(source.maps, with_biases(meeting, asked.biases), axes)
    stages = stages_of(asked, sliding.output)
    return Worked(asked, source.title, sliding, stages, source.white)


def axes_of(asked: Asked, kernel: Pair, outside: tuple[Pair, Pair] | None = None) -> Axes:
    """How the kernel slides along the height and along the width.

    ``outside`` replaces the padding.

    Raises:
        UsageError: a transposed convolution with padding ``same``.
    """
    return _spreading(asked, kernel) if asked.transposed else gliding(asked, kernel, outside)


def gliding(
    asked: Asked, kernel: Pair, outside: tuple[Pair, Pair] | None = None
) -> tuple[Axis, Axis]:
    """``axes_of`` a convolution that is not transposed."""
    padding = outside or _padding(asked, kernel)
    numbers = zip(kernel, asked.stride, padding, asked.dilation, strict=True)
    rows, columns = (Axis(*each) for each in numbers)
    return rows, columns


def _spreading(asked: Asked, kernel: Pair) -> tuple[TransposedAxis, TransposedAxis]:
    if asked.padding == "same":
        raise UsageError("--padding same is for convolutions; give a transposed one a number")
    padding = (0, 0) if isinstance(asked.padding, str) else asked.padding
    numbers = zip(kernel, asked.stride, padding, asked.dilation, strict=True)
    rows, columns = (TransposedAxis(*each) for each in numbers)
    return rows, columns


def _filters(asked: Asked) -> list[Filter]:
    if not asked.kernels and (asked.files or asked.rows or asked.size):
        raise KernelError('--kernel is missing; name one, or write its rows: "1 0; 0 1"')
    return read_filters(asked.kernels or (EXAMPLE_KERNEL,), flip=asked.flip)


def source_of(asked: Asked, filters: Sequence[Filter]) -> Source:
    """The input; a region around a pixel is as large as the kernel."""
    given = bool(asked.files or asked.rows)
    if given and asked.size:
        raise UsageError("--size makes an input of its own; leave out FILE and --input")
    if asked.at and asked.region:
        raise UsageError("--at takes one window and --region several; choose one")
    if asked.size:
        return counted(*asked.size)
    region = region_of(asked.region) if asked.region else None
    if asked.at:
        if asked.padding != "valid" or asked.stride != (1, 1) or asked.transposed:
            raise UsageError("--at is one window; leave out --stride, --padding and --transposed")
        region = around(*asked.at, shape_of(filters[0].weights)[1:], asked.dilation)
    rows = asked.rows if given else (EXAMPLE,)
    source = read_source(asked.files, rows, region, gray=asked.channels == "gray")
    if region and asked.at:
        row, column = asked.at
        _refuse_outside(asked.files[0], asked.at, region, source)
        told = "{file}, around row {row}, column {column}"
        return source._replace(title=say(told, file=asked.files[0], row=row, column=column))
    if region and source.outside != ((0, 0), (0, 0)):
        (above, below), (left, right) = source.outside
        raise UsageError(
            f"--region {asked.region} reaches beyond the image; of {asked.files[0]} rows"
            f" {region.row + above} to {region.row + region.height - 1 - below}, columns"
            f" {region.column + left} to {region.column + region.width - 1 - right} are left"
        )
    return source


def _refuse_outside(name: str, at: Pair, region: Region, source: Source) -> None:
    """Refuse a pixel of which the window reads only neighbours."""
    starts, lengths = (region.row, region.column), (region.height, region.width)
    words = ("rows", "columns")
    for place, start, length, beyond, word in zip(
        at, starts, lengths, source.outside, words, strict=True
    ):
        last = start + length - 1 - beyond[1]
        if place > last:
            raise UsageError(
                f"--at {at[0]},{at[1]} lies outside {name}, whose {word} end at {last}"
            )


def _padding(asked: Asked, kernel: Pair) -> tuple[Pair, Pair]:
    if asked.padding == "same":
        rows, columns = (same_padding(k, d) for k, d in zip(kernel, asked.dilation, strict=True))
        return rows, columns
    down, right = (0, 0) if isinstance(asked.padding, str) else asked.padding
    return (down, down), (right, right)


def stages_of(asked: Asked, output: Maps) -> list[Stage]:
    """The layers after the convolution, worked out on its maps."""
    return run_layers(asked.then, Tensor(output), _dense(asked))


def _dense(asked: Asked) -> list[Dense]:
    """The weights and biases of the fully connected layers, in order."""
    if len(asked.linear_bias) > len(asked.linear):
        raise UsageError("--linear-bias belongs to a --linear; give the weights too")
    found = []
    for number, text in enumerate(asked.linear):
        weights = _one_matrix(text, "--linear")
        biases: tuple[Number, ...] = (0,) * len(weights)
        if number < len(asked.linear_bias):
            rows = _one_matrix(asked.linear_bias[number], "--linear-bias")
            biases = tuple(bias for row in rows for bias in row)
        if len(biases) != len(weights):
            raise UsageError(
                f"--linear-bias has {len(biases)} numbers for {len(weights)} outputs; give one each"
            )
        found.append(Dense(weights, biases))
    return found


def _one_matrix(text: str, option: str) -> Matrix:
    try:
        maps = parse_maps(text)
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None
    if len(maps) > 1:
        raise UsageError(f"{option}: there is a | in it; rows alone, one per output")
    return maps[0]


def sized(pair: Pair) -> str:
    """``3``, or ``3x5`` where height and width differ."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
