"""A chain of layers as papers draw it: stacks of maps that shrink from left to right.

The model is figure 2 of LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to
Document Recognition", 1998.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.figures.marks import FAINT, Box, Drawing, Line, Words, text_width
from cnnviz.language import say
from cnnviz.shapes.chain import Fork, steps_of
from cnnviz.shapes.conv import Convolution, SeparableConvolution, TransposedConvolution
from cnnviz.shapes.explain import field_text
from cnnviz.shapes.layer import Pool
from cnnviz.shapes.notation import size_text
from cnnviz.shapes.plain import Concatenate, Linear

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
APART = 8.0  # from a branch's line to the stages beside it, at most
COLORS = {
    Convolution: "#d6e2f5",
    SeparableConvolution: "#d6e2f5",
    Pool: "#d9efdf",
    Linear: "#f6e3cb",
}
OTHER = "#ededed"


class Stage(NamedTuple):
    """A tensor that is drawn, how it came about, and the branches that end in it.

    ``window`` is the kernel that slid over the stage before; a branch that is not drawn map by
    map is the stage where it begins, and its layers.
    """

    shape: Shape
    color: str
    made_by: tuple[str, ...] = ()
    window: tuple[int, ...] = ()
    branches: tuple[tuple[int, str], ...] = ()


class Placed(NamedTuple):
    """A stage in its place: the front map's corner and sides, and the maps behind it.

    ``room`` is where it begins and ends with its words.
    """

    stage: Stage
    x: float
    y: float
    width: float
    height: float
    behind: int
    room: tuple[float, float]


class Arc(NamedTuple):
    """A branch that goes around others: between which stages, its layers, how high above them."""

    start: int
    end: int
    text: str
    level: int = 0


def draw_chain(chain: Chain) -> Drawing:
    """The chain from left to right with sizes above, layers below and totals at the foot."""
    stages = [Stage(chain.input, OTHER, (say("input"),))]
    _add_stages(chain.items, stages)
    placed = _placed(stages)
    arcs = _arcs(placed)
    levels = max((arc.level + 1 for arc in arcs), default=0)
    top = MARGIN + (2 * levels - 1) * LEADING  # of the lowest line
    tallest = max(each.height + each.behind * SHIFT for each in placed)
    middle = top + 2 * LEADING + tallest / 2
    floor = middle + tallest / 2
    foot = floor + (max(len(stage.made_by) for stage in stages) + 3) * LEADING
    placed = [each._replace(y=middle + each.y) for each in placed]
    totals = Words(MARGIN, foot, _totals(chain), LABEL, FAINT, "left")
    marks = [*_stacks(placed), *_pyramids(placed), *_labels(placed, floor), totals]
    marks += _lines_of(arcs, placed, top)
    last = placed[-1]
    width = max(last.room[1], text_width(totals.text, LABEL) + MARGIN) + MARGIN
    return Drawing(width, foot + MARGIN, tuple(marks))


def _add_stages(items: Sequence[Item], stages: list[Stage]) -> None:
    """What is drawn: every tensor but those that a layer of no own weight only passes on."""
    for item in items:
        if isinstance(item, Fork):
            _add_fork(item, stages)
        elif item.macs or item.output != item.input:
            color = next((c for kind, c in COLORS.items() if isinstance(item.layer, kind)), OTHER)
            window = () if isinstance(item.layer, TransposedConvolution) else _kernel(item)
            stages.append(Stage(item.output, color, (_words(item),), window))
        else:
            stages[-1] = stages[-1]._replace(made_by=(*stages[-1].made_by, _words(item)))


def _add_fork(fork: Fork, stages: list[Stage]) -> None:
    """One branch stage by stage, the others as lines around it.

    Of a sum that is the main branch, of a concatenation the longest.
    """
    start, together = len(stages) - 1, isinstance(fork.join.layer, Concatenate)
    ahead = max(fork.branches, key=_length) if together else fork.branches[0]
    _add_stages(ahead, stages)
    others = [branch for branch in fork.branches if branch is not ahead]
    around = [" ".join(map(_words, steps_of(branch))) or say("identity") for branch in others]
    if together:
        stages.append(Stage(fork.join.output, OTHER, ("cat",)))
    else:
        stages[-1] = stages[-1]._replace(made_by=(*stages[-1].made_by, "add"))
    here = stages[-1]
    stages[-1] = here._replace(branches=(*here.branches, *((start, text) for text in around)))


def _length(branch: Sequence[Item]) -> int:
    return len(list(steps_of(branch)))


def _words(step: Step) -> str:
    """The layer's name with its kernel and stride: ``conv 7x7 /2``."""
    kernel = _kernel(step)
    stride = tuple(getattr(rule, "stride", 1) for rule in step.layer.axes_on(step.input))
    scale = tuple(getattr(rule, "scale", 1) for rule in step.layer.axes_on(step.input))
    name = step.text.partition(":")[0]
    if max(scale, default=1) > 1:
        return f"{name} x{_shortest(scale)}"
    sized = f"{name} {size_text(kernel)}" if all(kernel) and kernel else name
    if not stride or set(stride) == {1}:
        return sized
    return f"{sized} /{_shortest(stride)}"


