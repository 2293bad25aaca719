"""Kernels as data: what they are, the files they are read from, and what is wrong with them."""

from cnnviz.kernels.kernel import Kernel, Magnitude, Named, file_name
from cnnviz.kernels.reading import (
    MAX_FILE_BYTES,
    kernel_names,
    load_kernel,
    parse_kernel,
    read_kernel,
)

__all__ = [
    "MAX_FILE_BYTES",
    "Kernel",
    "Magnitude",
    "Named",
    "file_name",
    "kernel_names",
    "load_kernel",
    "parse_kernel",
    "read_kernel",
]
