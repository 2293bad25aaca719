"""A model's input that comes as a tensor in a file, taken as it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.lib import format as npy
from safetensors import SafetensorError, safe_open

from cnnviz.errors import ImageError
from cnnviz.models.preparing.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MAX_VALUES = 256_000_000  # as many as an image may have pixels

NUMBERS = "biuf"  # NumPy's kinds that become float32
HEADERS: dict[tuple[int, int], Callable[[Any], tuple[tuple[int, ...], bool, np.dtype[Any]]]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def is_tensor_file(path: str | Path) -> bool:
    """Whether the file's name says that it holds a tensor."""
    return Path(path).suffix.lower() in READERS


def read_tensor(path: str | Path, axes: int = 4) -> Prepared:
    """The one tensor in a ``.npy`` or ``.safetensors`` file, as a float32 batch of one.

    ``axes`` is how many the model's input has, with the batch: 4 for (1, C, H, W). In the file
    the batch's axis may be missing. NaN and Inf stay.

    Raises:
        ImageError: it cannot be read, holds something else than one tensor of numbers, is too
            large, or has other axes.
    """
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: there is no such file")
    try:
        tensor = READERS[path.suffix.lower()](path)
        _refuse_shape(tuple(tensor.shape), axes)
        steps: list[str] = []
        made = _float32(tensor, steps)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
    if made.ndim == axes - 1:
        made = made.unsqueeze(0)
    steps.insert(0, f"{'x'.join(map(str, made.shape[1:]))} taken as the model's input as it is")
    return Prepared(made.contiguous(), steps)


def _of_npy(path: Path) -> Tensor:
    try:
        with path.open("rb") as file:
            _refuse_header(file, path.stat().st_size)
        array = np.load(path, allow_pickle=False)
        return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C"))
    except ImageError:
        raise
    except Exception as error:  # NumPy's refusals of a damaged file are of several kinds
        raise ImageError(f"not a .npy file that can be read: {_said(error)}") from None


def _refuse_header(file: Any, size: int) -> None:
    """Refuse what the header promises and the file does not hold, before memory is taken."""
    version = npy.read_magic(file)
    if version not in HEADERS:
        raise ImageError(f"a .npy file of version {version[0]}.{version[1]} holds no plain numbers")
    shape, _, dtype = HEADERS[version](file)
    if dtype.kind not in NUMBERS or dtype.hasobject:
        raise ImageError(f"its values are {dtype}; save real numbers, such as float32")
    _refuse_count(shape)
    held, promised = size - file.tell(), math.prod(shape) * dtype.itemsize
    if held != promised:
        raise ImageError(f"its header promises {promised:,} bytes and the file holds {held:,}")


def _of_safetensors(path: Path) -> Tensor:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) != 1:
                some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
                raise ImageError(f"it holds {len(names)} tensors ({some}); save the input alone")
            _refuse_count(tuple(file.get_slice(names[0]).get_shape()))
            tensor: Tensor = file.get_tensor(names[0])
            return tensor
    except ImageError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
        raise ImageError(f"not a .safetensors file that can be read: {_said(error)}") from None


READERS: dict[str, Callable[[Path], Tensor]] = {".npy": _of_npy, ".safetensors": _of_safetensors}


def _refuse_count(shape: tuple[int, ...]) -> None:
    if min(shape, default=1) < 1 or math.prod(shape) > MAX_VALUES:
        raise ImageError(
            f"its shape is {_spoken(shape)}; it must hold from 1 to {MAX_VALUES:,} values"
        )


def _refuse_shape(shape: tuple[int, ...], axes: int) -> None:
    one = len(shape) == axes and shape[0] == 1
    if not one and len(shape) != axes - 1:
        wanted = {4: "(C, H, W) or (1, C, H, W)"}.get(axes, f"{axes} axes, the first of size 1")
        raise ImageError(f"its shape is {_spoken(shape)}; the model takes {wanted}, one at a time")


def _float32(tensor: Tensor, steps: list[str]) -> Tensor:
    if tensor.is_complex():
        raise ImageError("its values are complex; save real numbers, such as float32")
    if tensor.dtype != torch.float32:
        steps.append(f"{str(tensor.dtype).removeprefix('torch.')} made float32")
    return tensor.to(torch.float32)


def _spoken(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
