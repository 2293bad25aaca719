"""Runs a model and hands over what each of its layers put out, changing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cnnviz.capturing.hints import Hints
from cnnviz.capturing.kinds import contains_layers, kind_of_module
from cnnviz.capturing.outputs import (
    FIRST_TOKEN,
    IN_TORCHSCRIPT,
    INSIDE_PARENT,
    MADE_MEANWHILE,
    NEVER_RAN,
    NOT_SELECTED,
    WEIGHTS,
    LayerOutput,
    outputs_of,
)
from cnnviz.capturing.untouched import copied, is_same, quiet, same_lots
from cnnviz.capturing.watch import Watch, layers_of
from cnnviz.errors import CnnvizError, spoken
from cnnviz.models.building.wrappers import inside
from cnnviz.models.programs.operations import Operations, complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.capturing.attention import Values
    from cnnviz.capturing.watch import Call

    Wants = Callable[[LayerOutput], bool]
    Receive = Callable[[LayerOutput, Call], None]

ATTENTION = (WEIGHTS, FIRST_TOKEN)
SUMS = ("function", "attention")  # kinds of functions that are no layers
OPERATIONS_NOTE = "TorchScript: the layers are the operations that it runs, not its modules"


@dataclass(frozen=True)
class Run:
    """A model's output for one input, and its layers in call order.

    ``output`` is without the batch axis where it is a tensor, else as the model returns it.
    Layers that never ran come last. ``same_output``: with hooks the model put out, bit for bit,
    what it puts out without; None where that was not asked. ``restored`` are buffers that the run
    had changed and that were put back. ``notes`` say what of the model was listened to.
    """

    output: Any
    layers: list[LayerOutput]
    same_output: bool | None = None
    restored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def is_leaf(layer: LayerOutput) -> bool:
    """Whether it is a layer that contains no others: a module, or a function that is the same."""
    is_layer = layer.kind not in SUMS if layer.type == "function" else layer.kind != "block"
    return is_layer and layer.field not in ATTENTION


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

    The model runs in eval mode without gradients, and is left as it was: modes, buffers, hooks,
    and its inputs. Outputs are copied as they appear, because a later layer may work in place. With
    ``receive`` each is handed over at once and not kept; it is called within the model's run.
    ``check`` runs the model before without hooks, and compares.

    Raises:
        CnnvizError: the model failed on this input; names the layer, or the last one before.
    """
    capture = Capture(model, wants, receive, hints)
    expected = capture.without_hooks(inputs, arguments) if check else None
    with capture:
        output = capture.run(*copied(inputs), **copied(arguments))
    same = is_same(output, expected) if check else None
    bare = output[0] if isinstance(output, Tensor) and output.ndim else output
    return Run(bare, capture.layers, same, capture.restored, capture.notes)


def survey(model: nn.Module, *inputs: Any, hints: Hints | None = None, **arguments: Any) -> Run:
    """What a run puts out, blocks included, without any values kept: also on the meta device.

    Raises:
        CnnvizError: the model failed.
    """
    capture = Capture(model, lambda _: False, None, hints)
    capture.with_blocks = True
    with capture:
        output = capture.run(*copied(inputs), **copied(arguments))
    return Run(output, capture.layers, restored=capture.restored, notes=capture.notes)


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


