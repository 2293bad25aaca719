"""Which of the things in a checkpoint are the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.models.weights.places import Place, RefusedError, brief, check_all, check_count
from cnnviz.models.weights.sealed.meanings import WIDTHS, Tensor, Unusable

if TYPE_CHECKING:
    from cnnviz.models.weights.sealed.archives import Archive

# Under these keys training programs keep weights; the first that is there is taken.
KEYS = (
    *("state_dict", "model_state_dict", "model_state", "model", "module", "net", "network"),
    *("weights", "params", "params_ema", "model_ema", "state_dict_ema", "ema_state_dict", "ema"),
    *("generator", "netG", "G", "encoder", "backbone", "student", "teacher", "policy"),
)
DEEPEST = 3


def choose(archive: Archive, end: int) -> tuple[list[Place], list[str]]:
    """Where the weights lie in a file of ``end`` bytes, in its own order, and what was done.

    Raises:
        RefusedError: there are none, or they are damaged or of a kind that cannot be used.
    """
    state, path = _state(archive.content)
    notes = [f"took the tensors under {brief('.'.join(path))}"] if path else []
    tensors = {name: value for name, value in state.items() if _is_tensor(name, value)}
    check_count(len(tensors))
    left = [str(name)[:30] for name in state if type(name) is str and name not in tensors]
    if left:
        more = "" if len(left) == 1 else f" and {len(left) - 1} more"
        notes.append(f"left out {left[0]!r}{more}: no tensors")
    places = [_place(name, tensor, archive) for name, tensor in tensors.items()]
    check_all(places, end)
    return places, notes


def _is_tensor(name: object, value: object) -> bool:
    return type(name) is str and isinstance(value, (Tensor, Unusable))


def _state(content: Any) -> tuple[dict[Any, Any], list[str]]:
    """The dictionary whose values are the tensors, and the keys that lead to it."""
    path: list[str] = []
    while len(path) <= DEEPEST:
        if not isinstance(content, dict):
            what = "a single tensor" if isinstance(content, Tensor) else "no dictionary"
            raise RefusedError(f"holds {what}, where weights by name are needed (a state dict)")
        inner = {key: value for key, value in content.items() if _leads_on(key, value)}
        named = [key for key in KEYS if key in inner]
        has_tensors = any(_is_tensor(key, value) for key, value in content.items())
        if named:
            chosen = named[0]
        elif has_tensors:
            return content, path
        elif len(inner) == 1:
            (chosen,) = inner
        else:
            found = f"in {', '.join(map(brief, list(inner)[:4]))}" if inner else "in it"
            raise RefusedError(f"holds no weights by name that are known as such {found}")
        path.append(chosen)
        content = inner[chosen]
    raise RefusedError("holds dictionaries in dictionaries, and no weights by name near the top")


def _leads_on(key: object, value: object, depth: int = 2) -> bool:
    """Whether tensors by name stand in ``value``, or a dictionary lower."""
    if type(key) is not str or not isinstance(value, dict):
        return False
    if any(_is_tensor(name, inner) for name, inner in value.items()):
        return True
    return depth > 1 and any(
        _leads_on(name, inner, depth - 1) for name, inner in value.items() if name in KEYS
    )


def _place(name: str, tensor: Tensor | Unusable, archive: Archive) -> Place:
    if isinstance(tensor, Unusable):
        raise RefusedError(f"holds {brief(name)}, which is {tensor.kind}; save it as dense numbers")
    storage = tensor.storage
    if storage.key not in archive.storages:
        raise RefusedError(f"is damaged: the numbers of {brief(name)} are not in it")
    start, size = archive.storages[storage.key]
    width = WIDTHS[storage.dtype]
    if (storage.begin + storage.count) * width > size:
        raise RefusedError(f"is damaged: the numbers of {brief(name)} are not all there")
    if type(tensor.shape) is not tuple or type(tensor.stride) is not tuple:
        raise RefusedError(f"is damaged: {brief(name)} has no sizes")
    begin = start + storage.begin * width
    taken = storage.count * width
    return Place(name, tensor.dtype, begin, taken, tensor.offset, tensor.shape, tensor.stride)
