"""Models from a user's own file or package."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError
from cnnviz.models.torchvision import load_torchvision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from torch import nn


def build(home: str, name: str) -> nn.Module:
    """What class or factory ``name`` of ``home``, a file or a package's module, makes.

    Raises:
        ModelError: it is not there, it raised something, or it made no ``torch.nn.Module``.
    """
    from torch import nn

    place = f"{home}:{name}"
    is_file = home.endswith(".py")
    if is_file and not Path(home).is_file():
        raise ModelError(f"there is no file {home}")
    with _importable(Path(home).parent if is_file else Path()):
        made = _named(_imported(home, _run_file if is_file else import_module), home, name)
        if not isinstance(made, nn.Module):
            made = _called(made, place)
    if not isinstance(made, nn.Module):
        raise ModelError(f"{place} made a {type(made).__name__}, not a torch.nn.Module")
    return made


def _called(factory: Any, place: str) -> Any:
    if not callable(factory):
        raise ModelError(f"{place} is of type {type(factory).__name__}, not a class or a factory")
    try:
        return factory()
    except (Exception, SystemExit) as error:  # somebody's code raises what it likes
        hint = "name a class or factory that needs no arguments"
        raise ModelError(f"{place} cannot be built: {_said(error)}; {hint}") from error


def _imported(home: str, run: Callable[[str], ModuleType]) -> ModuleType:
    try:
        try:
            return run(home)
        except RuntimeError as error:
            if "operator torchvision::" not in str(error):
                raise
            load_torchvision()  # which makes it importable
            return run(home)
    except (Exception, SystemExit) as error:  # somebody's code raises what it likes
        raise ModelError(f"{home} cannot be imported: {_said(error)}") from error


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


def _named(module: ModuleType, home: str, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ModelError(f"{home} has no {name!r}; it has {_choices(module)}")
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


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
