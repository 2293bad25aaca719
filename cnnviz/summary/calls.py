"""The tree of calls that a run of a model leaves: modules, functions, and what they did."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.summary.rules import Call, follow

if TYPE_CHECKING:
    from contextlib import ExitStack

    from cnnviz.shapes.layer import Shape
    from cnnviz.summary.trace import Trace

# Of their argument these take the shape, and not the values.
SHAPE_ONLY = re.compile(r"\w+_like|new_(zeros|ones|empty|full)\w*")


@dataclass
class Node:
    """One call of a module, or of a function where ``module`` is None.

    ``output`` is the shape of its first tensor, with the batch, and ``returned`` how many tensors
    there are. ``size`` are the bytes of all of them that lie in new memory. ``macs`` are its own,
    without those of ``children``. ``depth`` is the number of layers with weights before its end,
    None where torch does not show a way from the input. ``batch`` is how many it works on at
    once, ``note`` what is special about that; ``start`` counts the operations before it.
    """

    name: str
    type: str
    module: nn.Module | None
    call: int = 1
    batch: int = 1
    note: str = ""
    start: int = 0
    macs: int = 0
    operations: int = 0
    output: Shape | None = None
    returned: int = 0
    size: int = 0
    depth: int | None = None
    trace: Trace | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def calls_modules(self) -> bool:
        """Whether another module is called within, beside those that only make its weights."""
        if self.module is not None and _only_parametrized(self.module):
            return False
        return any(c.module is not None or c.calls_modules for c in self.children)

    @property
    def all_macs(self) -> int:
        """Its multiply-adds, with those of all that is called within."""
        return self.macs + sum(child.all_macs for child in self.children)


def _only_parametrized(module: nn.Module) -> bool:
    return is_parametrized(module) and {*dict(module.named_children())} == {"parametrizations"}


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of what a model returns: in containers, and in objects as attributes."""
    leaves: list[Any] = []
    for leaf in tree_leaves(value):
        is_object = not isinstance(leaf, (Tensor, nn.Module, type))
        leaves += tree_leaves(getattr(leaf, "__dict__", {})) if is_object else [leaf]
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and not is_lazy(leaf)]


