"""Models from files that carry their own code and weights: TorchScript, torch.export."""

from __future__ import annotations

import warnings
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cnnviz.errors import ModelError
from cnnviz.models.programs.archives import (
    EXPORT,
    TORCHSCRIPT,
    check_export,
    check_script,
    exported_size,
    kind_of,
    opened,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

__all__ = ["DESCRIPTIONS", "input_size", "kind_of", "load"]

DESCRIPTIONS = {TORCHSCRIPT: "a TorchScript program", EXPORT: "a program of torch.export"}


def input_size(path: Path, kind: str) -> tuple[int, ...] | None:
    """The size of one image, where the file says it: an exported program mostly takes one size."""
    if kind != EXPORT:
        return None
    check_export(path)
    return exported_size(path)


def load(path: Path, kind: str) -> nn.Module:
    """The program as a module whose layers can be listened to, with its weights, on the CPU.

    An exported program gets back the layers that it was made of, by their names. TorchScript runs
    inside torch, where no layer can be listened to: see ``operations.Operations``.

    Raises:
        ModelError: the file is damaged, or asks for more than a network needs.
    """
    if kind == EXPORT:
        return _exported(path)
    return _scripted(path)


def _scripted(path: Path) -> nn.Module:
    import torch

    from cnnviz.models.programs.operations import Operations

    check_script(path)
    try:
        with warnings.catch_warnings():
            # Deprecated since 2.10, and still what many files are.
            warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
            script = torch.jit.load(path, map_location="cpu")
    except Exception as error:  # what C++ says of a damaged file, over many lines
        raise ModelError(f"{path} is not TorchScript that torch can read: {_said(error)}") from None
    if not isinstance(script, torch.nn.Module):
        raise ModelError(f"{path} holds a function of TorchScript, not a model")
    _check_tensors(path, {**dict(script.named_parameters()), **dict(script.named_buffers())})
    return Operations(script)


def _exported(path: Path) -> nn.Module:
    import torch

    check_export(path)
    _check_examples(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own classes
            module: nn.Module = torch.export.unflatten(torch.export.load(path))
    except Exception as error:  # torch says it in many ways
        raise ModelError(f"{path} cannot be read by this torch: {_said(error)}") from None
    return _named_as_before(module)


def _check_examples(path: Path) -> None:
    """Read the example inputs as tensors only; torch would fall back to any pickle."""
    import torch

    with opened(path) as archive:
        for name in archive.namelist():
            inside = name.partition("/")[2]
            if not inside.endswith(".pt"):
                continue
            pickled = archive.read(name)
            try:
                with zipfile.ZipFile(BytesIO(pickled)) as inner:
                    if any(each.compress_type for each in inner.infolist()):
                        raise ValueError("compressed")
                torch.load(BytesIO(pickled), map_location="cpu", weights_only=True)
            except Exception:  # whatever a hostile pickle makes torch say
                raise ModelError(
                    f"{path} holds pickled objects ({inside}), which can run code; not opened"
                ) from None


def _named_as_before(module: nn.Module) -> nn.Module:
    """Parts of an exported program with the names of the classes that they were."""
    for part in module.modules():
        was = getattr(part, "_ty", None)
        if was is not None:
            kind = str(was).rpartition(".")[2]
            part.__class__ = type(kind, (type(part),), {"__module__": str(was).rpartition(".")[0]})
    return module


def _check_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Raise a ``ModelError`` where there is more in the tensors than in the file, or one is sparse.

    Where a file holds less than a size asks for, torch makes the memory larger, and fills it with
    nothing. Indices of sparse tensors that are wrong end the process when they are used.
    """
    for name, tensor in tensors.items():
        if str(tensor.layout) != "torch.strided":
            raise ModelError(f"{path} has a sparse tensor, {name}; they are not run")
    memory = [tensor.untyped_storage() for tensor in tensors.values()]
    taken = sum({each.data_ptr(): each.nbytes() for each in memory}.values())
    if taken > path.stat().st_size:
        raise ModelError(f"{path} is damaged: its tensors take {taken:,} bytes, more than the file")


def _said(error: Any) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:200]}"
