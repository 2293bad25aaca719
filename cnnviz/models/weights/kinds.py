"""What a file that is given as weights is, by how it begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cnnviz.models.weights.places import CONVERT, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

SAFETENSORS, PICKLE = "safetensors", "pickle"

# What a file's first bytes show it to be; with the exit code of bad usage where it is sound.
LOOKS = {
    rb"\s*<": "is a web page, not weights: a download that failed; fetch the file itself",
    rb"version https://git-lfs": (
        "is a pointer of Git LFS, not the weights; git lfs pull fetches them"
    ),
    rb'\s*\{\s*"(error|message)': (
        "is an answer of a web service, not weights; fetch the file itself"
    ),
    rb"(Entry n|N|n)ot [Ff]ound|Access [Dd]enied|Invalid username": (
        "is an error message, not weights: a download that failed; fetch the file itself"
    ),
}
KINDS = {
    rb"\x89HDF\r\n": "is HDF5, as Keras writes it, which torch cannot be filled with",
    rb"\x93NUMPY": "is a NumPy array; save arrays by name with safetensors.numpy.save_file",
    rb"GGUF|TFL3|....TFL3": "is made for another program than torch",
    rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd": "is compressed; unpack it first",
}
ENDINGS = {".onnx": "ONNX", ".pb": "TensorFlow", ".h5": "Keras", ".keras": "Keras", ".npz": "NumPy"}
TAR_MARK = slice(257, 262)


def format_of(beginning: bytes, path: Path) -> str:
    """Which of the two formats a file that begins like this has.

    Raises:
        RefusedError: neither.
    """
    for pattern, sentence in {**LOOKS, **KINDS}.items():
        if beginning[8:9] != b"{" and re.match(pattern, beginning, re.DOTALL):
            raise RefusedError(sentence, is_usage=pattern in KINDS)
    if beginning[TAR_MARK] == b"ustar":
        raise RefusedError(f"is a tar archive, a form of before 2017; where it was made: {CONVERT}")
    if beginning[8:9] == b"{" or path.suffix.lower() == ".safetensors":
        return SAFETENSORS
    if beginning.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return PICKLE
    if path.suffix.lower() in ENDINGS:
        kind = ENDINGS[path.suffix.lower()]
        raise RefusedError(f"is of {kind}; weights are .safetensors, .pt or .pth", is_usage=True)
    if not beginning:
        raise RefusedError("is empty")
    raise RefusedError("is no file of weights: it begins like neither safetensors nor torch.save")
