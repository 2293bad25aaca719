"""A model is left as it was: modes, buffers, what it draws by lot, torch's settings."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from cnnviz.capturing.fields import fields_of
from cnnviz.models.building.quick_import import compiler_is_loaded
from cnnviz.models.sources.user import same_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet(model: nn.Module) -> Iterator[list[str]]:
    """Within, the model is in eval mode without gradients; afterwards it is as it was.

    The names of the buffers that had to be put back are then in the list.
    """
    modes = {module: module.training for module in model.modules()}
    buffers = list(_buffers(model))
    restored: list[str] = []
    # What a lazy layer makes in its first run stays, and could not be trained, made for inference.
    without_gradients = torch.no_grad if has_lazy_layers(model) else torch.inference_mode
    try:
        model.eval()
        with without_gradients(), _plain_code(), _same_settings():
            yield restored
    finally:
        model.train(modes[model])  # some keep their mode elsewhere too
        for module, mode in modes.items():
            module.training = mode
        restored += _restore(model, buffers)


def has_lazy_layers(model: nn.Module) -> bool:
    """Whether a part of it gets its sizes from the first input that it sees."""
    return any(map(is_lazy, (*model.parameters(), *model.buffers())))


@contextmanager
def _plain_code() -> Iterator[None]:
    """Within, layers run as their code says, as they do where somebody listens."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # listening turns it off, and changes bits
    try:
        with ExitStack() as stack:
            if compiler_is_loaded():
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def _same_settings() -> Iterator[None]:
    """Afterwards torch's settings and the current folder are those from before."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    strict = torch.get_deterministic_debug_mode()
    try:
        with same_folder():
            yield
    finally:
        if torch.get_default_dtype() != dtype:
            torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_deterministic_debug_mode() != strict:
            torch.set_deterministic_debug_mode(strict)


@contextmanager
def same_lots(model: nn.Module) -> Iterator[None]:
    """Within, what is drawn by lot is drawn the same afterwards: by torch, numpy and Python."""
    cuda = {param.device for param in model.parameters() if param.device.type == "cuda"}
    python, arrays = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=list(cuda)):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)


def copied(values: Any) -> Any:
    """The same with copies of its tensors: a model may write into its input."""
    return tree_map_only(Tensor, Tensor.clone, values)


def is_same(output: Any, expected: Any) -> bool | None:
    """Whether all tensors of two outputs are the same, bit for bit; None where they have none."""
    ours, theirs = dict(fields_of(output)), dict(fields_of(expected))
    if not ours and not theirs:
        return None
    return ours.keys() == theirs.keys() and all(same_bits(ours[k], theirs[k]) for k in ours)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same bytes: NaN is the same as NaN, 0 is not the same as -0."""
    if (one.shape, one.dtype, one.layout) != (other.shape, other.dtype, other.layout):
        return False
    if one.is_meta or other.is_meta:
        return one.is_meta and other.is_meta
    if one.layout != torch.strided:
        one, other = one.to_dense(), other.to_dense()
    return torch.equal(_bytes(one), _bytes(other))


def _bytes(tensor: Tensor) -> Tensor:
    plain = tensor.dequantize() if tensor.is_quantized else tensor
    return plain.detach().resolve_conj().resolve_neg().reshape(-1).contiguous().view(torch.uint8)


@dataclass(frozen=True)
class _Buffer:
    """A buffer as it was: which tensor, and what was in it."""

    owner: nn.Module
    name: str
    path: str
    tensor: Tensor
    values: Tensor


def _buffers(model: nn.Module) -> Iterator[_Buffer]:
    for path, owner, name, tensor in _places(model):
        if not is_lazy(tensor):  # which has no values yet
            yield _Buffer(owner, name, path, tensor, tensor.clone())


def _places(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, Tensor]]:
    for prefix, module in model.named_modules():
        for name, tensor in module.named_buffers(recurse=False):
            yield f"{prefix}.{name}".lstrip("."), module, name, tensor


def _restore(model: nn.Module, buffers: list[_Buffer]) -> Iterator[str]:
    """Put back the buffers that a run has changed, and name them."""
    for buffer in buffers:
        same = isinstance(buffer.owner, torch.jit.ScriptModule)  # which hands out new objects
        same = same or buffer.owner._buffers.get(buffer.name) is buffer.tensor
        if not same:
            buffer.owner._buffers[buffer.name] = buffer.tensor
        if not same_bits(buffer.tensor, buffer.values):
            with torch.no_grad():
                buffer.tensor.copy_(buffer.values)
            same = False
        if not same:
            yield buffer.path
    before = {(buffer.owner, buffer.name) for buffer in buffers}
    for path, owner, name, tensor in list(_places(model)):
        if (owner, name) not in before and tensor.is_inference():
            del owner._buffers[name]  # made during the run, and of no use in training
            yield path
