"""A chain of layers as papers draw it: stacks of maps that shrink from left to right.

The model is figure 2 of LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to
Document Recognition", 1998.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.figures.marks import FAINT, Box, Drawing, Line, Words, text_width
from cnnviz.shapes.chain import Fork, steps_of
from cnnviz.shapes.conv import Convolution, SeparableConvolution, TransposedConvolution
from cnnviz.shapes.explain import field_text
from cnnviz.shapes.layer import Pool
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.plain import Linear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.figures.marks import Mark
    from cnnviz.shapes.chain import Chain, Item, Step
    from cnnviz.shapes.layer import Shape

LARGEST, SMALLEST = 110.0, 9.0  # sides of a map, in points
ROW = 9.0  # width of a row of features
SHIFT = 3.5  # from one map of a stack to the next
MARGIN, GAP, LEADING = 24.0, 26.0, 12.0
NOTE, LABEL = 8.5, 10.0  # sizes of text
APART = 6.0  # between the end of a shortcut and the start of the next
COLORS = {
    Convolution: "#d6e2f5",
    SeparableConvolution: "#d6e2f5",
    Pool: "#d9efdf",
    Linear: "#f6e3cb",
}
OTHER = "#ededed"


class Stage(NamedTuple):
    """A tensor that is drawn, how it came about, and the shortcuts that end in it.

    ``window`` is the kernel that slid over the stage before; a shortcut is the stage where it
    begins and its layers.
    """

    shape: Shape
    color: str
    made_by: tuple[str, ...] = ()
    window: tuple[int, ...] = ()
    shortcuts: tuple[tuple[int, str], ...] = ()


class Placed(NamedTuple):
    """A stage in its place: the front map's corner and sides, and the maps behind it."""

    stage: Stage
    x: float
    y: float
    width: float
    height: float
    behind: int


def draw_chain(chain: Chain) -> Drawing:
    """The chain from left to right with sizes above, layers below and totals at the foot."""
    stages = [Stage(chain.input, OTHER, ("input",))]
    _add_stages(chain.items, stages)
    skips = sum(len(stage.shortcuts) for stage in stages)
    middle = MARGIN + 2 * LEADING + LARGEST / 2 + (2 * LEADING if skips else 0)
    placed = _placed(stages, middle)
    lines = max(len(stage.made_by) for stage in stages)
    foot = middle + LARGEST / 2 + (lines + 3) * LEADING
    marks = [
        *_stacks(placed),
        *_pyramids(placed),
        *_labels(placed, middle),
        *_skips(placed, middle),
    ]
    totals = Words(MARGIN, foot, _totals(chain), LABEL, FAINT, "left")
    last = placed[-1]
    width = max(last.x + last.width + GAP, text_width(totals.text, LABEL) + MARGIN) + MARGIN
    return Drawing(width, foot + MARGIN, (*marks, totals))


def _add_stages(items: Sequence[Item], stages: list[Stage]) -> None:
    """What is drawn: every tensor but those that a layer of no own weight only passes on."""
    for item in items:
        if isinstance(item, Fork):
            start = len(stages) - 1
            _add_stages(item.main, stages)
            around = " ".join(_words(step) for step in steps_of(item.shortcut)) or "identity"
            here = stages[-1]
            stages[-1] = here._replace(
                made_by=(*here.made_by, "add"), shortcuts=(*here.shortcuts, (start, around))
            )
        elif item.macs or item.output != item.input:
            color = next((c for kind, c in COLORS.items() if isinstance(item.layer, kind)), OTHER)
            window = () if isinstance(item.layer, TransposedConvolution) else _kernel(item)
            stages.append(Stage(item.output, color, (_words(item),), window))
        else:
            stages[-1] = stages[-1]._replace(made_by=(*stages[-1].made_by, _words(item)))


def _words(step: Step) -> str:
    """The layer's name with its kernel and stride: ``conv 7x7 /2``."""
    kernel = _kernel(step)
    stride = tuple(getattr(rule, "stride", 1) for rule in step.layer.axes_on(step.input))
    name = step.text.partition(":")[0]
    sized = f"{name} {size_text(kernel)}" if all(kernel) and kernel else name
    if not stride or set(stride) == {1}:
        return sized
    return f"{sized} /{stride[0] if len(set(stride)) == 1 else size_text(stride)}"


