"""Layers one after the other: each with its sizes, its costs and its receptive field."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.shapes.grammar import Branches, LayerText, parse_chain
from cnnviz.shapes.names import KINDS, build_layer
from cnnviz.shapes.notation import quoted
from cnnviz.shapes.plain import Add, Concatenate
from cnnviz.shapes.receptive import LARGEST, Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.shapes.grammar import Node
    from cnnviz.shapes.layer import Layer, Shape

Fields = tuple[Field, ...]


class Step(NamedTuple):
    """One layer in its place.

    ``fields`` are the receptive fields of its output, one per spatial axis of the chain's input;
    ``indent`` shows its branch: two spaces for each bracket around it, with a slash where a branch
    begins that is not the first.
    """

    position: int
    text: str
    layer: Layer
    input: Shape
    output: Shape
    fields: Fields
    indent: str = ""

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return self.layer.macs(self.input)


class Fork(NamedTuple):
    """Branches from one input, and the step that joins them."""

    branches: tuple[tuple[Item, ...], ...]
    join: Step


Item = Step | Fork


class Chain(NamedTuple):
    """A chain with the numbers put in; sizes are those of one image."""

    input: Shape
    items: tuple[Item, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every layer in the order of the text; branches end with what joins them."""
        return tuple(steps_of(self.items))

    @property
    def output(self) -> Shape:
        """Shape after the last layer."""
        return self.steps[-1].output if self.items else self.input

    @property
    def start(self) -> Fields:
        """Receptive fields of the input itself: one pixel along each spatial axis."""
        return (Field(),) * (len(self.input) - 1)

    @property
    def fields(self) -> Fields:
        """Receptive fields of the output, one per spatial axis of the input."""
        return self.steps[-1].fields if self.items else self.start

    @property
    def params(self) -> int:
        """Trainable numbers of all layers, bias included."""
        return sum(step.layer.params for step in self.steps)

    @property
    def biases(self) -> int:
        """Those of them that are added: biases, and the shifts of normalisation."""
        return sum(step.layer.biases for step in self.steps)

    @property
    def buffers(self) -> int:
        """Numbers that are kept and not trained."""
        return sum(step.layer.buffers for step in self.steps)

    @property
    def macs(self) -> int:
        """Multiply-adds for one image, in torchvision's sense."""
        return sum(step.macs for step in self.steps)


def steps_of(items: Sequence[Item]) -> Iterator[Step]:
    """The layers of nested branches in one row."""
    for item in items:
        if isinstance(item, Fork):
            for branch in item.branches:
                yield from steps_of(branch)
            yield item.join
        else:
            yield item


def trace_chain(layers: str | Sequence[Node], shape: Shape) -> Chain:
    """Follow one image of ``shape`` through layers, written as text or parsed.

    ``shape`` is (channels, height, width), with one or three spatial axes likewise, or
    (features,).

    Raises:
        ShapeError: the text is not of the grammar, or a layer cannot follow; it is named.

    >>> trace_chain("conv:6,k5 maxpool conv:16,k5 maxpool", (1, 32, 32)).output
    (16, 5, 5)
    """
    nodes = parse_chain(layers) if isinstance(layers, str) else layers
    empty = Chain(shape, ())
    items, _, _ = _Tracer().branch(nodes, shape, empty.start)
    return empty._replace(items=items)


def trace_layer(layer: LayerText, shape: Shape) -> Chain:
    """A chain of one layer, which is not named in what is raised.

    Raises:
        ShapeError: the layer cannot be built, or does not fit the input.
    """
    empty = Chain(shape, ())
    return empty._replace(items=(_step(layer, 1, shape, empty.start),))


