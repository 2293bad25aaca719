"""Models from a user's own file or package. Reading one runs its code."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError, spoken
from cnnviz.models.building.arguments import check_arguments
from cnnviz.models.sources.torchvision import load_torchvision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from torch import nn

    from cnnviz.models.sources.calls import Call


def build(call: Call) -> nn.Module:
    """What the class or factory of ``call`` makes.

    Raises:
        ModelError: it is not there, it does not take these arguments, it raised something or
            tried to end the process, or it made no ``torch.nn.Module``.
    """
    from torch import nn

    home, place = call.home, call.place
    with found(home, call.name) as named:
        made = _made(named, call)
        if call.attribute:
            made, place = _attribute(made, call), f"{place}(...).{call.attribute}"
    if not isinstance(made, nn.Module):
        hint = _models_within(made, nn.Module)
        raise ModelError(f"{place} made a {type(made).__name__}, not a torch.nn.Module{hint}")
    with _reported(f"{place} cannot be used"):
        _try(made)
    return made


def _try(module: nn.Module) -> None:
    """Ask a module once what it will be asked time and again: its class may answer in its own way.

    Raises:
        Anything that the class raises.
    """
    dict(module.named_modules(remove_duplicate=False))
    list(module.modules())
    list(module.named_parameters())
    list(module.parameters())
    list(module.named_buffers())
    mode = module.training
    module.eval()
    module.train(mode)


@contextmanager
def found(home: str, name: str) -> Iterator[Any]:
    """What ``name`` is in ``home``, a file or a package; within, its neighbours can be imported.

    Raises:
        ModelError: there is no such file, package or name, or its code failed.
    """
    is_file = home.endswith(".py")
    if is_file and not os.path.isfile(home):  # noqa: PTH113 (pathlib raises for long names)
        raise ModelError(f"there is no file {home}")
    with same_folder(), _importable(Path(home).parent if is_file else Path()):
        module = _imported(home, _run_file if is_file else import_module)
        yield _named(module, name, home, _choices(module))


@contextmanager
def same_folder() -> Iterator[None]:
    """Afterwards the current folder is the one from before: results are named as seen from it."""
    try:
        folder = os.getcwd()  # noqa: PTH109 (text is all that is wanted)
    except OSError:  # it is gone, and there is no way back to it
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(folder)


def _made(found: Any, call: Call) -> Any:
    """What ``found`` returns; a module that is there already is taken as it is."""
    from torch import nn

    given = bool(call.positional or call.named)
    if isinstance(found, nn.Module):
        if given:
            raise ModelError(f"{call.place} is a model already, which takes no --model-args")
        return found
    if not callable(found):
        raise ModelError(
            f"{call.place} is of type {type(found).__name__}, not a class or a factory"
        )
    with _reported(f"{call.place} cannot be built"):
        check_arguments(found, call.place, call.positional, call.named)
        return found(*call.positional, **call.named)


def _attribute(made: Any, call: Call) -> Any:
    for part in call.attribute.split("."):
        with _reported(f"{call.place} cannot be built"):
            if not hasattr(made, part):
                raise ModelError(f"what {call.place} returns, a {_kind(made)}, has no {part!r}")
            made = getattr(made, part)
    return made


def _models_within(made: Any, kind: type) -> str:
    """A hint, where an attribute of what was made is what was meant."""
    try:
        names = [name for name, value in vars(made).items() if isinstance(value, kind)]
    except TypeError:  # it has no attributes
        return ""
    return f"; its attribute {names[0]} is one: FACTORY().{names[0]} takes it" if names else ""


def _imported(home: str, run: Callable[[str], ModuleType]) -> ModuleType:
    with _reported(f"{home} cannot be imported"):
        try:
            return run(home)
        except RuntimeError as error:
            if "operator torchvision::" not in str(error):
                raise
            load_torchvision()  # which makes it importable
            return run(home)


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Whatever somebody's code raises as one sentence; Ctrl-C stays what it is."""
    try:
        yield
    except (KeyboardInterrupt, ModelError):
        raise
    except BaseException as error:  # SystemExit, and classes of their own
        raise ModelError(f"{what}: {spoken(error)}") from error


def _run_file(home: str) -> ModuleType:
    # A name of its own: a file called random.py must not take the place of Python's.
    name = f"_cnnviz_{Path(home).stem}"
    spec = spec_from_file_location(name, home)
    if spec is None or spec.loader is None:
        raise ModelError(f"{home} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Within, modules beside the model's are found, as when its file is run as a script."""
    entry = str(folder.resolve())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _named(module: ModuleType, name: str, home: str, choices: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ModelError(f"{home} has no {name!r}; it has {choices}")
        found = getattr(found, part)
    return found


def _choices(module: ModuleType) -> str:
    """The classes and functions that are defined there."""
    own = [
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    return ", ".join(own) or "no class or function of its own"


def _kind(made: Any) -> str:
    return type(made).__name__
