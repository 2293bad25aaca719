"""What the names in a file that ``torch.save`` wrote stand for, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnviz.models.weights.places import ITEM_SIZES
from cnnviz.models.weights.sealed.opcodes import Name, Opaque

# Storages by the beginning of their class names; dtype names are torch's.
STORAGES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    "Untyped": "",
}
WIDTHS = {
    **ITEM_SIZES,
    **dict.fromkeys(("", "qint8", "quint8", "quint4x2", "quint2x4"), 1),
    **dict.fromkeys(("qint32", "complex32"), 4),
    "complex64": 8,
    "complex128": 16,
}
STORAGE_NAMES = {
    f"{home}.{kind}Storage": dtype
    for kind, dtype in STORAGES.items()
    for home in ("torch", "torch.cuda", "torch.storage")
}
DTYPE_NAMES = {
    *(f"torch.{dtype}" for dtype in WIDTHS if dtype),
    *(f"torch.{word}{bits}" for word in ("int", "uint") for bits in range(1, 8)),
    *("torch.float8_e8m0fnu", "torch.float4_e2m1fn_x2", "torch.bits8", "torch.bits16"),
}
TENSORS = {
    *(f"torch._utils._rebuild_tensor{version}" for version in ("", "_v2", "_v3")),
    *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
    "torch._tensor._rebuild_from_type_v2",
}
# Tensors without a storage that one could look into, and what they are.
UNUSABLE = {
    "torch._utils._rebuild_sparse_tensor": "sparse",
    "torch._utils._rebuild_qtensor": "quantised",
    "torch._utils._rebuild_nested_tensor": "nested",
    "torch._utils._rebuild_meta_tensor_no_storage": "without values",
    "torch._utils._rebuild_wrapper_subclass": "of a class of its own",
    "torch._utils._rebuild_device_tensor_from_numpy": "saved from another kind of device",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "saved from another kind of device",
    "torch.Tensor": "in a form that torch gave up in 2018",
    "torch.nn.parameter.Parameter": "in a form that torch gave up in 2018",
}
OF_NO_USE = {
    *("torch.Size", "torch.device", "torch.serialization._get_layout", "collections.Counter"),
    *("_codecs.encode", "builtins.bytearray", "builtins.set", "builtins.complex"),
    *(
        f"torch.per_{per}_{kind}"
        for per in ("tensor", "channel")
        for kind in ("affine", "symmetric")
    ),
    "torch.per_channel_affine_float_qparams",
}
KNOWN = {
    "collections.OrderedDict",
    *(STORAGE_NAMES.keys() | DTYPE_NAMES | TENSORS | UNUSABLE.keys() | OF_NO_USE),
}


@dataclass(frozen=True)
class Storage:
    """``count`` elements of ``dtype`` under ``key``, from element ``begin`` of what lies there.

    A ``dtype`` of "" counts bytes.
    """

    key: str
    dtype: str
    count: int
    begin: int = 0


@dataclass(frozen=True)
class Tensor:
    """A view of a storage, as the pickle claims it; nothing of it is checked yet."""

    storage: Storage
    dtype: str
    offset: Any
    shape: Any
    stride: Any


@dataclass(frozen=True)
class Unusable:
    """A tensor that is sparse, quantised or the like; ``kind`` says which."""

    kind: str


def known(name: str) -> bool:
    """Whether a file of weights may name it: what ``weights_only=True`` of torch 2.13 takes."""
    return name in KNOWN


def call(name: str, arguments: tuple[Any, ...]) -> Any:
    """What the class or function called ``name`` would make of ``arguments``.

    Raises:
        TypeError: not of arguments like these.
    """
    if name in TENSORS:
        return _tensor(name, arguments)
    if name in UNUSABLE:
        return Unusable(UNUSABLE[name])
    if name != "collections.OrderedDict":
        return Opaque()
    if not arguments:
        return {}
    pairs = arguments[0]
    if type(pairs) is dict:
        return pairs
    made = {key if type(key) is str else Opaque(): value for key, value in pairs}
    pairs.clear()  # so that no pickle makes it again and again, each time as long
    return made


def _tensor(name: str, arguments: tuple[Any, ...]) -> Any:
    if name.endswith("_from_type_v2"):
        function, _, inner, _ = arguments
        if type(function) is not Name or function not in {*TENSORS, *UNUSABLE} or function == name:
            raise TypeError
        return call(function, inner)
    if "_parameter" in name:
        if not isinstance(arguments[0], (Tensor, Unusable)):
            raise TypeError
        return arguments[0]
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, Storage):
        raise TypeError
    dtype = storage.dtype
    if name.endswith("_v3"):
        if type(arguments[6]) is not Name:
            raise TypeError
        dtype = arguments[6].removeprefix("torch.")
    return Tensor(storage, dtype, offset, shape, stride)


def storage_of(identifier: Any) -> Storage:
    """The storage that a persistent identifier stands for.

    Raises:
        TypeError, ValueError: not of the form that torch writes.
    """
    if type(identifier) is not tuple:
        raise TypeError
    word, kind, key, _, count, *view = identifier[:6]
    if word != "storage" or type(key) is not str or STORAGE_NAMES.get(kind) is None:
        raise TypeError
    if type(count) is not int or count < 0:
        raise ValueError
    if view and view[0] is not None:
        _, begin, count = view[0][:3]  # part of a storage, in files from before torch 1.6
        if type(begin) is not int or type(count) is not int or min(begin, count) < 0:
            raise ValueError
        return Storage(key, STORAGE_NAMES[kind], count, begin)
    return Storage(key, STORAGE_NAMES[kind], count)
