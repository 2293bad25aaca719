"""From the tree of calls to the rows of a table, in which every parameter is counted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy

from cnnviz.shapes.receptive import Field

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from torch import Tensor

    from cnnviz.shapes.layer import Shape
    from cnnviz.summary.calls import Node
    from cnnviz.summary.tracing import Traced

NOT_RUN, USED_BY_PARENT, COUNTED_ABOVE = "not run", "used inside its parent", "counted above"
OWN_CODE = "what its own code computes beside its layers"


@dataclass(frozen=True)
class LayerSummary:
    """One row: a call of a module or function, a bare parameter, or a module that did not run.

    ``output`` is a shape without the batch, None where nothing ran or no tensor came back.
    ``params`` were not counted in an earlier row. ``fields`` are the receptive fields along the
    axes of the input, none where the output does not depend on it. ``memory`` is the output's, in
    bytes. ``note`` says what is special. ``kernel`` is what a filter of a convolution is: the
    channels that it reads, and its sizes.
    """

    name: str
    type: str
    call: int
    output: Shape | None
    params: int
    trainable_params: int
    macs: int
    fields: tuple[Field, ...]
    memory: int
    note: str = ""
    kernel: Shape = ()

    @property
    def key(self) -> str:
        """The name, with ``#call`` from the second call on."""
        return self.name if self.call == 1 else f"{self.name}#{self.call}"


def layers_of(
    model: nn.Module, traced: Traced, depth: int | None, frozen: AbstractSet[int]
) -> list[LayerSummary]:
    """The rows in the order of the forward pass; modules that did not run come last.

    A module that calls no other is one row, and so is everything ``depth`` levels down, with all
    that it calls. ``frozen`` are the ids of parameters that are not trained.
    """
    writer = _Writer(model, traced.read, frozen)
    rows = list(writer.rows(traced.root, depth))
    return [*rows, *writer.idle(model)]


class _Writer:
    def __init__(self, model: nn.Module, read: AbstractSet[int], frozen: AbstractSet[int]) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.read, self.frozen = read, frozen
        self.counted: set[int] = set()
        self.opened: set[nn.Module] = set()  # what has rows of its own for what it calls
        self.written: set[nn.Module] = set()

    def rows(self, node: Node, depth: int | None) -> Iterator[LayerSummary]:
        """A call as one row, or as those of what it calls."""
        is_root = not node.name
        whole = not node.calls_modules and not (is_root and not _is_layer(node.module))
        if depth == 0 or node.module is None or whole:
            yield self._row(node)
            return
        yield from self._bare(node.module, node.name)
        self.opened.add(node.module)
        if node.macs:
            name = node.name or node.type
            yield LayerSummary(name, node.type, node.call, None, 0, 0, node.macs, (), 0, OWN_CODE)
        for child in node.children:
            yield from self.rows(child, None if depth is None else depth - 1)

    def idle(self, module: nn.Module) -> Iterator[LayerSummary]:
        """Modules that are in no row yet: the outermost of each, with all that they hold."""
        for child in module.children():
            if child in self.written:
                continue
            inner = set(child.modules()) & (self.opened | self.written)
            if child in self.opened or inner:
                yield from self._bare(child, self.names[child])
                yield from self.idle(child)
            else:
                yield self._idle_row(child)

    def _row(self, node: Node) -> LayerSummary:
        params, note = (0, 0), ""
        if node.module is not None:
            self.written.update(node.module.modules())
            held = list(node.module.parameters())
            params = self._count(held)
            note = COUNTED_ABOVE if held and not params[0] else ""
        fields = node.trace.fields if node.trace else ()
        return LayerSummary(
            node.name or node.type,
            node.type,
            node.call,
            without_batch(node),
            *params,
            node.all_macs,
            fields,
            node.size,
            "; ".join(filter(None, (node.note, note))),
            _kernel_of(node.module),
        )

    def _idle_row(self, module: nn.Module) -> LayerSummary:
        held = list(module.parameters())
        used = _is_script(module) or any(id(param) in self.read for param in held)
        name, kind = self.names[module], type(module).__name__
        self.written.update(module.modules())
        note = USED_BY_PARENT if used else NOT_RUN
        return LayerSummary(name, kind, 1, None, *self._count(held), 0, (), 0, note)

    def _bare(self, module: nn.Module, place: str) -> Iterator[LayerSummary]:
        """Parameters that the module at ``place`` holds itself, beside those of its layers."""
        for name, param in module.named_parameters(place, recurse=False):
            if id(param) not in self.counted and not is_lazy(param):
                count, shape = self._count([param]), tuple(param.shape)
                yield LayerSummary(name, "Parameter", 1, shape, *count, 0, (), 0)

    def _count(self, params: Iterable[Tensor]) -> tuple[int, int]:
        """How many numbers are new, and how many of them are trained."""
        known = [param for param in params if not is_lazy(param)]  # others never ran
        new = {id(param): param for param in known if id(param) not in self.counted}
        self.counted |= new.keys()
        trained = sum(param.numel() for key, param in new.items() if key not in self.frozen)
        return sum(param.numel() for param in new.values()), trained


def without_batch(node: Node) -> Shape | None:
    """The shape of a call's output for one image, or for one region of it."""
    if node.output and node.output[0] == node.batch:
        return node.output[1:]
    return node.output


def _kernel_of(module: nn.Module | None) -> Shape:
    """Channels that a filter reads and its sizes, of a convolution; empty of another layer."""
    if not isinstance(module, _ConvNd):
        return ()
    return module.in_channels // module.groups, *module.kernel_size


def _is_layer(module: nn.Module | None) -> bool:
    """Whether it is one of torch's own layers, or shows as little of what it calls."""
    return type(module).__module__.startswith("torch.nn.") or _is_script(module)


def _is_script(module: nn.Module | None) -> bool:
    """Whether it is TorchScript, which calls its modules without a hook."""
    return isinstance(module, torch.jit.ScriptModule)