class Tracer:
    """The tree of calls as it grows, and what is known of every tensor alive.

    ``batch`` and ``note`` are those of the calls to come. ``births`` tells, for a tensor, how many
    operations had run when its memory was written.
    """

    def __init__(self, model: str) -> None:
        self.root = Node("", model, None)
        self.stack = [self.root]
        self.batch, self.note, self.clock = 1, "", 0
        self.calls: Counter[str] = Counter()
        self.traces = WeakTensorKeyDictionary()  # None: does not depend on the input
        self.births = WeakTensorKeyDictionary()
        self.read: set[int] = set()

    @property
    def place(self) -> str:
        """The module that runs now, by name, with its arguments where it is a single layer."""
        for node in reversed(self.stack):
            if node.module is not None:
                single = not any(node.module.children())
                layer = " ".join(str(node.module).split())
                return f"{node.name}, {layer}" if single else node.name
        return ""

    def give(self, tensor: Tensor, trace: Trace) -> None:
        """Let ``tensor`` be an input, of which ``trace`` is known."""
        self.traces[tensor] = trace
        self.births[tensor] = self.clock

    def listen(self, name: str, module: nn.Module, stack: ExitStack) -> None:
        """Hook a module, until ``stack`` closes; TorchScript's take no hooks."""
        if isinstance(module, torch.jit.ScriptModule):
            return
        before = module.register_forward_pre_hook(partial(self._enter, name))
        after = module.register_forward_hook(self._leave)
        stack.callback(before.remove)
        stack.callback(after.remove)

    def _enter(self, name: str, module: nn.Module, _: Any) -> None:
        self._begin(name, type(module).__name__, module)

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        node = self.stack.pop()
        node.type = type(module).__name__  # lazy modules change theirs as they run
        self.finish(node, output, inputs)

    def _begin(self, name: str, kind: str, module: nn.Module | None) -> Node:
        self.calls[name] += 1
        node = Node(name, kind, module, self.calls[name], self.batch, self.note, self.clock)
        self.stack[-1].children.append(node)
        self.stack.append(node)
        return node

    def stand_in(self, name: str, module: nn.Module, output: Tensor, trace: Trace) -> None:
        """A call that was not made, of which ``output`` and its ``trace`` are known."""
        node = self._begin(name, type(module).__name__, module)
        self.stack.pop()
        self.clock += 1
        self.give(output, trace)
        self.finish(node, output, ())

    def function(self, name: str, run: Any) -> Any:
        """Run a function as a node of its own, which stays if it worked on the input."""
        parent = self.stack[-1]
        node = self._begin(f"{parent.name}.{name}".lstrip("."), "function", None)
        output = run()
        self.stack.pop()
        self.finish(node, output, ())
        if node.trace is None or not node.operations:
            parent.children.pop()
            parent.macs += node.macs
            parent.operations += node.operations
            self.calls[node.name] -= 1
        return output

    def finish(self, node: Node, output: Any, inputs: Any) -> None:
        """Note what a call returned."""
        tensors = list({id(tensor): tensor for tensor in tensors_in(output)}.values())
        if not tensors:
            return
        given = {id(tensor) for tensor in tensors_in(inputs)}
        fresh = [t for t in tensors if id(t) in given or self._birth(t) > node.start]
        traces = [trace for t in tensors if (trace := self.traces.get(t)) is not None]
        node.output, node.returned = tuple(tensors[0].shape), len(tensors)
        node.trace = self.traces.get(tensors[0])
        node.depth = max((trace.depth for trace in traces), default=None)
        node.size = sum(tensor.numel() * tensor.element_size() for tensor in fresh)

    def _birth(self, tensor: Tensor) -> int:
        """When its memory was written; what came past torch is new."""
        known: int | None = self.births.get(tensor)
        unseen = 0 if isinstance(tensor, nn.Parameter) else self.clock + 1
        return unseen if known is None else known

    def operation(self, func: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """Count one of torch's operations, and follow what its output reads."""
        node = self.stack[-1]
        node.operations += 1
        self.clock += 1
        formula = flop_registry.get(func.overloadpacket)
        if formula:
            node.macs += formula(*args, **kwargs, out_val=output) // 2
        arguments = func._schema.arguments
        given = {a.name: value for a, value in zip(arguments, args, strict=False)} | kwargs
        traces = self._traces_of(given)
        written = [a.name for a in arguments if a.alias_info and a.alias_info.is_write]
        for name in written:
            if traces.keys() - {name}:
                self._taint(given[name], traces)
        viewed = [a.name for a in arguments if a.alias_info and not a.alias_info.is_write]
        base = given.get(viewed[0]) if viewed else None
        birth = self._birth(base) if isinstance(base, Tensor) else self.clock
        for tensor in output if isinstance(output, (list, tuple)) else [output]:
            if isinstance(tensor, Tensor):
                self._record(func, given, traces, tensor)
                self.births[tensor] = birth

    def _record(
        self, func: Any, given: dict[str, Any], traces: dict[str, Trace], tensor: Tensor
    ) -> None:
        name = func._schema.name.partition("::")[2]
        if not traces or SHAPE_ONLY.fullmatch(name):
            self.traces[tensor] = None
            return
        call = Call(name, given, traces, tuple(tensor.shape))
        self.traces[tensor] = follow(call, pointwise=torch.Tag.pointwise in func.tags)

    def _traces_of(self, given: dict[str, Any]) -> dict[str, Trace]:
        """Those of the arguments that depend on the input, and a note of parameters."""
        found = {}
        for name, value in given.items():
            for number, tensor in enumerate(value if isinstance(value, (list, tuple)) else [value]):
                if isinstance(tensor, nn.Parameter):
                    self.read.add(id(tensor))
                if isinstance(tensor, Tensor) and (trace := self.traces.get(tensor)) is not None:
                    found[f"{name}{number or ''}"] = trace
        return found

    def _taint(self, written: Tensor, traces: dict[str, Trace]) -> None:
        """Other tensors that share memory with one that is written to are no longer known."""
        place = written.untyped_storage()._cdata
        for tensor in list(self.traces):
            if tensor is not written and tensor.untyped_storage()._cdata == place:
                call = Call("", {}, traces, tuple(tensor.shape))
                self.traces[tensor] = follow(call, pointwise=False)