def _shortest(numbers: tuple[int, ...]) -> str:
    """One number where all are the same, else one per axis."""
    return size_text(numbers[:1] if len(set(numbers)) == 1 else numbers)


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


def _placed(stages: list[Stage]) -> list[Placed]:
    """The stages side by side, their middle at y = 0."""
    sizes = [n for stage in stages if len(stage.shape) > 1 for n in stage.shape[1:]]
    placed: list[Placed] = []
    x = MARGIN
    for stage in stages:
        width, height, behind = _sides(stage.shape, max(sizes, default=1))
        depth = behind * SHIFT
        below = max(text_width(line, NOTE) for line in stage.made_by)
        needed = max(width + depth, below, text_width(_size(stage.shape), LABEL))
        for start, text in stage.branches:
            if start < len(placed):  # the line has room for its words
                x = max(x, placed[start].room[1] + text_width(text, NOTE) + 2 * APART)
        left, top = x + (needed - width - depth) / 2 + depth, (depth - height) / 2
        room = (x, x + needed)
        placed.append(Placed(stage, left, top, width, height, behind, room))
        x += needed + GAP
    return placed


def _stacks(placed: list[Placed]) -> Iterator[Mark]:
    for stage, x, y, width, height, behind, _ in placed:
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


def _labels(placed: list[Placed], floor: float) -> Iterator[Mark]:
    for stage, x, y, width, _, behind, _ in placed:
        center = x + (width - behind * SHIFT) / 2
        yield Words(center, y - behind * SHIFT - 5, _size(stage.shape), LABEL)
        for k, line in enumerate(stage.made_by):
            yield Words(center, floor + (k + 1.5) * LEADING, line, NOTE, FAINT)


def _arcs(placed: list[Placed]) -> list[Arc]:
    """The branches that go around, the shortest lowest; none meets another of its height."""
    wanted = [
        Arc(start, end, text)
        for end, each in enumerate(placed)
        for start, text in each.stage.branches
        if start < end
    ]
    arcs: list[Arc] = []
    for arc in sorted(wanted, key=lambda arc: arc.end - arc.start):
        left, right = _extent(arc, placed)
        reaches = [(other.level, *_extent(other, placed)) for other in arcs]
        taken = {level for level, start, stop in reaches if left < stop and start < right}
        arcs.append(arc._replace(level=min(set(range(len(arcs) + 1)) - taken)))
    return arcs


def _extent(arc: Arc, placed: list[Placed]) -> tuple[float, float]:
    """From where to where a branch's line and words reach."""
    return placed[arc.start].room[1], placed[arc.end].room[0]


def _lines_of(arcs: list[Arc], placed: list[Placed], top: float) -> Iterator[Mark]:
    """Branches as lines that leave behind one stage and come back before another."""
    levels = 1 + max((arc.level for arc in arcs), default=0)
    for arc in arcs:
        begin, end = placed[arc.start], placed[arc.end]
        inwards = APART * (levels - arc.level) / levels  # those below stand within those above
        xs = begin.room[1] + inwards, end.room[0] - inwards
        y = top - 2 * LEADING * arc.level
        leaves = begin.y + begin.height / 6
        back = end.y - end.behind * SHIFT + end.height / 6
        ends = begin.x + begin.width, end.x - end.behind * SHIFT
        path = (ends[0], leaves), (xs[0], leaves), (xs[0], y), (xs[1], y), (xs[1], back)
        yield Line((*path, (ends[1], back)))
        yield Words(sum(xs) / 2, y - 4, arc.text, NOTE, FAINT)


def _size(shape: Shape) -> str:
    """As papers write it: 6@28x28, six maps of 28 rows and 28 columns."""
    return f"{shape[0]}@{size_text(shape[1:])}" if len(shape) > 1 else str(shape[0])


def _totals(chain: Chain) -> str:
    known = chain.fields and not any(field.limit for field in chain.fields)
    totals = {"params": f"{chain.params:,}", "macs": f"{chain.macs:,}"}
    told = say("{params} parameters, {macs} multiply-adds", **totals)
    return told + (
        say(", receptive field {field}", field=field_text(chain.fields)) if known else ""
    )