def image_shape(size: Shape, layers: Sequence[Node], in_channels: int | None = None) -> Shape:
    """The shape that a written size means before those layers.

    Two numbers are height and width of one channel, or channels and length before a 1-D layer;
    one number is features before a linear layer.

    Raises:
        ShapeError: the layers need a size of another form, or channels are named twice.
    """
    axes = _axes_wanted(layers)
    if len(size) == 1 and axes != 0:
        forms = "HEIGHTxWIDTH such as 300x400, or CHANNELSxHEIGHTxWIDTH"
        if axes == 1:
            forms = f"CHANNELSxLENGTH such as 1x{size[0]}"
        raise ShapeError(f"'{size[0]}' is not a size; write {forms}")
    if len(size) == 2 and axes != 1:
        return (in_channels or 1, *size)
    if in_channels not in {None, size[0]}:
        raise ShapeError(f"SIZE names {size[0]} channels but --in-channels is {in_channels}")
    return size


def _axes_wanted(layers: Sequence[Node]) -> int | None:
    """Spatial axes that the first layer which cares needs; 0 for a row of features."""
    for node in layers:
        wanted: int | None = None
        if isinstance(node, Branches):
            wanted = _axes_wanted([each for branch in node.branches for each in branch])
        elif node.name == "linear":
            wanted = 0
        elif node.name in KINDS and KINDS[node.name].axes:
            wanted = KINDS[node.name].usual_axes
        if wanted is not None:
            return wanted
    return None


class _Tracer:
    """Counts positions while it follows an image."""

    def __init__(self) -> None:
        self.position = 0

    def branch(
        self, nodes: Sequence[Node], shape: Shape, fields: Fields, indent: str = ""
    ) -> tuple[tuple[Item, ...], Shape, Fields]:
        """The layers of one branch, and what comes out of it."""
        items: list[Item] = []
        for node in nodes:
            item: Item
            if isinstance(node, LayerText):
                item = self._layer(node, shape, fields, indent)
            else:
                item = self._fork(node, shape, fields, indent)
            items.append(item)
            indent = indent.replace("/", " ")
            last = item.join if isinstance(item, Fork) else item
            shape, fields = last.output, last.fields
        return tuple(items), shape, fields

    def _layer(self, layer: LayerText, shape: Shape, fields: Fields, indent: str) -> Step:
        self.position += 1
        try:
            return _step(layer, self.position, shape, fields, indent)
        except ShapeError as error:
            raise self._named(layer.text, error) from None

    def _fork(self, node: Branches, shape: Shape, fields: Fields, indent: str) -> Fork:
        traced = []
        begun = indent  # what the row above says of the brackets around is not said again
        for number, nodes in enumerate(node.branches):
            traced.append(self.branch(nodes, shape, fields, begun + ("/ " if number else "  ")))
            begun = begun.replace("/", " ") if nodes else begun
        self.position += 1
        branches, shapes, seen = zip(*traced, strict=True)
        layer: Layer
        try:
            layer = Add(shapes) if node.name == "res" else Concatenate(shapes)
            output = _countable(layer.output(shapes[0]))
        except ShapeError as error:
            raise self._named(node.text, error) from None
        joined = tuple(reduce(Field.joined, along) for along in zip(*seen, strict=True))
        text = "add" if node.name == "res" else node.name
        return Fork(branches, Step(self.position, text, layer, shapes[0], output, joined, begun))

    def _named(self, text: str, reason: object) -> ShapeError:
        return ShapeError(f"layer {self.position}, {quoted(text)}: {reason}")


def _step(text: LayerText, position: int, shape: Shape, fields: Fields, indent: str = "") -> Step:
    layer = build_layer(text, shape)
    output = _countable(layer.output(shape))
    readers = layer.readers(shape)
    if len(shape) == 1:  # a row of features stands for every axis it was flattened from
        readers *= len(fields)
    seen = tuple(field.through(reader) for field, reader in zip(fields, readers, strict=True))
    return Step(position, text.text, layer, shape, output, seen, indent)


def _countable(output: Shape) -> Shape:
    """The same, if torch can count it."""
    if max(output) > LARGEST:
        raise ShapeError(f"a size of its output is above {LARGEST:,}, the largest torch can count")
    return output