def _kernel(step: Step) -> tuple[int, ...]:
    """Kernel size along each axis; 0 where a layer has none."""
    return tuple(getattr(rule, "kernel_size", 0) for rule in step.layer.axes_on(step.input))


def _sides(shape: Shape, largest: int) -> tuple[float, float, int]:
    """Width and height of a map in points, and how many are drawn behind it.

    Sides grow with the power 0.6 of the size, so that 224 and 7 can both be seen.
    """
    if len(shape) == 1:
        return ROW, min(LARGEST, SMALLEST + 9 * log2(shape[0])), 0
    sides = [max(SMALLEST, LARGEST * (n / largest) ** 0.6) for n in shape[-2:]]
    if len(shape) == 2:
        sides[0] = SMALLEST
    return sides[1], sides[0], min(9, round(log2(shape[0])))


def _placed(stages: list[Stage], middle: float) -> list[Placed]:
    sizes = [n for stage in stages if len(stage.shape) > 1 for n in stage.shape[1:]]
    placed: list[Placed] = []
    x = MARGIN
    for stage in stages:
        width, height, behind = _sides(stage.shape, max(sizes, default=1))
        depth = behind * SHIFT
        below = max(text_width(line, NOTE) for line in stage.made_by)
        room = max(width + depth, below, text_width(_size(stage.shape), LABEL))
        left = x + (room - width - depth) / 2
        placed.append(
            Placed(stage, left + depth, middle - (height - depth) / 2, width, height, behind)
        )
        x += room + GAP
    return placed


def _stacks(placed: list[Placed]) -> Iterator[Mark]:
    for stage, x, y, width, height, behind in placed:
        for k in range(behind, -1, -1):
            yield Box(x - k * SHIFT, y - k * SHIFT, width, height, stage.color)


def _pyramids(placed: list[Placed]) -> Iterator[Mark]:
    """A window on the map before, and the lines to the one value it gives."""
    for before, after in pairwise(placed):
        kernel = after.stage.window
        if len(kernel) != 2 or not all(kernel):
            continue
        height, width = (
            max(3.0, min(k / n, 1) * side)
            for k, n, side in zip(
                kernel, before.stage.shape[1:], (before.height, before.width), strict=True
            )
        )
        x = before.x + 0.6 * (before.width - width)
        y = before.y + 0.6 * (before.height - height)
        target = (after.x + 0.3 * after.width, after.y + 0.4 * after.height)
        yield Box(x, y, width, height, "none")
        yield Line(((x + width, y), target))
        yield Line(((x + width, y + height), target))


def _labels(placed: list[Placed], middle: float) -> Iterator[Mark]:
    for stage, x, y, width, _, behind in placed:
        center = x + (width - behind * SHIFT) / 2
        yield Words(center, y - behind * SHIFT - 5, _size(stage.shape), LABEL)
        for k, line in enumerate(stage.made_by):
            yield Words(center, middle + LARGEST / 2 + (k + 1.5) * LEADING, line, NOTE, FAINT)


def _skips(placed: list[Placed], middle: float) -> Iterator[Mark]:
    """Shortcuts as lines above the stacks."""
    top = middle - LARGEST / 2 - 2 * LEADING
    for end in placed:
        for start, text in end.stage.shortcuts:
            begin = placed[start]
            if begin is end:
                continue
            xs = (begin.x + begin.width, end.x + end.width - APART)
            yield Line(((xs[0], begin.y), (xs[0], top), (xs[1], top), (xs[1], end.y)))
            yield Words(sum(xs) / 2, top - 4, text, NOTE, FAINT)


def _size(shape: Shape) -> str:
    """As papers write it: 6@28x28, six maps of 28 rows and 28 columns."""
    return f"{shape[0]}@{size_text(shape[1:])}" if len(shape) > 1 else str(shape[0])


def _totals(chain: Chain) -> str:
    known = chain.fields and not any(field.limit for field in chain.fields)
    field = f", receptive field {field_text(chain.fields)}" if known else ""
    return f"{chain.params:,} parameters, {chain.macs:,} multiply-adds{field}"
