"""Runs a model and hands over what each of its layers put out, changing nothing."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from cnnviz.capturing.kinds import kind_of_module
from cnnviz.capturing.layout import Hints
from cnnviz.capturing.outputs import (
    FIRST_TOKEN,
    NOT_SELECTED,
    WEIGHTS,
    LayerOutput,
    never_ran,
    outputs_of,
)
from cnnviz.capturing.watch import Watch
from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.capturing.outputs import Values
    from cnnviz.capturing.watch import Call

    Wants = Callable[[LayerOutput], bool]
    Receive = Callable[[LayerOutput, Call], None]

ATTENTION = (WEIGHTS, FIRST_TOKEN)


@dataclass(frozen=True)
class Run:
    """A model's output for one input, and its layers in call order.

    ``output`` is without the batch axis where it is a tensor, else as the model returns it.
    Layers that never ran come last. ``same_output``: with hooks the model put out, bit for bit,
    what it puts out without; None where that was not asked. ``restored`` are buffers that the run
    had changed and that were put back.
    """

    output: Any
    layers: list[LayerOutput]
    same_output: bool | None = None
    restored: tuple[str, ...] = ()


def is_leaf(layer: LayerOutput) -> bool:
    """Whether it is a layer that contains no others, and no function in between."""
    return layer.kind != "block" and layer.type != "function" and layer.field not in ATTENTION


def run_and_capture(
    model: nn.Module,
    *inputs: Any,
    wants: Wants = is_leaf,
    receive: Receive | None = None,
    hints: Hints | None = None,
    check: bool = False,
    **arguments: Any,
) -> Run:
    """Run ``model`` on one image, (1, C, H, W), and keep the outputs that ``wants`` chooses.

    The model runs in eval mode without gradients, and is left as it was: modes, buffers, hooks.
    Outputs are copied as they appear, because a later layer may work in place. With ``receive``
    each is handed over at once and not kept; it is called within the model's run. ``check`` runs
    the model a second time without hooks and compares.

    Raises:
        CnnvizError: the model failed on this input; names the layer, or the last one before.
    """
    capture = Capture(model, wants, receive, hints)
    with capture.quiet():
        expected = _checked(model, inputs, arguments) if check else None
        with capture:
            output = capture.run(*inputs, **arguments)
    same = _same(output, expected) if check else None
    bare = output[0] if isinstance(output, Tensor) and output.ndim else output
    return Run(bare, capture.layers, same, capture.restored)


def survey(model: nn.Module, *inputs: Any, hints: Hints | None = None, **arguments: Any) -> Run:
    """What a run puts out, blocks included, without any values kept: also on the meta device.

    Raises:
        CnnvizError: the model failed.
    """
    capture = Capture(model, lambda _: False, None, hints)
    capture.with_blocks = True
    with capture:
        output = capture.run(*inputs, **arguments)
    return Run(output, capture.layers)


def feature_maps(
    model: nn.Module, *inputs: Any, **arguments: Any
) -> dict[str, NDArray[np.float32]]:
    """Each layer's output for one image, (1, C, H, W): arrays of (C, H, W) or (C,) by name.

    Keys are torch's dotted names, with ``#2``, ``#3``, … for further calls of a layer, and the
    field where a layer puts out several tensors.

    Raises:
        CnnvizError: the model failed on this input.
    """
    run = run_and_capture(model, *inputs, **arguments)
    return {layer.key: layer.values.numpy() for layer in run.layers if layer.values is not None}


class Capture:
    """Within, every run of ``model`` adds its layers' outputs to ``layers``.

    ``maps[key]`` is the array of one of them, as ``feature_maps`` gives it. What ``wants`` does
    not choose is in ``layers`` without values; blocks only with ``with_blocks``.
    """

    with_blocks = False

    def __init__(
        self,
        model: nn.Module,
        wants: Wants = is_leaf,
        receive: Receive | None = None,
        hints: Hints | None = None,
    ) -> None:
        self.model, self.wants, self.receive = model, wants, receive
        self.layers: list[LayerOutput] = []
        self.restored: tuple[str, ...] = ()
        self.hints = hints or Hints.of(model)
        self._watch = Watch(model, self._on_call, self.hints)
        self._names = _names(model)
        self._exits = ExitStack()
        self._fault: Exception | None = None

    def __enter__(self) -> Capture:
        self._exits.enter_context(self.quiet())
        self._exits.enter_context(self._watch)
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()
        self.layers += self._silent()

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        for layer in self.layers:
            if layer.key == key and layer.values is not None:
                values: NDArray[np.float32] = layer.values.numpy()
                return values
        raise KeyError(key)

    def run(self, *inputs: Any, **arguments: Any) -> Any:
        """What the model returns.

        Raises:
            CnnvizError: it failed.
        """
        try:
            output = self.model(*inputs, **arguments)
        except Exception as error:  # a model is somebody's code and raises what it likes
            if self._fault is not None:
                raise self._fault from None
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise CnnvizError(f"the model failed{self._watch.place}: {said}") from error
        if self._fault is not None:  # and the model's code caught it
            raise self._fault
        return output

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within, the model is in eval mode without gradients; it is left as it was."""
        modes = {module: module.training for module in self.model.modules()}
        buffers = list(_buffers(self.model))
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # hooks would turn it off, and change bits
        try:
            self.model.eval()
            with torch.inference_mode():
                yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            for module, mode in modes.items():
                module.training = mode
            self.restored += tuple(_restore(buffers))

    def _on_call(self, call: Call) -> None:
        try:
            watch = self._watch
            for described, values in outputs_of(call, watch.layout_of, self.hints, watch.grid):
                self._add(described, values, call)
        except Exception as error:
            self._fault = self._fault or error
            raise

    def _add(self, described: LayerOutput, values: Values | None, call: Call) -> None:
        aliases = self._names[call.module][1:] if call.module in self._names else ()
        layer = replace(described, aliases=aliases)
        chosen = self.wants(layer)
        if layer.kind == "block" and not chosen and not self.with_blocks:
            return
        if values is not None:
            # .detach().cpu() would copy nothing on a CPU; half and whole numbers are cast first.
            kept = values().detach().to("cpu", torch.float32, copy=True) if chosen else None
            layer = replace(layer, values=kept, reason=None if chosen else NOT_SELECTED)
        if self.receive is not None:
            self.receive(layer, call)
            layer = replace(layer, values=None)
        self.layers.append(layer)

    def _silent(self) -> Iterator[LayerOutput]:
        """Layers that were not called."""
        for name, module in self.model.named_modules():
            if any(module.children()) or module in self._watch.ran:
                continue
            read = any(id(param) in self._watch.read for param in module.parameters())
            entry = never_ran(module, name, self._names, read=read)
            yield replace(entry, kind=kind_of_module(module))


