"""Sees every call of a module, and of a function in between, as a model runs."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.capturing import layout
from cnnviz.capturing.kinds import kind_of_function, kind_of_module
from cnnviz.capturing.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnviz.capturing.layout import Grid, Hints

# x += y and x + y are one function to the reader.
OPERATORS = {"iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul"}
OPERATORS |= {"itruediv": "div", "truediv": "div", "rtruediv": "div", "imatmul": "matmul"}

# These arrange, copy or cast values that a row before shows.
ARRANGING = {
    *("view", "view_as", "reshape", "reshape_as", "permute", "transpose", "swapaxes", "swapdims"),
    *("flatten", "unflatten", "contiguous", "expand", "expand_as", "getitem", "squeeze", "t"),
    *("unsqueeze", "chunk", "split", "tensor_split", "unbind", "movedim", "to", "type", "type_as"),
    *("float", "half", "double", "bfloat16", "clone", "detach", "cpu", "cuda", "requires_grad_"),
    *("repeat", "narrow", "select", "unfold", "unsafe_chunk", "roll", "dropout", "get"),
}


@dataclass(frozen=True)
class Call:
    """One call of a ``module``, or of a ``function`` by name, as it has just returned.

    ``name`` is torch's dotted path, of a function that of the module around and its own; ``call``
    counts from 1. ``inputs``, ``arguments`` (those given by name) and ``output`` are the live ones:
    what follows may write into them.
    """

    name: str
    kind: str
    call: int
    inputs: tuple[Any, ...]
    arguments: dict[str, Any]
    output: Any
    module: nn.Module | None = None
    function: str = ""

    @property
    def type(self) -> str:
        """The module's class, or "function"."""
        return "function" if self.module is None else type(self.module).__name__


class Watch:
    """Within, ``on_call`` gets every call of ``model``'s modules and of functions between them.

    A module without others in it is one call, whatever its code calls; of the other modules the
    functions are seen too. Where code fails, ``place`` says how far it got.
    """

    def __init__(self, model: nn.Module, on_call: Callable[[Call], None], hints: Hints) -> None:
        self.model, self.on_call, self.hints = model, on_call, hints
        self.place = ""
        self.busy = False
        self.grid: Grid | None = None  # of the tokens that were last made of a map
        self.read: set[int] = set()  # ids of parameters that functions were given
        self.ran: set[nn.Module] = set()
        self._calls: Counter[str] = Counter()
        self._open: list[tuple[str, nn.Module]] = []
        # What is computed from the input, with its axes where they are known.
        self._layouts = WeakTensorKeyDictionary()
        self._exits = ExitStack()

    def __enter__(self) -> Watch:
        for name, module in self.model.named_modules():
            before = module.register_forward_pre_hook(partial(self._enter, name), with_kwargs=True)
            after = module.register_forward_hook(partial(self._leave, name), with_kwargs=True)
            self._exits.callback(before.remove)
            self._exits.callback(after.remove)
        self._exits.enter_context(_Functions(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    def layout_of(self, tensor: Tensor) -> Layout | None:
        """How the axes of a tensor of this run are read."""
        return self._layouts.get(tensor) or layout.usual(tensor, self.hints)

    def _enter(self, name: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._open:
            self._open_run(args, kwargs)
        self._open.append((name, module))
        if not any(module.children()):
            self.place = f" in layer {name or type(module).__name__}"

    def _open_run(self, args: Any, kwargs: Any) -> None:
        for tensor in _tensors((args, kwargs)):
            axes = layout.FIRST.get(tensor.ndim)
            self._layouts[tensor] = Layout(axes) if axes else None

    def _leave(self, name: str, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        while self._open and self._open.pop()[1] is not module:
            pass  # calls that failed, and whose failure the model's code caught
        kind = type(module).__name__
        self.ran.add(module)
        given = self._given((args, kwargs))
        for tensor in _tensors(output):
            said = layout.of_module(module, given, tensor)
            if said is None and tensor not in self._layouts:
                said = given if given and len(given.axes) == tensor.ndim else None
            if said is not None or tensor not in self._layouts:
                self._layouts[tensor] = said
        leaf = not any(module.children())
        if leaf:  # a parent's own code may fail between two layers
            self.place = f" after layer {name or kind}"
        if name or leaf:
            self._report(name or kind, kind_of_module(module), (args, kwargs), output, module)

    def _given(self, inputs: Any) -> Layout | None:
        known = (self._layouts.get(tensor) for tensor in _tensors(inputs))
        return next(filter(None, known), None)

    def function(self, name: str, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """Note what a function returned, and report it unless it only arranges values."""
        given = list(_tensors((args, kwargs)))
        self.read.update(id(tensor) for tensor in given if isinstance(tensor, nn.Parameter))
        results = list(_tensors(output))
        if not results or not any(tensor in self._layouts for tensor in given):
            return
        for tensor in results:
            fits = (self._layouts.get(one) for one in given)
            known = [one for one in fits if one]
            same = [one for one in known if len(one.axes) == tensor.ndim]
            source = self._layouts.get(given[0]) or next(iter(same or known), None)
            said = layout.of_function(name, [*args, *kwargs.values()], source, tensor)
            self._layouts[tensor] = said
            self.grid = said.grid if said and said.grid else self.grid
        if name in ARRANGING or not self._open or _is_layer(*self._open[-1]):
            return
        path = f"{self._open[-1][0]}.{name}".lstrip(".")
        self._report(path, kind_of_function(name), (args, kwargs), output, function=name)

    def _report(
        self,
        name: str,
        kind: str,
        given: tuple[tuple[Any, ...], dict[str, Any]],
        output: Any,
        module: nn.Module | None = None,
        function: str = "",
    ) -> None:
        self._calls[name] += 1
        self.busy = True  # what is computed of a call is not part of the model's run
        try:
            self.on_call(Call(name, kind, self._calls[name], *given, output, module, function))
        finally:
            self.busy = False


class _Functions(TorchFunctionMode):
    """Hands what a module's own code calls to a watch: torch.cat, x + y, functional.relu."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func`` and report it."""
        output = func(*args, **(kwargs or {}))
        if self.watch.busy:
            return output
        name = getattr(func, "__name__", "function").strip("_")
        self.watch.function(OPERATORS.get(name, name), args, kwargs or {}, output)
        return output


def _is_layer(name: str, module: nn.Module) -> bool:
    """Whether what a module's own code calls is its own affair."""
    is_torchs = type(module).__module__.startswith("torch.nn.")
    return is_torchs or bool(name and not any(module.children()))


def _tensors(values: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor))
