"""What follows the convolution: activation, pooling, flatten, a fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from cnnviz.errors import ShapeError
from cnnviz.matrices import Maps, Number, divide, shape_of
from cnnviz.matrices.numbers import exact
from cnnviz.shapes.grammar import LayerText, parse_chain
from cnnviz.shapes.layer import Pad, Pool, Upsample
from cnnviz.shapes.names import build_layer
from cnnviz.shapes.plain import Elementwise, Flatten, Linear
from cnnviz.shapes.readers import Everything
from cnnviz.step.activations import FUNCTIONS, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Matrix
    from cnnviz.shapes.layer import Layer
    from cnnviz.shapes.readers import Reader
    from cnnviz.shapes.window import AxisRule

CAN = "relu and its kin, maxpool, avgpool, minpool, gap, flatten, linear, softmax, upsample and pad"


class Tensor(NamedTuple):
    """Maps, or numbers in a row: then ``flat``, as one map of one row."""

    maps: Maps
    flat: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """``(channels, height, width)``, or ``(features,)``."""
        return (len(self.maps[0][0]),) if self.flat else shape_of(self.maps)


class Pooled(NamedTuple):
    """One number of a pool: what it was made of, and of how many an average was taken.

    ``cells`` are the rows and columns read, inside the input.
    """

    map: int
    row: int
    column: int
    cells: tuple[tuple[int, int], ...]
    values: tuple[Number, ...]
    among: int
    value: Number


class Dense(NamedTuple):
    """Weights of a fully connected layer: one row per output, and a bias each."""

    weights: Matrix
    biases: tuple[Number, ...]


@dataclass(frozen=True)
class Stage:
    """A layer, what went in and what came out; ``pooled`` and ``dense`` say how, where they apply.

    ``mode`` is max, avg or min for pools, else empty. ``stride`` is how far one step in the
    output is in the input.
    """

    text: str
    input: Tensor
    output: Tensor
    mode: str = ""
    pooled: tuple[Pooled, ...] = ()
    dense: Dense | None = None
    stride: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))

    @property
    def name(self) -> str:
        """The layer's name without its arguments."""
        return self.text.partition(":")[0]


def run_layers(text: str, tensor: Tensor, dense: Sequence[Dense] = ()) -> list[Stage]:
    """The stages of the layers that ``text`` lists, from ``tensor`` on.

    ``dense`` are the weights of its linear layers, in order; those that are left over are
    appended, after a flatten where one is needed.

    Raises:
        ShapeError: a layer that does not exist, does not fit, or has no weights here.
    """
    left, stages = list(dense), []
    nodes: list[LayerText] = []
    for node in parse_chain(text) if text.strip() else ():
        if not isinstance(node, LayerText):
            raise ShapeError("res[ … ] is not worked out by hand; name one layer after another")
        nodes.append(node)
    given = sum(node.name == "linear" for node in nodes)
    for extra in left[given:]:
        if not any(node.name == "flatten" for node in nodes):
            nodes += parse_chain("flatten")  # type: ignore[arg-type]  # of plain layers alone
        nodes += parse_chain(f"linear:{len(extra.weights)}")  # type: ignore[arg-type]
    for number, node in enumerate(nodes, 1):
        try:
            stage = _stage(node, tensor, left)
        except ShapeError as error:
            raise ShapeError(
                f"layer {number} after the convolution, {node.text}: {error}"
            ) from None
        stages.append(stage)
        tensor = stage.output
    return stages


def _stage(node: LayerText, tensor: Tensor, dense: list[Dense]) -> Stage:
    layer = build_layer(node, tensor.shape)
    layer.output(tensor.shape)  # refuses what does not fit
    text = node.text
    if isinstance(layer, Pool):
        pooled = _pooled(layer, tensor)
        output = Tensor(_as_maps(pooled, layer, tensor))
        return Stage(text, tensor, output, layer.mode, pooled, stride=_stride(layer, tensor))
    if isinstance(layer, Flatten):
        row = tuple(x for matrix in tensor.maps for line in matrix for x in line)
        return Stage(text, tensor, Tensor(((row,),), flat=True))
    if isinstance(layer, Linear):
        weights = _weights(layer, tensor, dense)
        return Stage(text, tensor, _connected(weights, tensor), dense=weights)
    if isinstance(layer, (Pad, Upsample)):
        output = Tensor(_laid_out(layer, tensor))
        return Stage(text, tensor, output, stride=_stride(layer, tensor))
    if isinstance(layer, Elementwise) and node.name == "softmax":
        return Stage(text, tensor, _softmax(tensor))
    if isinstance(layer, Elementwise) and node.name in FUNCTIONS:
        function = FUNCTIONS[node.name]
        maps = tuple(tuple(tuple(map(function, row)) for row in m) for m in tensor.maps)
        return Stage(text, tensor, tensor._replace(maps=maps))
    raise ShapeError(f"its weights are not known here; after the convolution can come {CAN}")