def _names(model: nn.Module) -> dict[nn.Module | None, tuple[str, ...]]:
    """Every name of every module: one module may stand in several places."""
    names: dict[nn.Module | None, tuple[str, ...]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names[module] = (*names.get(module, ()), name)
    return names


@dataclass(frozen=True)
class _Buffer:
    """A buffer as it was: which tensor, and what was in it."""

    owner: nn.Module
    name: str
    path: str
    tensor: Tensor
    values: Tensor


def _buffers(model: nn.Module) -> Iterator[_Buffer]:
    for prefix, module in model.named_modules():
        for name, tensor in module.named_buffers(recurse=False):
            path = f"{prefix}.{name}".lstrip(".")
            yield _Buffer(module, name, path, tensor, tensor.clone())


def _restore(buffers: list[_Buffer]) -> Iterator[str]:
    """Put back the buffers that a run has changed, and name them."""
    for buffer in buffers:
        now = buffer.owner._buffers[buffer.name]
        same = now is buffer.tensor
        if not same:
            buffer.owner._buffers[buffer.name] = buffer.tensor
        if not _equal(buffer.tensor, buffer.values):
            with torch.no_grad():
                buffer.tensor.copy_(buffer.values)
            same = False
        if not same:
            yield buffer.path


def _checked(model: nn.Module, inputs: Any, arguments: dict[str, Any]) -> Any:
    """The output without hooks; where that fails, the run with hooks will say how."""
    with torch.random.fork_rng():  # a model that draws lots draws the same with hooks
        try:
            return model(*inputs, **arguments)
        except Exception:  # a model is somebody's code and raises what it likes
            return None


def _same(output: Any, expected: Any) -> bool:
    ours, shape = tree_flatten(output)
    theirs, other = tree_flatten(expected)
    return shape == other and all(map(_equal, ours, theirs))


def _equal(one: Any, other: Any) -> bool:
    """Whether values are the same, NaN the same as NaN."""
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return bool(one == other) if type(one) is type(other) else False
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.is_meta:
        return other.is_meta
    return bool(((one == other) | ((one != one) & (other != other))).all())  # noqa: PLR0124
