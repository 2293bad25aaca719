"""The receptive field of every call in a run, by the call's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnviz.errors import CnnvizError
from cnnviz.models.building.quick_import import compiler_left_out
from cnnviz.models.building.unallocated import meta_copy
from cnnviz.summary.tracing import trace_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from cnnviz.shapes.layer import Shape
    from cnnviz.shapes.receptive import Field
    from cnnviz.summary.calls import Node


def fields_by_call(model: nn.Module, sizes: Sequence[Shape]) -> dict[str, tuple[Field, ...]]:
    """The fields of modules, blocks and functions along the axes of an input of ``sizes``.

    Keys are dotted names, with ``#2``, ``#3``, … for further calls. Nothing is computed; of a model
    whose code needs values nothing is known.
    """
    try:
        with compiler_left_out():
            traced = trace_model(meta_copy(model), tuple(sizes), torch.device("meta"))
    except CnnvizError:
        return {}
    return {
        node.name if node.call == 1 else f"{node.name}#{node.call}": node.trace.fields
        for node in _nodes(traced.root)
        if node.trace
    }


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)
