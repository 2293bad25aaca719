"""torch's convolution without importing torch: libtorch's C interface, by ctypes.

``import torch`` takes seconds; what a filter needs of it is one function of libtorch_cpu,
``at::convolution``, the same that ``torch.nn.Conv2d`` calls. PyTorch offers it to compiled models
as ``aoti_torch_cpu_convolution`` (torch/csrc/inductor/aoti_torch/c/shim.h and
generated/c_shim_cpu.h). That function is generated and not promised to stay as it is, so
``open_library`` returns None for versions that it was not tested with and where anything is not as
expected, and the caller imports torch instead.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from contextlib import contextmanager
from ctypes import POINTER, byref, c_int32, c_int64, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.engines import Image
    from cnnviz.engines.pools import Pool

# at::set_num_threads(int) and at::get_num_threads(), which have no C names.
SET_THREADS, GET_THREADS = "_ZN2at15set_num_threadsEi", "_ZN2at15get_num_threadsEv"

# The signatures below are those of these versions.
TESTED = re.compile(r"^__version__ = '2\.13\.", re.MULTILINE)
LIBRARY = {"darwin": "libtorch_cpu.dylib", "win32": "torch_cpu.dll"}.get(
    sys.platform, "libtorch_cpu.so"
)

_opening = Lock()

NEEDED = (
    "aoti_torch_cpu_avg_pool2d",
    "aoti_torch_cpu_convolution",
    "aoti_torch_cpu_max_pool2d_with_indices",
    "aoti_torch_create_tensor_from_blob",
    "aoti_torch_delete_tensor_object",
    "aoti_torch_device_type_cpu",
    "aoti_torch_dtype_float32",
    "aoti_torch_dtype_float64",
    "aoti_torch_get_data_ptr",
    "aoti_torch_get_sizes",
    "aoti_torch_get_strides",
    SET_THREADS,
    GET_THREADS,
)


def open_library() -> ctypes.CDLL | None:
    """libtorch_cpu with all that is needed of it, or None where it is not as expected."""
    return _open()[0]


def why_not() -> str:
    """Why ``open_library`` gives None; empty where it does not."""
    return _open()[1]


def _open() -> tuple[ctypes.CDLL | None, str]:
    with _opening:  # a second thread waits for the first instead of doing it again
        return _open_once()


@cache
def _open_once() -> tuple[ctypes.CDLL | None, str]:
    try:
        folder = _folder()
        if not TESTED.search((folder / "version.py").read_text(encoding="utf-8")):
            return None, "it is tried out with torch 2.13 alone"
        library = _opened(folder / "lib" / LIBRARY)
        missing = [name for name in NEEDED if not hasattr(library, name)]
        return (None, f"{LIBRARY} has no {missing[0]}") if missing else (library, "")
    except (OSError, AttributeError, ImportError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"


def conv2d(
    library: ctypes.CDLL,
    image: Image,
    weights: Image,
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Image:
    """``weights`` (O, C / groups, kH, kW) over an ``image`` (H, W, C), without padding.

    Both are contiguous and of one dtype, float32 or float64; so is the (H, W, O) result, which
    equals that of ``torch.nn.functional.conv2d`` bit for bit.

    Raises:
        RuntimeError: libtorch refused.
    """
    height, width, channels = image.shape
    strides = batch_strides(image.shape, stride)
    taps = weights.shape[2] * weights.shape[3]
    of_weights = weights.shape[1] * taps, taps, weights.shape[3], 1
    with (
        _tensor(library, image, (1, channels, height, width), strides) as pixels,
        _tensor(library, weights, weights.shape, of_weights) as kernels,
    ):
        result = c_void_p()
        _check(
            library.aoti_torch_cpu_convolution(
                pixels,
                kernels,
                None,  # bias
                *_integers(stride),
                *_integers((0, 0)),  # padding
                *_integers(dilation),
                c_int32(0),  # not transposed
                *_integers((0, 0)),  # output padding
                c_int64(channels // weights.shape[1]),  # groups
                byref(result),
            )
        )
    return _as_array(library, result, image.dtype)


def max_pool2d(library: ctypes.CDLL, planes: Image, how: Pool) -> Image:
    """The largest value of each window, (H, W, C), of ``planes`` (C, H, W).

    Raises:
        RuntimeError: libtorch refused.
    """
    result, indices = c_void_p(), c_void_p()
    with _planes(library, planes) as pixels:
        settings = (how.kernel_size, how.stride or how.kernel_size, how.padding, how.dilation)
        pairs = (argument for pair in settings for argument in _integers(pair or ()))
        ceil_mode = c_int32(how.ceil_mode)
        both = byref(result), byref(indices)
        _check(library.aoti_torch_cpu_max_pool2d_with_indices(pixels, *pairs, ceil_mode, *both))
    library.aoti_torch_delete_tensor_object(indices)
    return _as_array(library, result, planes.dtype)


def avg_pool2d(library: ctypes.CDLL, planes: Image, how: Pool) -> Image:
    """The mean of each window, (H, W, C), of ``planes`` (C, H, W).

    Raises:
        RuntimeError: libtorch refused.
    """
    result = c_void_p()
    with _planes(library, planes) as pixels:
        settings = (how.kernel_size, how.stride or how.kernel_size, how.padding)
        pairs = (argument for pair in settings for argument in _integers(pair or ()))
        switches = c_int32(how.ceil_mode), c_int32(how.count_include_pad)
        divisor = None  # it counts by itself
        _check(library.aoti_torch_cpu_avg_pool2d(pixels, *pairs, *switches, divisor, byref(result)))
    return _as_array(library, result, planes.dtype)


def batch_strides(shape: Sequence[int], stride: tuple[int, int]) -> tuple[int, int, int, int]:
    """Strides that read an (H, W, C) image as a batch (1, C, H, W), without copying it.

    They are those of torch's channels-last layout, which it knows by the stride of the batch
    axis; left at what numpy or ``unsqueeze`` give, torch takes a path 10 to 30 times slower.
    A single channel fits either layout, and in channels-last torch 2.13 returns wrong values
    for strides above 1 (4x4 weights on 7x4 pixels with stride (1, 3), for one).
    """
    height, width, channels = shape
    if channels == 1 and stride != (1, 1):
        return height * width, height * width, width, 1
    return height * width * channels, 1, width * channels, channels


def get_threads(library: ctypes.CDLL) -> int:
    """How many threads libtorch divides its work among."""
    return int(getattr(library, GET_THREADS)())


def set_threads(library: ctypes.CDLL, count: int) -> None:
    """Let libtorch divide its work among ``count`` threads."""
    getattr(library, SET_THREADS)(count)


def _folder() -> Path:
    """Where torch is installed; finds it without importing it."""
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        raise ImportError("torch is not installed")
    return Path(found.submodule_search_locations[0])


def _opened(path: Path) -> ctypes.CDLL:
    if sys.platform == "win32":
        return ctypes.CDLL(str(path))
    # ctypes.CDLL resolves every symbol and holds the interpreter lock meanwhile; dlopen called
    # as a function does neither.
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = c_void_p
    dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    handle = dlopen(os.fsencode(path), os.RTLD_LAZY)
    if not handle:
        raise OSError(f"{path} cannot be opened")
    return ctypes.CDLL(str(path), handle=handle)


@contextmanager
def _planes(library: ctypes.CDLL, planes: Image) -> Iterator[c_void_p]:
    """A tensor (1, C, H, W) that looks at ``planes`` (C, H, W), one by one or interleaved."""
    channels, height, width = planes.shape
    steps = [step // planes.itemsize for step in planes.strides]
    if channels == 1:  # which fits either layout, but torch must take it for the plain one
        steps = [height * width, width, 1]
    strides = height * width * channels, *steps
    with _tensor(library, planes, (1, *planes.shape), strides) as tensor:
        yield tensor


@contextmanager
def _tensor(
    library: ctypes.CDLL, data: Image, sizes: Sequence[int], strides: Sequence[int]
) -> Iterator[c_void_p]:
    """A tensor that looks at ``data``, which must outlive it."""
    names = {"float32": "aoti_torch_dtype_float32", "float64": "aoti_torch_dtype_float64"}
    tensor = c_void_p()
    _check(
        library.aoti_torch_create_tensor_from_blob(
            c_void_p(data.ctypes.data),
            c_int64(len(sizes)),
            _integers(sizes)[0],
            _integers(strides)[0],
            c_int64(0),  # storage offset
            c_int32(getattr(library, names[data.dtype.name])()),
            c_int32(library.aoti_torch_device_type_cpu()),
            c_int32(0),  # device index
            byref(tensor),
        )
    )
    try:
        yield tensor
    finally:
        library.aoti_torch_delete_tensor_object(tensor)


def _integers(values: Sequence[int]) -> tuple[Any, c_int64]:
    """An array argument of the C interface, and its length."""
    return (c_int64 * len(values))(*values), c_int64(len(values))


def _check(status: int) -> None:
    if status:
        raise RuntimeError("libtorch refused a convolution or a pool")


def _as_array(library: ctypes.CDLL, tensor: c_void_p, dtype: Any) -> Image:
    """A (1, C, H, W) tensor as an (H, W, C) array, which deletes it when nobody looks any more."""
    import numpy as np

    data = c_void_p()
    sizes, strides = POINTER(c_int64)(), POINTER(c_int64)()
    try:
        _check(library.aoti_torch_get_data_ptr(tensor, byref(data)))
        _check(library.aoti_torch_get_sizes(tensor, byref(sizes)))
        _check(library.aoti_torch_get_strides(tensor, byref(strides)))
    except RuntimeError:
        library.aoti_torch_delete_tensor_object(tensor)
        raise
    order = (2, 3, 1)
    shape = tuple(sizes[axis] for axis in order)
    steps = tuple(strides[axis] * dtype.itemsize for axis in order)
    length = sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) + dtype.itemsize
    memory = (ctypes.c_char * length).from_address(data.value or 0)
    finalize(memory, library.aoti_torch_delete_tensor_object, tensor).atexit = False
    return np.ascontiguousarray(np.ndarray(shape, dtype, memory, 0, steps))
