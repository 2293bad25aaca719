"""From what was asked for to a convolution that is ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from cnnviz.errors import KernelError, UsageError
from cnnviz.matrices import parse_maps, shape_of
from cnnviz.shapes.axes import TransposedAxis
from cnnviz.shapes.window import Axis, same_padding
from cnnviz.step.kernels import read_filters, spread, with_biases
from cnnviz.step.layers import Dense, Tensor, run_layers
from cnnviz.step.shift import compared, moved
from cnnviz.step.sliding import Filter, Sliding
from cnnviz.step.sources import Source, around, counted, read_source, region_of
from cnnviz.step.visits import reach, visits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Maps, Matrix, Number
    from cnnviz.step.layers import Stage
    from cnnviz.step.shift import Shifted

    Pair = tuple[int, int]
    Axes = tuple[Axis, Axis] | tuple[TransposedAxis, TransposedAxis]

EXAMPLE = "1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0"
EXAMPLE_KERNEL = "1 0 1; 0 1 0; 1 0 1"


@dataclass(frozen=True)
class Asked:
    """The options of the command that say what is computed; see its help."""

    inputs: tuple[str, ...] = ()
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
    """A convolution, what it is of, and what follows it."""

    asked: Asked
    title: str
    sliding: Sliding
    stages: list[Stage]

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
    source = _source(asked, filters)
    outside = source.outside if asked.at else None
    axes = axes_of(asked, shape_of(filters[0].weights)[1:], outside)
    meeting = spread(filters, len(source.maps), asked.channels)
    sliding = Sliding(source.maps, with_biases(meeting, asked.biases), axes)
    return Worked(asked, source.title, sliding, _stages(asked, sliding.output))


def axes_of(asked: Asked, kernel: Pair, outside: tuple[Pair, Pair] | None = None) -> Axes:
    """How the kernel slides along the height and along the width.

    ``outside`` replaces the padding.

    Raises:
        UsageError: a transposed convolution with padding ``same``.
    """
    return _spreading(asked, kernel) if asked.transposed else _gliding(asked, kernel, outside)


def _gliding(asked: Asked, kernel: Pair, outside: tuple[Pair, Pair] | None) -> tuple[Axis, Axis]:
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


def visit_counts(asked: Asked) -> list[tuple[str, Matrix]]:
    """How often each pixel is read: without padding, and with what was asked for or ``same``.

    Of a transposed convolution, what each output pixel is a sum of; where its stride does not
    divide its kernel, also that of the next kernel that it divides.
    """
    kernel, size = _kernel_size(asked), _input_size(asked)
    if asked.transposed:
        return _copies(asked, kernel, size)
    plain = replace(asked, padding="valid")
    padded = asked if asked.padding not in {"valid", (0, 0)} else replace(asked, padding="same")
    return [
        (f"{_padding_name(axes)}, each pixel is read", visits(size, axes))
        for axes in (_gliding(each, kernel, None) for each in (plain, padded))
    ]


def reach_counts(asked: Asked, layers: int) -> list[tuple[str, Matrix]]:
    """In how many ways one output of so many layers reads each pixel; undilated too."""
    if asked.transposed:
        raise UsageError("--reach is for convolutions; leave out --transposed")
    kernel = _kernel_size(asked)
    what = f"{layers} layer{'s' if layers > 1 else ''} of {_sized(kernel)}, dilation"
    dilations = dict.fromkeys(((1, 1), asked.dilation))
    plain = replace(asked, padding="valid")
    return [
        (
            f"{what} {_sized(dilation)}: one output reads each pixel",
            reach(_gliding(replace(plain, dilation=dilation), kernel, None), layers),
        )
        for dilation in dilations
    ]


def shifted(asked: Asked, shift: Pair) -> list[Shifted]:
    """What moving the input does to the maps: at stride 1, with a stride, after all layers."""
    if asked.transposed:
        raise UsageError("--shift is for convolutions; leave out --transposed")
    alone = replace(asked, then="", linear=(), linear_bias=())
    first = work_out(replace(alone, stride=(1, 1)))
    maps = moved(first.sliding.input, *shift)
    strides = dict.fromkeys(((1, 1), (2, 2) if asked.stride == (1, 1) else asked.stride))
    results = [
        _compared(f"stride {_sized(stride)}", replace(alone, stride=stride), first, maps, shift)
        for stride in strides
    ]
    return [*results, *_after_all(asked, first, maps, shift)]


def _after_all(asked: Asked, first: Worked, maps: Maps, shift: Pair) -> list[Shifted]:
    """The same of the last stage that still has rows and columns, if there is one."""
    before = _stages(asked, _again(first, asked, first.sliding.input).output)
    after = _stages(asked, _again(first, asked, maps).output)
    spatial = [(old, new) for old, new in zip(before, after, strict=True) if not old.output.flat]
    if not spatial:
        return []
    down, right = map(Fraction, asked.stride)
    for old, _ in spatial:
        down, right = down * old.stride[0], right * old.stride[1]
    old, new = spatial[-1]
    what = f"stride {_sized(asked.stride)}, then {' '.join(s.text for s, _ in spatial)}"
    return [compared(what, (down, right), old.output.maps, new.output.maps, shift)]


def _compared(what: str, asked: Asked, first: Worked, maps: Maps, shift: Pair) -> Shifted:
    before = _again(first, asked, first.sliding.input).output
    return compared(what, asked.stride, before, _again(first, asked, maps).output, shift)


def _again(first: Worked, asked: Asked, maps: Maps) -> Sliding:
    kernel = shape_of(first.sliding.filters[0].weights)[1:]
    return Sliding(maps, first.sliding.filters, axes_of(asked, kernel))


def _filters(asked: Asked) -> list[Filter]:
    if not asked.kernels and (asked.inputs or asked.size):
        raise KernelError('--kernel is missing; name one, or write its rows: "1 0; 0 1"')
    return read_filters(asked.kernels or (EXAMPLE_KERNEL,), flip=asked.flip)


def _source(asked: Asked, filters: Sequence[Filter]) -> Source:
    """The input; a region around a pixel is as large as the kernel."""
    if sum((bool(asked.inputs), asked.size is not None)) > 1:
        raise UsageError("--size makes an input of its own; leave out --input")
    if asked.at and asked.region:
        raise UsageError("--at takes one window and --region several; choose one")
    if asked.size:
        return counted(*asked.size)
    region = region_of(asked.region) if asked.region else None
    if asked.at:
        if asked.padding != "valid" or asked.stride != (1, 1) or asked.transposed:
            raise UsageError("--at is one window; leave out --stride, --padding and --transposed")
        region = around(*asked.at, shape_of(filters[0].weights)[1:], asked.dilation)
    source = read_source(asked.inputs or (EXAMPLE,), region, gray=asked.channels == "gray")
    if asked.region and source.outside != ((0, 0), (0, 0)):
        raise UsageError(
            f"--region {asked.region} reaches beyond the image; {source.title}, is left"
        )
    return source


def _padding(asked: Asked, kernel: Pair) -> tuple[Pair, Pair]:
    if asked.padding == "same":
        rows, columns = (same_padding(k, d) for k, d in zip(kernel, asked.dilation, strict=True))
        return rows, columns
    down, right = (0, 0) if isinstance(asked.padding, str) else asked.padding
    return (down, down), (right, right)


def _stages(asked: Asked, output: Maps) -> list[Stage]:
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


def _kernel_size(asked: Asked) -> Pair:
    filters = read_filters(asked.kernels or ("3x3",))
    return shape_of(filters[0].weights)[1:]


def _input_size(asked: Asked) -> Pair:
    if asked.size or not asked.inputs:
        return asked.size or (5, 5)
    return shape_of(_source(replace(asked, kernels=asked.kernels or ("3x3",)), []).maps)[1:]


def _copies(asked: Asked, kernel: Pair, size: Pair) -> list[tuple[str, Matrix]]:
    even = _multiple(kernel[0], asked.stride[0]), _multiple(kernel[1], asked.stride[1])
    return [
        (
            f"transposed, kernel {_sized(each)}, stride {_sized(asked.stride)}:"
            " each output pixel adds up copies",
            visits(size, axes_of(asked, each)),
        )
        for each in dict.fromkeys((kernel, even))
    ]


def _multiple(kernel: int, stride: int) -> int:
    return -(-kernel // stride) * stride


def _padding_name(axes: tuple[Axis, Axis]) -> str:
    amounts = {pixels for axis in axes for pixels in axis.padding}
    if amounts == {0}:
        return "without padding"
    return f"padding {amounts.pop()}" if len(amounts) == 1 else "with padding"


def _sized(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
