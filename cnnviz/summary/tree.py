"""A model as a tree: the network, its layers, the filters of each, and the map that each makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnnviz.shapes.notation import size_text
from cnnviz.shapes.wording import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.summary.layers import LayerSummary
    from cnnviz.summary.model import ModelSummary

MOST_FILTERS = 4  # of a layer that are named one by one
BRANCH, LAST, ALONG, BESIDE = "├── ", "└── ", "│   ", "    "


@dataclass
class _Node:
    """A part of the network: a layer, or what stands before the dot in the names of several."""

    name: str
    layer: LayerSummary | None = None
    parts: dict[str, _Node] = field(default_factory=dict)

    @property
    def layers(self) -> Iterator[LayerSummary]:
        """All layers in it."""
        if self.layer:
            yield self.layer
        for part in self.parts.values():
            yield from part.layers


def tree_text(summary: ModelSummary, most: int = MOST_FILTERS) -> str:
    """The network, its layers by the dots of their names, and at most so many filters of each.

    Each filter of a convolution, a kernel for every channel that it reads, makes one map.
    """
    root = _Node(summary.model)
    for layer in summary.layers:
        _add(root, layer)
    given = " and ".join(map(size_text, summary.inputs))
    head = f"{summary.model}: {given} in; {_counts(summary.layers)}"
    return "\n".join([head, *_lines(root, "", most)])


def _add(root: _Node, layer: LayerSummary) -> None:
    node = root
    *groups, last = layer.key.split(".")
    for name in groups:
        node = node.parts.setdefault(name, _Node(name))
    node.parts.setdefault(last, _Node(last)).layer = layer


def _counts(layers: Sequence[LayerSummary]) -> str:
    """How many layers, filters and parameters there are."""
    convolutions = [layer for layer in layers if layer.kernel and layer.call == 1]
    said = [many(len(layers), "layer")]
    if convolutions:
        filters = many(sum(map(_filters, convolutions)), "filter")
        said.append(f"{many(len(convolutions), 'convolution')} with {filters}")
    return ", ".join([*said, many(sum(layer.params for layer in layers), "parameter")])


def _filters(layer: LayerSummary) -> int:
    return layer.output[0] if layer.kernel and layer.output else 0


def _lines(node: _Node, before: str, most: int) -> Iterator[str]:
    """What hangs below a node; ``before`` is what the lines of those above put in front."""
    filters = _filters(node.layer) if node.layer else 0
    below: list[_Node | str] = [*node.parts.values(), *_filter_lines(filters, most)]
    for number, part in enumerate(below, 1):
        mark, space = (LAST, BESIDE) if number == len(below) else (BRANCH, ALONG)
        if isinstance(part, str):
            yield f"{before}{mark}{part}"
        else:
            yield f"{before}{mark}{_said(part)}"
            yield from _lines(part, before + space, most)


def _filter_lines(count: int, most: int) -> list[str]:
    """A line for each filter; of many, for the first ones, the last, and how many lie between."""
    lines = [f"filter {n} → map {n}" for n in range(count)]
    hidden = count - most
    return lines if hidden < 2 else [*lines[: most - 1], f"… {hidden} more", lines[-1]]


def _said(node: _Node) -> str:
    """A line on a layer, or on the layers of a group."""
    layer = node.layer
    if layer is None:
        return f"{node.name}  {_counts(list(node.layers))}"
    told = f"{node.name}  {layer.type}"
    if layer.kernel:
        read = many(layer.kernel[0], "channel")
        told += f": {many(_filters(layer), 'filter')} {size_text(layer.kernel[1:])} over {read}"
    if layer.params:
        told += f", {many(layer.params, 'parameter')}"
    if layer.output is not None:
        told += f" → {_put_out(layer)}"
    return f"{told} ({layer.note})" if layer.note else told


def _put_out(layer: LayerSummary) -> str:
    """The output: as maps where it is of that form."""
    output = layer.output or ()
    is_map = layer.type != "Parameter" and (len(output) == 3 or layer.kernel)
    if is_map and len(output) > 1:
        return f"{many(output[0], 'map')} of {size_text(output[1:])}"
    return many(output[0], "value") if len(output) == 1 else size_text(output) or "a number"
