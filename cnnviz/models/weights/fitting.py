"""Puts weights into a module: all of them, or with ``partial`` those that fit, or none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnviz.errors import ModelError
from cnnviz.models.weights.places import brief, named

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnviz.models.weights.reading import WeightsFile

NAMED = 3  # so many names of each kind are said


@dataclass(frozen=True)
class Fit:
    """How weights went into a module: ``loaded`` tensors, and the names of those that did not.

    ``missing`` are the module's, ``unexpected`` the file's, ``wrong_shape`` tells of both shapes.
    ``notes`` tell what was changed on the way.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shape: tuple[str, ...]
    loaded: int
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every tensor of the module and of the file found its place."""
        return not (self.missing or self.unexpected or self.wrong_shape)

    def __str__(self) -> str:
        parts = (
            _listed("missing", self.missing),
            _listed("unexpected", self.unexpected),
            _listed("wrong shape", self.wrong_shape),
        )
        return "; ".join(part for part in parts if part)


def fill(module: nn.Module, weights: WeightsFile, *, partial: bool = False) -> Fit:
    """Copy ``weights`` into ``module``, and say what fitted.

    Where the names match only without a prefix that the file has (Lightning's ``model.``), or with
    one that the module has, the names are changed so, with a note. Numbers are cast to the module's
    type, but fractions never become whole numbers, nor the other way round. As torch does,
    ``num_batches_tracked`` may be missing, and so may the second name of a shared tensor.

    Raises:
        ModelError: some do not fit and not ``partial``, or none fits, and the module is as it was;
            or the module's own way of loading fails.
    """
    own = {
        name: value
        for name, value in module.state_dict(keep_vars=True).items()
        if not name.endswith("_extra_state")
    }
    given, notes = _renamed(weights.tensors, own)
    filled = {id(own[name]) for name in own if name in given}
    misfits = {name: _misfit(given[name], own[name]) for name in own if name in given}
    fitting = {name: given[name] for name, misfit in misfits.items() if not misfit}
    fit = Fit(
        missing=tuple(
            name
            for name, tensor in own.items()
            # The second name of a tensor that is filled under its first may be missing.
            if name not in given and id(tensor) not in filled and not _is_counter(name)
        ),
        unexpected=tuple(name for name in given if name not in own),
        wrong_shape=tuple(f"{brief(name)} {misfit}" for name, misfit in misfits.items() if misfit),
        loaded=len(fitting),
        notes=(*notes, *_casts(fitting, own)),
    )
    if not (fit.complete or (partial and _worthwhile(fitting))):
        raise ModelError(_refusal(fit, weights, len(own), partial=partial))
    _load(module, fitting)
    return fit


def _load(module: nn.Module, fitting: dict[str, Tensor]) -> None:
    try:
        module.load_state_dict(fitting, strict=False)
    except Exception as error:  # a module of the user's may load in ways of its own
        text = " ".join(str(error).split())[:150]
        raise ModelError(f"the model does not take its weights: {text}") from error


def _worthwhile(fitting: dict[str, Tensor]) -> bool:
    """Whether anything was learned in what fits: counters and single numbers fit everywhere."""
    return any(tensor.dim() > 0 for tensor in fitting.values())


def _refusal(fit: Fit, weights: WeightsFile, count: int, *, partial: bool) -> str:
    name = named(weights.path)
    if not fit.loaded or partial:
        first = next(iter(weights.tensors))
        mine = next(iter(fit.missing or fit.wrong_shape), "")
        return (
            f"{name} holds weights of another architecture: none of its {len(weights.tensors):,}"
            f" tensors ({brief(first)}, …) fits one of the model's {count:,} ({_short(mine)}, …)"
        )
    said = str(fit)
    room = 300 - len(name) - 70
    said = said if len(said) <= room else f"{said[: room - 1]}…"
    fits = f"{name} fits {fit.loaded:,} of the model's {count:,} tensors"
    return f"{fits}; {said}; --partial takes these"


def _listed(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    shown = ", ".join(_short(name) for name in names[:NAMED])
    more = ", …" if len(names) > NAMED else ""
    return f"{len(names):,} {what}: {shown}{more}"


def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:39]}…{name[-40:]}"


def _misfit(given: Tensor, own: Tensor) -> str:
    """Why one cannot take the place of the other; "" where it can."""
    from torch.nn.parameter import is_lazy

    whole, own_whole = not given.is_floating_point(), not own.is_floating_point()
    if whole != own_whole:
        return f"is {_type(given)}, the model's {_type(own)}"
    if is_lazy(own) or given.shape == own.shape or (given.shape == (1,) and own.dim() == 0):
        return ""
    return f"is {_size(given)}, the model's {_size(own)}"


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _is_counter(name: str) -> bool:
    return name.rpartition(".")[2] == "num_batches_tracked"


def _casts(fitting: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    pairs = Counter((_type(tensor), _type(own[name])) for name, tensor in fitting.items())
    return [
        f"cast {count:,} tensors from {given} to {wanted}"
        for (given, wanted), count in pairs.items()
        if given != wanted
    ]


def _renamed(
    given: dict[str, Tensor], own: dict[str, Tensor]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors by the names under which most are the module's, with a note where changed."""
    notes: tuple[str, ...] = ()
    best = given
    most = len(given.keys() & own.keys())
    dropped = _common_prefix(given, own)
    if dropped:
        names = {name: name.removeprefix(dropped) for name in given}
        shorter = {names[name]: tensor for name, tensor in given.items()}
        if len(shorter) == len(given) and len(shorter.keys() & own.keys()) > most:
            count = sum(name.startswith(dropped) for name in given)
            best, most = shorter, len(shorter.keys() & own.keys())
            notes = (f"dropped the prefix {brief(dropped)} of {count:,} names",)
    added = _common_prefix(own, given)
    if added:
        longer = {added + name: tensor for name, tensor in given.items()}
        if len(longer.keys() & own.keys()) > most:
            best = longer
            notes = (f"put the prefix {brief(added)} before {len(given):,} names",)
    return best, notes


def _common_prefix(names: dict[str, Tensor], ends: dict[str, Tensor]) -> str:
    """What stands, most often, before a name of ``ends`` in one of ``names``; "" where nothing."""
    prefixes: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for cut in range(1, min(len(parts), 6)):
            if ".".join(parts[cut:]) in ends:
                prefixes[".".join(parts[:cut]) + "."] += 1
    return prefixes.most_common(1)[0][0] if prefixes else ""
