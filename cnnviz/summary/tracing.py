"""Runs a model on no values at all and notes every call of a module and of a function.

Inputs and parameters lie on torch's meta device, where operations compute shapes only. A dispatch
mode sees every operation: it counts the multiply-adds, and follows what each tensor reads of the
input. Hooks on the modules, and a mode for functions, say on whose behalf.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from cnnviz.capturing.functions import name_of
from cnnviz.errors import CnnvizError, spoken
from cnnviz.models.sources.detectors import is_detector
from cnnviz.models.sources.user import same_folder
from cnnviz.shapes.notation import size_text
from cnnviz.summary.calls import Node, Tracer
from cnnviz.summary.detectors import run_detector
from cnnviz.summary.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.shapes.layer import Shape

# These would be taken apart into reading by index, which says nothing of where.
KEPT_NAMES = ["pixel_shuffle", "upsample_bicubic2d", "upsample_trilinear3d"]
KEPT_NAMES += ["upsample_linear1d", "upsample_bilinear2d"]
for axes in (1, 2, 3):
    KEPT_NAMES += [f"upsample_nearest{axes}d", f"_upsample_nearest_exact{axes}d"]
KEPT = {getattr(torch.ops.aten, name) for name in KEPT_NAMES}

SEED = 0  # so that two runs of a model that needs values take the same way


@dataclass(frozen=True)
class Traced:
    """What one run showed: the tree of calls, and the parameters that were read in it, by id."""

    root: Node
    read: frozenset[int]


def trace_model(
    model: nn.Module, sizes: Sequence[Shape], device: torch.device, *, tokens: bool = False
) -> Traced:
    """Run ``model`` on one input of each of ``sizes``, in eval mode and without gradients.

    ``tokens`` makes them whole numbers. The model is left in the mode it was in, without hooks.

    Raises:
        CnnvizError: the model failed on this input; the last layer is named.
    """
    tracer = Tracer(type(model).__name__)
    inputs = [_input(model, size, device, tokens=tokens) for size in sizes]
    for tensor, trace in zip(inputs, _traces_of(sizes), strict=True):
        tracer.give(tensor, trace)
    modes = {module: module.training for module in model.modules()}
    try:
        with ExitStack() as stack:
            stack.callback(_restore, modes)
            stack.enter_context(same_folder())
            for name, module in model.named_modules():
                if name:
                    tracer.listen(name, module, stack)
            model.eval()
            stack.enter_context(_no_shortcuts())
            stack.enter_context(_Operations(tracer))
            stack.enter_context(_Functions(tracer))
            output = (
                run_detector(model, inputs[0], tracer) if is_detector(model) else model(*inputs)
            )
            tracer.finish(tracer.root, output, inputs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a model is somebody's code: it raises what it likes, exits
        where = f" in {_one_line(tracer.place)}" if tracer.place else ""
        text = f"the model failed on an input of {' and '.join(map(size_text, sizes))}{where}"
        said = spoken(error, 400)
        raise CnnvizError(f"{text}: {said}; if it takes another size, say so by --input") from error
    tracer.root.module = model
    return Traced(tracer.root, frozenset(tracer.read))


def _input(model: nn.Module, size: Shape, device: torch.device, *, tokens: bool) -> Tensor:
    """A batch of one: whole numbers, or fractions from 0 to 1 of the model's own precision."""
    if tokens:
        return torch.zeros(1, *size, dtype=torch.int64, device=device)
    precisions = [p.dtype for p in model.parameters() if p.is_floating_point()]
    dtype = precisions[0] if precisions else torch.float32
    if device.type == "meta":
        return torch.zeros(1, *size, dtype=dtype, device=device)
    random = torch.Generator().manual_seed(SEED)
    return torch.rand(1, *size, generator=random).to(device, dtype)


def _traces_of(sizes: Sequence[Shape]) -> list[Trace]:
    """Inputs as large as the first lie on it; how others do is not known."""
    first = Trace.of_input((1, *sizes[0]))
    alike = [size[1:] == sizes[0][1:] for size in sizes]
    return [
        Trace.of_input((1, *size)) if same else first.lost((1, *size))
        for size, same in zip(sizes, alike, strict=True)
    ]


@contextmanager
def _no_shortcuts() -> Iterator[None]:
    """Attention in its plain form, whose products are counted; fused forms exist on devices."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _one_line(what: object) -> str:
    return " ".join(str(what).split())[:400]


def _restore(modes: dict[nn.Module, bool]) -> None:
    for module, mode in modes.items():
        module.training = mode


class _Operations(TorchDispatchMode):
    """Hands every operation that torch really runs to a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's has no types
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
        return self.tracer.function(name_of(func), partial(func, *args, **(kwargs or {})))
