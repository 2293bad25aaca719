"""A program that runs inside torch, with its operations as layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnviz.errors import CnnvizError
from cnnviz.shapes.notation import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

# They change how a tensor is looked at, or where it is, and nothing that a reader wants to see.
PLUMBING = {"detach", "alias", "to", "_to_copy", "contiguous", "lift_fresh", "size"}


class Operations(nn.Module):
    """A TorchScript program as a module, whose layers are the operations that it runs.

    TorchScript runs its parts without Python, so that hooks on them never fire. ``unroll`` runs
    it once, and gives every operation a module of its own, named after the layer whose weights it
    reads (``features.0``), else after itself (``relu``, ``relu_2``). Parameters keep their names.
    """

    # The one name that a part of the network cannot have: "layers" and "script" are names of many.
    cnnviz_program: _Program

    def __init__(self, script: nn.Module) -> None:
        super().__init__()
        self.cnnviz_program = _Program(script.eval(), [])
        for name, param in script.named_parameters():
            # What C++ hands out has no class of its own; the memory is the same.
            _place(self, name, nn.Parameter(param.data, requires_grad=param.requires_grad))
        for name, buffer in script.named_buffers():
            _place(self, name, buffer)

    def forward(self, inputs: Tensor) -> Any:
        """What the program returns."""
        unroll(self, inputs)
        program = self.cnnviz_program
        with torch.inference_mode(), _Layers(program.layers):
            return program.script(inputs)

    def _apply(self, fn: Any, recurse: bool = True) -> Operations:
        """Itself with its tensors changed, as by ``to`` and ``double``, and the program's too."""
        self.cnnviz_program.script._apply(fn)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch's has no types
        return self


@dataclass
class _Program:
    """The script, kept out of the modules since nothing can listen to its parts, and its layers."""

    script: nn.Module
    layers: list[tuple[Operation, str]]


def unroll(program: Operations, inputs: Tensor) -> None:
    """Give ``program`` a layer for each operation that ``inputs`` (N, C, H, W) go through."""
    script, layers = program.cnnviz_program.script, program.cnnviz_program.layers
    if layers:
        return
    recorder = _Recorder(script, {name for name, _ in program.named_modules()})
    with torch.inference_mode(), recorder:
        script(inputs)
    layers += [(_layer(program, name, kind), kind) for name, kind in recorder.seen]


def listened(program: Operations, size: tuple[int, ...]) -> Operations:
    """The program with a layer for each operation that one image of ``size`` goes through.

    Raises:
        CnnvizError: it fails on that size.
    """
    image = torch.zeros(1, *size)
    try:
        unroll(program, image)
    except Exception as error:  # a program is somebody's code
        raise CnnvizError(
            f"the program failed on an input of {size_text(size)}: {complaint(program, image)};"
            " give an input that it takes"
        ) from error
    return program


def complaint(program: Operations, image: Tensor) -> str:
    """What it says itself: what goes wrong while somebody listens comes back without words."""
    try:
        with torch.inference_mode():
            program.cnnviz_program.script(image)
    except Exception as error:  # the same again, over many lines of which the last ones say it
        return " ".join(str(error).rpartition("Error: ")[2].split())[:300]
    return "it fails while its operations are listened to"


class Operation(nn.Module):
    """One operation of a program, with the parameters that it reads."""

    def forward(self, *tensors: Tensor, run: Any) -> Any:
        """What ``run`` returns; the tensors that it works on are given for hooks to see."""
        return run()


class _Recorder(TorchDispatchMode):
    """Notes the operations that work on tensors: name and kind of each."""

    def __init__(self, script: nn.Module, taken: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's has no types
        # The tensors are kept: an id says something only of what lives.
        self.held = [*script.named_parameters(), *script.named_buffers()]
        self.owners = {id(tensor): name.rpartition(".")[0] for name, tensor in self.held}
        self.taken = taken
        self.names: dict[tuple[int, ...], str] = {}
        self.seen: list[tuple[str, str]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func``, and note it."""
        if is_layer(func):
            tensors = _tensors(args)
            own = tuple(id(tensor) for tensor in tensors if id(tensor) in self.owners)
            if len(own) < len(tensors):  # else it prepares weights, whatever the input
                self.seen.append((self._name(own, kind_of(func)), kind_of(func)))
        return func(*args, **(kwargs or {}))

    def _name(self, own: tuple[int, ...], kind: str) -> str:
        """The layer whose parameters are read, the same for the same; else the operation."""
        if own in self.names:
            return self.names[own]
        owner = self.owners[own[0]] if own else ""
        name = owner or kind
        number = 1
        while name in self.names.values() or (name in self.taken and name != owner):
            number += 1
            name = f"{owner or kind}_{number}"
        self.taken.add(name)
        self.names[own or (-len(self.taken),)] = name
        return name


class _Layers(TorchDispatchMode):
    """Runs each operation through its layer, as long as they come in the order that was noted."""

    def __init__(self, layers: list[tuple[Operation, str]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's has no types
        self.left = list(reversed(layers))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func`` as the layer that is next."""
        if func is torch.ops.aten._convolution.default:  # traced code's own name for it
            func, args = torch.ops.aten.convolution.default, args[:9]
        run = partial(func, *args, **(kwargs or {}))
        if not self.left or self.left[-1][1] != kind_of(func):
            return run()
        layer, _ = self.left.pop()
        return layer(*_tensors(args)[:1], run=run)


def kind_of(func: Any) -> str:
    """An operation's name without what tells it from its variants: ``relu`` of ``relu_``."""
    name: str = func.overloadpacket.__name__
    return name.strip("_")


def is_layer(func: Any) -> bool:
    """Whether an operation makes a tensor, and not only another view of one."""
    makes = any("Tensor" in str(result.type) for result in func._schema.returns)
    return makes and kind_of(func) not in PLUMBING


def _tensors(args: Any) -> list[Tensor]:
    flat = [item for a in args for item in (a if isinstance(a, (list, tuple)) else [a])]
    return [item for item in flat if isinstance(item, Tensor)]


def _place(root: nn.Module, name: str, tensor: Tensor) -> None:
    """Register a parameter or buffer by its dotted name, with modules on the way to it."""
    *path, last = name.split(".")
    module = _reached(root, path)
    if isinstance(tensor, nn.Parameter):
        module.register_parameter(last, tensor)
    else:
        module.register_buffer(last, tensor)


def _layer(root: nn.Module, name: str, kind: str) -> Operation:
    """The module called ``name``, made where it is not there, as one of the class ``kind``."""
    module = _reached(root, name.split("."))
    module.__class__ = type(kind, (Operation,), {})
    return cast("Operation", module)


def _reached(root: nn.Module, path: Sequence[str]) -> nn.Module:
    """The module at the end of ``path``, with those on the way made where they are not there."""
    for part in path:
        if part not in root._modules:
            root.add_module(part, Operation())
        root = root.get_submodule(part)
    return root