class Capture(Mapping[str, "NDArray[np.float32]"]):
    """Within, every run of ``model`` adds its layers' outputs to ``layers``.

    It is a mapping of arrays as ``feature_maps`` gives them. What ``wants`` does not choose is in
    ``layers`` without values; blocks only with ``with_blocks``. A model is taken out of wrappers
    such as DataParallel, and ``notes`` say so; of TorchScript only runs by ``run`` are seen.
    """

    with_blocks = False

    def __init__(
        self,
        model: nn.Module,
        wants: Wants = is_leaf,
        receive: Receive | None = None,
        hints: Hints | None = None,
    ) -> None:
        self.model, notes = inside(model)
        if isinstance(self.model, torch.jit.ScriptModule):
            self.model = Operations(self.model)
        said = [OPERATIONS_NOTE] if isinstance(self.model, Operations) else []
        self.notes = (*notes, *said)
        self.wants, self.receive = wants, receive
        self.layers: list[LayerOutput] = []
        self.restored: tuple[str, ...] = ()
        self.hints = hints or Hints.of(self.model)
        self._watch = Watch(self.model, self._on_call, self.hints)
        self._names = _names(self.model)
        self._changed: list[str] = []
        self._exits = ExitStack()
        self._fault: Exception | None = None

    def __enter__(self) -> Capture:
        with ExitStack() as stack:
            self._changed = stack.enter_context(quiet(self.model))
            stack.enter_context(self._watch)
            self._exits = stack.pop_all()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._exits.close()
        self.restored = tuple(dict.fromkeys((*self.restored, *self._changed)))
        self.layers += self._silent()
        if error is not None and error is self._watch.failed:
            error.add_note(f"the model failed{self._watch.place}")
        if error is None and self._fault is not None:  # and the model's code caught it
            raise self._fault

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        return self._arrays()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays())

    def __len__(self) -> int:
        return len(self._arrays())

    def _arrays(self) -> dict[str, NDArray[np.float32]]:
        return {one.key: one.values.numpy() for one in self.layers if one.values is not None}

    def run(self, *inputs: Any, **arguments: Any) -> Any:
        """What the model returns.

        Raises:
            CnnvizError: it failed.
        """
        try:
            output = self.model(*inputs, **arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a model is somebody's code: it raises what it likes, exits
            if self._fault is not None:
                raise self._fault from None
            said = spoken(error)
            if isinstance(self.model, Operations) and inputs:
                said = complaint(self.model, *inputs)  # what is listened to fails without words
            raise CnnvizError(f"the model failed{self._watch.place}: {said}") from error
        if self._fault is not None:  # and the model's code caught it
            raise self._fault
        return output

    def without_hooks(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """What the model returns where nothing listens; where it fails, a run will say how."""
        with same_lots(self.model), quiet(self.model) as changed:
            try:
                output = self.model(*copied(inputs), **copied(arguments))
            except KeyboardInterrupt:
                raise
            except BaseException:  # a model is somebody's code: it raises what it likes, exits
                output = None
        self.restored = tuple(changed)
        return output

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
            kept = _kept(values()) if chosen else None
            layer = replace(layer, values=kept, reason=None if chosen else NOT_SELECTED)
        if self.receive is not None:
            self.receive(layer, call)
            layer = replace(layer, values=None)
        self.layers.append(layer)

    def _silent(self) -> Iterator[LayerOutput]:
        """Layers that were not called."""
        listed = {layer.name for layer in self.layers}
        for name, module in layers_of(self.model):
            is_called = contains_layers(module) or module in self._watch.ran
            if is_called or name in listed or isinstance(module, (nn.ModuleList, nn.ModuleDict)):
                continue
            kind, others = kind_of_module(module), self._names.get(module, ())[1:]
            reason, of_class = self._why_silent(module), type(module).__name__
            yield LayerOutput(name, of_class, 1, None, reason, kind, aliases=others)

    def _why_silent(self, module: nn.Module) -> str:
        if isinstance(module, torch.jit.ScriptModule):
            return IN_TORCHSCRIPT
        if any(id(param) in self._watch.read for param in module.parameters()):
            return INSIDE_PARENT
        return NEVER_RAN if module in self._names else MADE_MEANWHILE


def _kept(values: Tensor) -> Tensor:
    """A float32 copy: .detach().cpu() would copy nothing on a CPU."""
    plain = values.dequantize() if values.is_quantized else values
    kept = torch.empty(plain.shape, dtype=torch.float32)
    return kept.copy_(plain.detach())


def _names(model: nn.Module) -> dict[nn.Module | None, tuple[str, ...]]:
    """Every name of every module: one module may stand in several places."""
    names: dict[nn.Module | None, tuple[str, ...]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names[module] = (*names.get(module, ()), name)
    return names
