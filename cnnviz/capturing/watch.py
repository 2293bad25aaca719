"""Sees every call of a module, and of a function in between, as a model runs."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.capturing import layout
from cnnviz.capturing.attention import is_attention
from cnnviz.capturing.fields import tensors_in
from cnnviz.capturing.functions import Functions, is_arranging
from cnnviz.capturing.kinds import contains_layers, kind_of_function, kind_of_module
from cnnviz.capturing.layout import Layout
from cnnviz.models.programs.operations import Operation, Operations, unroll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnviz.capturing.hints import Hints
    from cnnviz.capturing.layout import Grid

SEVERAL_OUTPUTS = ("lstm", "gru", "rnn_tanh", "rnn_relu", "split", "chunk", "unbind")


@dataclass(frozen=True)
class Call:
    """One call of a ``module``, or of a ``function`` by name, as it has just returned.

    ``name`` is torch's dotted path, of a function that of the module around and its own; ``call``
    counts from 1. ``inputs``, ``arguments`` (those given by name) and ``output`` are the live ones:
    what follows may write into them. Of a call that failed the ``output`` is the exception.
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


@dataclass(frozen=True)
class _Open:
    """A module's call that has not returned, and what was being handled when it began.

    What the module is holds for the whole call, also where its code adds or deletes layers.
    """

    name: str
    module: nn.Module
    kind: str
    is_leaf: bool
    error: BaseException | None


class Watch:
    """Within, ``on_call`` gets every call of ``model``'s modules and of functions between them.

    A module without others in it is one call, whatever its code calls; of the other modules the
    functions are seen too. Where code fails, ``place`` says how far it got, and ``failed`` what
    the last failure was.
    """

    def __init__(self, model: nn.Module, on_call: Callable[[Call], None], hints: Hints) -> None:
        self.model, self.on_call, self.hints = model, on_call, hints
        self.place = ""
        self.failed: BaseException | None = None
        self.busy = False
        self.grid: Grid | None = None  # of the tokens that were last made of a map
        self.read: set[int] = set()  # ids of parameters that functions were given
        self.ran: set[nn.Module] = set()
        self.listening: set[nn.Module] = set()
        self._calls: Counter[str] = Counter()
        self._open: list[_Open] = []
        # What is computed from the input, with its axes where they are known.
        self._layouts = WeakTensorKeyDictionary()
        self._exits = ExitStack()

    def __enter__(self) -> Watch:
        with ExitStack() as stack:
            stack.callback(self.listening.clear)
            self._exits = stack
            self._listen()
            stack.enter_context(Functions(self))
            self._exits = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    def layout_of(self, tensor: Tensor) -> Layout | None:
        """How the axes of a tensor of this run are read."""
        return self._layouts.get(tensor) or layout.usual(tensor, self.hints)

    def _listen(self) -> None:
        """Put hooks on the modules that have none of this watch's yet."""
        for name, module in layers_of(self.model):
            if module in self.listening or isinstance(module, torch.jit.ScriptModule):
                continue
            self.listening.add(module)
            before = module.register_forward_pre_hook(partial(self._enter, name), with_kwargs=True)
            self._exits.callback(before.remove)
            after = module.register_forward_hook(
                partial(self._leave, name), with_kwargs=True, always_call=True
            )
            self._exits.callback(after.remove)

    def _enter(self, name: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self.busy:
            return
        if not self._open:
            self._open_run(module, args, kwargs)
        kind, is_leaf = kind_of_module(module), not contains_layers(module)
        self._open.append(_Open(name, module, kind, is_leaf, sys.exc_info()[1]))
        if kind != "block":
            self.place = f" in layer {name or type(module).__name__}"

    def _open_run(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if isinstance(module, Operations):
            unroll(module, *args)
        self._listen()  # to what was added since
        for tensor in tensors_in((args, kwargs)):
            axes = layout.FIRST.get(tensor.ndim)
            self._layouts[tensor] = Layout(axes) if axes else None

    def _leave(self, name: str, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if self.busy or not self._open or self._open[-1].module is not module:
            return
        opened, error = self._open.pop(), sys.exc_info()[1]
        named = name or type(module).__name__
        if output is None and error is not None and error is not opened.error:
            output = self.failed = error  # a hook is told of failures by nothing else
        elif opened.kind != "block":  # a parent's own code may fail between two layers
            self.place = f" after layer {named}"
        self.ran.add(module)
        if isinstance(module, Operation):
            output = _result(module, output)
        self._follow(module, args, kwargs, output)
        if name or opened.is_leaf:
            self._report(named, opened.kind, (args, kwargs), output, module)

    def _follow(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Note how the axes of a module's output are read."""
        given = self._given(kwargs["run"].args if isinstance(module, Operation) else (args, kwargs))
        for place, tensor in enumerate(tensors_in(output)):
            said = layout.of_module(module, given, tensor, place)
            if isinstance(module, Operation):
                kind, run = type(module).__name__, kwargs["run"]
                said = layout.of_function(kind, run.args, run.keywords, given, tensor)
            elif said is None and tensor not in self._layouts:
                said = given if given and len(given.axes) == tensor.ndim else None
            if said is not None or tensor not in self._layouts:
                self._layouts[tensor] = said
            self.grid = said.grid if said and said.grid else self.grid

    def _given(self, inputs: Any) -> Layout | None:
        known = (self._layouts.get(tensor) for tensor in tensors_in(inputs))
        return next(filter(None, known), None)

    def function(self, name: str, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """Note what a function returned, and report it unless it only arranges values."""
        given = list(tensors_in((args, kwargs)))
        self.read.update(id(tensor) for tensor in given if isinstance(tensor, nn.Parameter))
        results = list(tensors_in(output))
        if not results or not any(tensor in self._layouts for tensor in given):
            return
        for tensor in results:
            known = [one for one in map(self._layouts.get, given) if one]
            same = [one for one in known if len(one.axes) == tensor.ndim]
            source = next(iter(same or known), None)
            said = layout.of_function(name, args, kwargs, source, tensor)
            self._layouts[tensor] = said
            self.grid = said.grid if said and said.grid else self.grid
        is_figure = all(tensor.ndim == 0 for tensor in results)  # to decide by, and no map
        if is_figure or is_arranging(name) or not self._open or _is_layer(self._open[-1]):
            return
        around = self._open[-1]
        kind = kind_of_function(name)
        if is_attention(name, around.module):
            kind = "attention"
        path = f"{around.name}.{name}".lstrip(".")
        self._report(path, kind, (args, kwargs), output, function=name)

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


def layers_of(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Each module by its name, without those that compute a layer's weights."""
    inside: set[nn.Module] = set()
    for name, module in model.named_modules():
        if isinstance(module, ParametrizationList):
            inside.update(module.modules())
        if module not in inside and not name.endswith("parametrizations"):
            yield name, module


def _result(operation: Operation, output: Any) -> Any:
    """What an operation computes, without what it notes for training besides."""
    plain = isinstance(output, (tuple, list)) and type(operation).__name__ not in SEVERAL_OUTPUTS
    return output[0] if plain and output else output


def _is_layer(one: _Open) -> bool:
    """Whether what a module's own code calls is its own affair."""
    is_torchs = type(one.module).__module__.startswith("torch.nn.")
    return is_torchs or bool(one.name and one.is_leaf)
