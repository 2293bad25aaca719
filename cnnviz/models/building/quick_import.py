"""torch and torchvision without torch's compiler, which takes two seconds to import.

torchvision imports it for one function that detectors call, torch to keep it away from parts of
its own, when these first run on the meta device.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILER, FUNCTIONS = "torch._dynamo", "torch._dynamo.utils"


@contextmanager
def compiler_left_out() -> Iterator[None]:
    """Within, ``torch._dynamo`` is a stand-in that becomes the real one when it is used.

    ``torchvision.ops.roi_align`` takes one function from there as it is imported. What roi_align
    gets calls the real function, when it is called. Functions that torch keeps from the compiler
    are given back as they are, and kept from it later. Any other name that is asked for puts the
    real module in place, and so does ``torch.compile``, which imports parts of it.
    """
    if COMPILER in sys.modules:
        yield
        return
    import torch  # first, with a compiler of its own in mind

    stand_ins = {name: _StandIn(name) for name in (COMPILER, FUNCTIONS)}
    stand_ins[COMPILER].__path__ = []
    sys.modules.update(stand_ins)
    compile_ = torch.compile

    @wraps(compile_)
    def compiled(*arguments: Any, **named: Any) -> Any:
        _put_away()
        return compile_(*arguments, **named)

    torch.compile = compiled
    try:
        yield
    finally:
        torch.compile = compile_
        for function in stand_ins[COMPILER].disabled:
            vars(function).pop("__dynamo_disable", None)  # where torch notes what it was given
        _put_away()


def compiler_is_loaded() -> bool:
    """Whether torch's compiler is there, and so may have compiled something."""
    return COMPILER in sys.modules and not isinstance(sys.modules[COMPILER], _StandIn)


class _StandIn(ModuleType):
    """A module that is imported when something of it is needed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.disabled: list[Any] = []

    def disable(self, function: Any, *_: Any, **__: Any) -> Any:
        """``function``, which no compiler is there to look into."""
        self.disabled.append(function)
        return function

    def is_compile_supported(self, *arguments: Any) -> Any:
        """What torch's function of that name returns."""
        return import_module(FUNCTIONS).is_compile_supported(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of any module; no reason to import it
            raise AttributeError(name)
        _put_away()
        return getattr(import_module(self.__name__), name)


def _put_away() -> None:
    for name in (COMPILER, FUNCTIONS):
        if isinstance(sys.modules.get(name), _StandIn):
            del sys.modules[name]
