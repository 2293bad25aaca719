"""The model inside what was put around it for training: DataParallel, DDP, torch.compile."""

from __future__ import annotations

from typing import Any

from torch import nn

# By name: the compiled module's class lies in torch._dynamo, which takes a second to import.
INNER = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}


def inside(module: nn.Module) -> tuple[nn.Module, list[str]]:
    """The model inside, and a note for each wrapper that was left out."""
    notes: list[str] = []
    while inner := _inner(module):
        notes.append(f"{type(module).__name__} left out: what is inside is shown")
        module = inner
    return module, notes


def unwrapped(module: nn.Module) -> tuple[nn.Module, list[str]]:
    """The same, and parts that were compiled are put back as they were, in place.

    They would be compiled when they run, which takes minutes, and hides what happens inside.
    """
    module, notes = inside(module)
    if _uncompile(module):
        notes.append("torch.compile left out: compiled parts do not show their layers")
    return module, notes


def _inner(module: nn.Module) -> nn.Module | None:
    """What ``module`` is wrapped around, where it is one of torch's wrappers."""
    kind = type(module)
    attribute = INNER.get(kind.__name__) if kind.__module__.startswith("torch.") else None
    inner: Any = getattr(module, attribute) if attribute else None
    return inner if isinstance(inner, nn.Module) else None


def _uncompile(model: nn.Module) -> bool:
    """Whether a part was compiled; ``module.compile()`` and ``torch.compile(part)`` are undone."""
    found = False
    for module in list(model.modules()):
        if getattr(module, "_compiled_call_impl", None) is not None:
            module._compiled_call_impl = None
            found = True
        for name, child in list(module.named_children()):
            if type(child).__name__ == "OptimizedModule" and (inner := _inner(child)):
                module._modules[name] = inner
                found = True
    return found
