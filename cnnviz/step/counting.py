"""Visits and reach of what was asked for, under the settings that are worth comparing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import UsageError
from cnnviz.language import say
from cnnviz.matrices import shape_of
from cnnviz.shapes.notation import size_text
from cnnviz.step.kernels import read_filters
from cnnviz.step.setup import axes_of, gliding, sized, source_of
from cnnviz.step.visits import reach, visits

if TYPE_CHECKING:
    from cnnviz.matrices import Matrix
    from cnnviz.shapes.window import Axis
    from cnnviz.step.setup import Asked, Pair


class Counts(NamedTuple):
    """What is counted, and the counts under each setting."""

    title: str
    named: dict[str, Matrix]


def visit_counts(asked: Asked) -> Counts:
    """How often each pixel is read: without padding, and with what was asked for or ``same``.

    Of a transposed convolution, what each output pixel is a sum of; where its stride does not
    divide its kernel, also that of the next kernel that it divides.
    """
    kernel, size = _kernel_size(asked), _input_size(asked)
    if asked.transposed:
        return _copies(asked, kernel, size)
    plain = replace(asked, padding="valid")
    padded = asked if asked.padding not in {"valid", (0, 0)} else replace(asked, padding="same")
    sliding = (gliding(each, kernel) for each in (plain, padded))
    named = [(_padding_name(axes), visits(size, axes)) for axes in sliding]
    further = ""
    if asked.stride != (1, 1):
        further = say(", stride {stride}", stride=sized(asked.stride))
    if asked.dilation != (1, 1):
        further += say(", dilation {dilation}", dilation=sized(asked.dilation))
    told = "how often a {kernel} kernel{further} reads each pixel"
    title = say(told, kernel=size_text(kernel), further=further)
    return Counts(title, dict(named))


def reach_counts(asked: Asked, layers: int) -> Counts:
    """In how many ways one output of so many layers reads each pixel; undilated too."""
    if asked.transposed:
        raise UsageError("--reach is for convolutions; leave out --transposed")
    kernel = _kernel_size(asked)
    plain = replace(asked, padding="valid")
    named = {
        say("dilation {dilation}", dilation=sized(dilation)): reach(
            gliding(replace(plain, dilation=dilation), kernel), layers
        )
        for dilation in dict.fromkeys(((1, 1), asked.dilation))
    }
    what = say("{layers} layers", layers=layers) if layers > 1 else say("a layer")
    told = "how often one output of {what} of {kernel} kernels reads each pixel"
    title = say(told, what=what, kernel=size_text(kernel))
    return Counts(title, named)


def _kernel_size(asked: Asked) -> Pair:
    filters = read_filters(asked.kernels or ("3x3",))
    return shape_of(filters[0].weights)[1:]


def _input_size(asked: Asked) -> Pair:
    if asked.size or not (asked.files or asked.rows):
        return asked.size or (5, 5)
    return shape_of(source_of(replace(asked, kernels=asked.kernels or ("3x3",)), []).maps)[1:]


def _copies(asked: Asked, kernel: Pair, size: Pair) -> Counts:
    even = _multiple(kernel[0], asked.stride[0]), _multiple(kernel[1], asked.stride[1])
    named = {
        say(
            "kernel {kernel}, stride {stride}", kernel=size_text(each), stride=sized(asked.stride)
        ): visits(size, axes_of(asked, each))
        for each in dict.fromkeys((kernel, even))
    }
    title = say("copies of the kernel that each output pixel of a transposed convolution adds up")
    return Counts(title, named)


def _multiple(kernel: int, stride: int) -> int:
    return -(-kernel // stride) * stride


def _padding_name(axes: tuple[Axis, Axis]) -> str:
    amounts = {pixels for axis in axes for pixels in axis.padding}
    if amounts == {0}:
        return say("without padding")
    if len(amounts) > 1:
        return say("with padding")
    return say("padding {padding}", padding=amounts.pop())
