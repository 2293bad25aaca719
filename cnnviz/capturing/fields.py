"""The tensors in whatever a model's code hands around: tuples, dicts, dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 4  # levels of fields within fields


def fields_of(values: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Each tensor with the way to it: ``logits``, ``0``, ``hidden_states.2``.

    Generators are not looked into: that would use them up.
    """
    if isinstance(values, Tensor):
        yield path, values
    elif depth < DEEPEST:
        for name, value in _parts(values):
            yield from fields_of(value, f"{path}.{name}".lstrip("."), depth + 1)


def tensors_in(values: Any) -> Iterator[Tensor]:
    """The tensors alone."""
    return (tensor for _, tensor in fields_of(values))


def _parts(values: Any) -> list[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(str(name), value) for name, value in values.items()]
    if isinstance(values, tuple) and hasattr(values, "_fields"):
        return list(zip(values._fields, values, strict=True))
    if isinstance(values, (tuple, list)):
        return [(str(n), value) for n, value in enumerate(values)]
    if is_dataclass(values) and not isinstance(values, type):
        return [(part.name, getattr(values, part.name, None)) for part in fields(values)]
    return []
