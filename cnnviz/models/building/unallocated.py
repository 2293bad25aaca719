"""Models whose parameters have a shape and no memory, on torch's meta device."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from torch.utils.weak import WeakTensorKeyDictionary

from cnnviz.models.building.quick_import import compiler_left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def unallocated() -> Iterator[None]:
    """Within, a parameter goes to the meta device as a module registers it.

    So at most one layer's memory is taken at a time, and initialising costs nothing. The running
    means of normalisation go with them. Other tensors stay where they are: constructors compute
    with them (building a RegNet under ``torch.device("meta")`` fails for that).
    """
    register, register_buffer = nn.Module.register_parameter, nn.Module.register_buffer
    moved = WeakTensorKeyDictionary()  # a parameter registered twice stays one

    def register_on_meta(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None and not param.is_meta and not is_lazy(param):
            if param not in moved:
                moved[param] = _without_values(param)
            param = moved[param]
        register(self, name, param)

    def register_means(self: nn.Module, name: str, tensor: Tensor | None, *how: Any) -> None:
        if tensor is not None and isinstance(self, _NormBase):
            tensor = _without_values(tensor)
        register_buffer(self, name, tensor, *how)

    # The ignored types: a method is put in another's place, for a while.
    nn.Module.register_parameter = register_on_meta  # type: ignore[method-assign]
    nn.Module.register_buffer = register_means  # type: ignore[assignment]
    try:
        with warnings.catch_warnings(), compiler_left_out():
            warnings.simplefilter("ignore")  # that values are not copied is the purpose
            yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]
        nn.Module.register_buffer = register_buffer  # type: ignore[method-assign]


def meta_copy(module: nn.Module) -> nn.Module:
    """A copy of ``module`` with its parameters and buffers on the meta device; it is left alone."""
    tensors = [*module.parameters(), *module.buffers()]
    for each in module.modules():  # weights that were computed, which torch refuses to copy
        tensors += [t for t in vars(each).values() if isinstance(t, Tensor) and not t.is_leaf]
    known: dict[int, Any] = {id(tensor): _without_values(tensor) for tensor in tensors}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's remarks on copying what an archive holds
        return deepcopy(module, known)


def _without_values(tensor: Tensor) -> Tensor:
    if isinstance(tensor, (UninitializedParameter, UninitializedBuffer)):
        make: Callable[..., Tensor] = type(tensor)  # torch does not state what it takes
        return make(requires_grad=tensor.requires_grad, device="meta")
    empty = tensor.detach().to("meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(empty, requires_grad=tensor.requires_grad)
    return empty