def _pooled(pool: Pool, tensor: Tensor) -> tuple[Pooled, ...]:
    channels, *sizes = tensor.shape
    counts = pool.output(tensor.shape)[1:]
    reads = [
        [_reads(axis.reader(size), i, size) for i in range(count)]
        for axis, size, count in zip(pool.axes, sizes, counts, strict=True)
    ]
    found = []
    for channel, row, column in product(range(channels), *map(range, counts)):
        cells = tuple(
            (y, x)
            for y, x in product(reads[0][row], reads[1][column])
            if 0 <= y < sizes[0] and 0 <= x < sizes[1]
        )
        values = tuple(tensor.maps[channel][y][x] for y, x in cells)
        if not values:
            raise ShapeError(f"its window at row {row}, column {column} holds padding alone")
        count = _counted(pool, (reads[0][row], reads[1][column]), sizes)
        value = _reduced(pool.mode, values, count)
        found.append(Pooled(channel, row, column, cells, values, count, value))
    return tuple(found)


def _stride(layer: Layer, tensor: Tensor) -> tuple[Fraction, Fraction]:
    down, right = (
        Fraction(size)
        if isinstance(reader, Everything)
        else Fraction(reader.advance, reader.period)
        for reader, size in zip(layer.readers(tensor.shape), tensor.shape[1:], strict=True)
    )
    return down, right


def _reads(reader: Reader, output: int, size: int) -> range:
    return range(size) if isinstance(reader, Everything) else reader.reads(output)


def _counted(pool: Pool, reads: tuple[range, range], sizes: list[int]) -> int:
    """What an average divides by: torch counts the padding, but nothing beyond it.

    Source: ``count_include_pad`` of ``torch.nn.AvgPool2d``, which is on unless it is turned off.
    """
    lengths = []
    for axis, taps, size in zip(pool.axes, reads, sizes, strict=True):
        end = size + getattr(axis, "padding", 0)
        lengths.append(sum(tap < end for tap in taps))
    return lengths[0] * lengths[1]


def _reduced(mode: str, values: tuple[Number, ...], count: int) -> Number:
    if mode == "avg":
        return divide(sum(values), count)
    return max(values) if mode == "max" else min(values)


def _as_maps(pooled: tuple[Pooled, ...], pool: Pool, tensor: Tensor) -> Maps:
    channels, height, width = pool.output(tensor.shape)
    values = iter(pooled)
    return tuple(
        tuple(tuple(next(values).value for _ in range(width)) for _ in range(height))
        for _ in range(channels)
    )


def _laid_out(layer: Pad | Upsample, tensor: Tensor) -> Maps:
    """Every output is one input, or a zero."""
    _, height, width = layer.output(tensor.shape)
    rows, columns = layer.axes

    def read(axis: AxisRule, output: int, size: int) -> int | None:
        (tap,) = _reads(axis.reader(size), output, size)
        return tap if 0 <= tap < size else None

    ys = [read(rows, i, tensor.shape[1]) for i in range(height)]
    xs = [read(columns, i, tensor.shape[2]) for i in range(width)]
    return tuple(
        tuple(tuple(0 if y is None or x is None else m[y][x] for x in xs) for y in ys)
        for m in tensor.maps
    )


def _weights(layer: Linear, tensor: Tensor, dense: list[Dense]) -> Dense:
    if not tensor.flat:
        raise ShapeError("it reads numbers in a row; put flatten before it")
    if not dense:
        raise ShapeError(
            f"it has {layer.out_features} x {layer.in_features} weights; give them with --linear,"
            " a row for each output"
        )
    weights = dense.pop(0)
    shape = len(weights.weights), len(weights.weights[0])
    if shape != (layer.out_features, layer.in_features):
        raise ShapeError(
            f"--linear is {shape[0]}x{shape[1]} (outputs x inputs) but this layer is"
            f" {layer.out_features}x{layer.in_features}"
        )
    return weights


def _connected(dense: Dense, tensor: Tensor) -> Tensor:
    values = tensor.maps[0][0]
    sums = (
        sum(x * w for x, w in zip(values, row, strict=True)) + bias
        for row, bias in zip(dense.weights, dense.biases, strict=True)
    )
    row = tuple(s if isinstance(s, float) else exact(Fraction(s)) for s in sums)
    return Tensor(((row,),), flat=True)


def _softmax(tensor: Tensor) -> Tensor:
    """Over the numbers of a row, or over the channels at each position, as ``Softmax2d``."""
    if tensor.flat:
        return Tensor(((tuple(softmax(list(tensor.maps[0][0]))),),), flat=True)
    channels, height, width = shape_of(tensor.maps)
    shares = {
        (y, x): softmax([m[y][x] for m in tensor.maps])
        for y, x in product(range(height), range(width))
    }
    return Tensor(
        tuple(
            tuple(tuple(shares[y, x][c] for x in range(width)) for y in range(height))
            for c in range(channels)
        )
    )
