"""Reads MNIST's and Fashion-MNIST's files."""

import gzip
from pathlib import Path

import torch
from torch import Tensor


def read_set(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (N, 28, 28) and labels (N,), both uint8; ``part`` is ``train`` or ``t10k``."""
    return (
        read_idx(folder / f"{part}-images-idx3-ubyte"),
        read_idx(folder / f"{part}-labels-idx1-ubyte"),
    )


def read_idx(path: Path) -> Tensor:
    """The array in an IDX file, or in it packed as ``.gz``.

    The file begins with a magic number whose last byte counts the axes; their lengths follow.
    """
    data = path.read_bytes() if path.exists() else gzip.decompress(_packed(path).read_bytes())
    axes = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
    return torch.frombuffer(bytearray(data[4 + 4 * axes :]), dtype=torch.uint8).reshape(shape)


def _packed(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")
