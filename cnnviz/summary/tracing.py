"""Runs a model on no values at all and notes every call of a module and of a function.

Inputs and parameters lie on torch's meta device, where operations compute shapes only. A dispatch
mode sees every operation: it counts the multiply-adds, and follows what each tensor reads of the
input. Hooks on the modules, and a mode for functions, say on whose behalf.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.errors import CnnvizError
from cnnviz.shapes.notation import size_text
from cnnviz.summary.rules import Call, follow
from cnnviz.summary.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnviz.shapes.layer import Shape

# x += y and x + y are one function to the reader.
OPERATORS = {"iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul"}
OPERATORS |= {"itruediv": "div", "truediv": "div", "rtruediv": "div", "imatmul": "matmul"}

# Of their argument these take the shape, and not the values.
SHAPE_ONLY = re.compile(r"\w+_like|new_(zeros|ones|empty|full)\w*")

# These would be taken apart into reading by index, which says nothing of where.
KEPT = {getattr(torch.ops.aten, f"upsample_nearest{axes}d") for axes in (1, 2, 3)}


@dataclass
class Node:
    """One call of a module, or of a function where ``module`` is None.

    ``output`` is the shape of its first tensor, with the batch; ``size`` its bytes, 0 where it
    only looks at another tensor's. ``macs`` are its own, without those of ``children``.
    """

    name: str
    type: str
    module: nn.Module | None
    call: int = 1
    macs: int = 0
    operations: int = 0
    output: Shape = ()
    size: int = 0
    trace: Trace | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def calls_modules(self) -> bool:
        """Whether another module is called within."""
        return any(c.module is not None or c.calls_modules for c in self.children)

    @property
    def all_macs(self) -> int:
        """Its multiply-adds, with those of all that is called within."""
        return self.macs + sum(child.all_macs for child in self.children)


@dataclass(frozen=True)
class Traced:
    """What one run showed: the tree of calls, and the parameters that were read in it, by id."""

    root: Node
    read: frozenset[int]


def trace_model(model: nn.Module, shape: Shape, device: torch.device) -> Traced:
    """Run ``model`` on one image of ``shape``, in eval mode and without gradients.

    It is left in the mode it was in, without hooks. Of a detector only the backbone runs: what its
    heads read depends on what is in the image.

    Raises:
        CnnvizError: the model failed on this input; the last layer is named.
    """
    image = torch.zeros(1, *shape, device=device)
    tracer = Tracer(type(model).__name__)
    tracer.traces[image] = Trace.of_input((1, *shape))
    modes = {module: module.training for module in model.modules()}
    runs = model.get_submodule("backbone") if is_detector(model) else model
    try:
        with ExitStack() as stack:
            stack.callback(_restore, modes)
            for name, module in model.named_modules():
                if name:
                    tracer.listen(name, module, stack)
            model.eval()
            stack.enter_context(_no_shortcuts())
            stack.enter_context(_Operations(tracer))
            stack.enter_context(_Functions(tracer))
            tracer.finish(tracer.root, runs(image), (image,))
    except Exception as error:  # a model is somebody's code and raises what it likes
        where = f" in {tracer.place}" if tracer.place else ""
        said = f"{type(error).__name__}: {_one_line(error)}"
        text = f"the model failed on an input of {size_text(shape)}{where}: {said}"
        raise CnnvizError(f"{text}; give an input that it takes") from error
    tracer.root.module = model
    return Traced(tracer.root, frozenset(tracer.read))


def is_detector(model: nn.Module) -> bool:
    """Whether the model is one of torchvision's detectors."""
    return type(model).__module__.startswith("torchvision.models.detection") and hasattr(
        model, "backbone"
    )


@contextmanager
def _no_shortcuts() -> Iterator[None]:
    """Attention in its plain form, whose products are counted; fused forms exist on devices."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _one_line(what: object) -> str:
    return " ".join(str(what).split())[:400]


def _restore(modes: dict[nn.Module, bool]) -> None:
    for module, mode in modes.items():
        module.training = mode


class Tracer:
    """The tree of calls as it grows, and what is known of every tensor alive."""

    def __init__(self, model: str) -> None:
        self.root = Node("", model, None)
        self.stack = [self.root]
        self.calls: Counter[str] = Counter()
        self.traces = WeakTensorKeyDictionary()  # None: does not depend on the input
        self.views = WeakTensorKeyDictionary()
        self.read: set[int] = set()

    @property
    def place(self) -> str:
        """The module that runs now, by name, with its arguments where it is a single layer."""
        for node in reversed(self.stack):
            if node.module is not None:
                single = not any(node.module.children())
                return f"{node.name}, {_one_line(node.module)}" if single else node.name
        return ""

    def listen(self, name: str, module: nn.Module, stack: ExitStack) -> None:
        """Hook a module, until ``stack`` closes."""
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
        node = Node(name, kind, module, self.calls[name])
        self.stack[-1].children.append(node)
        self.stack.append(node)
        return node

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
        tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        if not tensors:
            return
        first = tensors[0]
        node.output = tuple(first.shape)
        node.trace = self.traces.get(first)
        handed_on = any(first is leaf for leaf in tree_leaves(inputs))
        if handed_on or first not in self.views:
            node.size = first.numel() * first.element_size()

    def operation(self, func: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """Count one of torch's operations, and follow what its output reads."""
        node = self.stack[-1]
        node.operations += 1
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
        is_view = any(r.alias_info and not r.alias_info.is_write for r in func._schema.returns)
        for tensor in output if isinstance(output, (list, tuple)) else [output]:
            if isinstance(tensor, Tensor):
                self._record(func, given, traces, tensor)
                if is_view:
                    self.views[tensor] = True

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


class _Operations(TorchDispatchMode):
    """Hands every operation that torch really runs to a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tracer = tracer

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func``, or the simpler operations that it is made of."""
        kwargs = kwargs or {}
        whole = func is torch.ops.prim.device.default or func.overloadpacket in KEPT
        if not whole and func.overloadpacket not in flop_registry:
            with self:
                simpler = func.decompose(*args, **kwargs)
            if simpler is not NotImplemented:
                return simpler
        output = func(*args, **kwargs)
        self.tracer.operation(func, args, kwargs, output)
        return output


class _Functions(TorchFunctionMode):
    """Names what a module's own code calls: torch.cat, x + y, functional.relu."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func`` as a node of the tree."""
        name = getattr(func, "__name__", "function").strip("_")
        run = partial(func, *args, **(kwargs or {}))
        return self.tracer.function(OPERATORS.get(name, name), run)
