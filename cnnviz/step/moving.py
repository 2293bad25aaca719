"""What moving the input does to the maps of what was asked for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.language import say
from cnnviz.matrices import shape_of
from cnnviz.step.setup import axes_of, sized, stages_of, work_out
from cnnviz.step.shift import compared, moved
from cnnviz.step.sliding import Sliding

if TYPE_CHECKING:
    from cnnviz.matrices import Maps
    from cnnviz.step.setup import Asked, Pair, Worked
    from cnnviz.step.shift import Shifted


def shifted(asked: Asked, shift: Pair) -> tuple[Maps, list[Shifted]]:
    """The input, and its maps before and after: at stride 1, with a stride, after all layers.

    Raises:
        UsageError: a transposed convolution, or nothing of the input is left.
    """
    if asked.transposed:
        raise UsageError("--shift is for convolutions; leave out --transposed")
    alone = replace(asked, then="", linear=(), linear_bias=())
    first = work_out(replace(alone, stride=(1, 1)))
    maps = moved(first.sliding.input, *shift)
    strides = dict.fromkeys(((1, 1), (2, 2) if asked.stride == (1, 1) else asked.stride))
    results = [
        _compared(
            say("stride {stride}", stride=sized(stride)),
            replace(alone, stride=stride),
            first,
            maps,
            shift,
        )
        for stride in strides
    ]
    return first.sliding.input, [*results, *_after_all(asked, first, maps, shift)]


def _after_all(asked: Asked, first: Worked, maps: Maps, shift: Pair) -> list[Shifted]:
    """The same of the last stage that still has rows and columns, if there is one."""
    before = stages_of(asked, _again(first, asked, first.sliding.input).output)
    after = stages_of(asked, _again(first, asked, maps).output)
    spatial = [(old, new) for old, new in zip(before, after, strict=True) if not old.output.flat]
    if not spatial:
        return []
    down, right = map(Fraction, asked.stride)
    for old, _ in spatial:
        down, right = down * old.stride[0], right * old.stride[1]
    old, new = spatial[-1]
    layers = " ".join(stage.text for stage, _ in spatial)
    what = say("stride {stride}, then {layers}", stride=sized(asked.stride), layers=layers)
    return [compared(what, (down, right), old.output.maps, new.output.maps, shift)]


def _compared(what: str, asked: Asked, first: Worked, maps: Maps, shift: Pair) -> Shifted:
    before = _again(first, asked, first.sliding.input).output
    return compared(what, asked.stride, before, _again(first, asked, maps).output, shift)


def _again(first: Worked, asked: Asked, maps: Maps) -> Sliding:
    kernel = shape_of(first.sliding.filters[0].weights)[1:]
    return Sliding(maps, first.sliding.filters, axes_of(asked, kernel))
