"""Where in a file the numbers of a tensor lie, checked before any of them is touched."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# What to do in the environment that made a file.
CONVERT = 'safetensors.torch.save_file(model.state_dict(), "weights.safetensors")'

MOST_TENSORS = 50_000
MOST_AXES = 64
LONGEST_NAME = 1000
LARGEST = 2**63 - 1

# Bytes of one number, by torch's name of its type.
ITEM_SIZES = {
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"), 1),
    **dict.fromkeys(("uint8", "int8", "bool"), 1),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32"), 4),
    **dict.fromkeys(("float64", "int64", "uint64"), 8),
}


class RefusedError(Exception):
    """Why a file's weights are not taken; the sentence goes on after the file's name.

    ``is_usage`` says that the file is sound, and something else than weights.
    """

    def __init__(self, sentence: str, *, is_usage: bool = False) -> None:
        super().__init__(sentence)
        self.is_usage = is_usage


@dataclass(frozen=True)
class Place:
    """A tensor ``name`` in a file: its storage is ``size`` bytes from byte ``start``.

    ``dtype`` is torch's name; ``offset``, ``shape`` and ``stride`` count elements in the storage.
    """

    name: str
    dtype: str
    start: int
    size: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def item_size(self) -> int:
        """Bytes of one element."""
        return ITEM_SIZES[self.dtype]

    def check(self, end: int) -> None:
        """Refuse what does not lie within its storage, or the storage within ``end`` bytes.

        Raises:
            RefusedError: names the tensor and what is wrong with it.
        """
        name = brief(self.name)
        if self.dtype not in ITEM_SIZES:
            raise RefusedError(f"holds {name} of type {brief(self.dtype)}, which is not supported")
        if len(self.shape) != len(self.stride) or len(self.shape) > MOST_AXES:
            raise RefusedError(f"is damaged: {name} has sizes and strides that do not go together")
        numbers = (self.start, self.size, self.offset, *self.shape, *self.stride)
        if not all(type(number) is int and 0 <= number <= LARGEST for number in numbers):
            raise RefusedError(f"is damaged: {name} has a size or stride that none can have")
        if len(self.name) > LONGEST_NAME:
            raise RefusedError(f"has names of over {LONGEST_NAME} letters, such as {name}")
        if self.start + self.size > end:
            raise RefusedError(f"is damaged: {name} ends behind the end of the file")
        count = math.prod(self.shape)
        steps = zip(self.shape, self.stride, strict=True)
        reach = self.offset + sum((size - 1) * stride for size, stride in steps) + 1 if count else 0
        if max(count, reach) * self.item_size > self.size:
            raise RefusedError(
                f"is damaged: {name} claims {shortened(max(count, reach) * self.item_size)} bytes,"
                f" but its storage has {self.size:,}"
            )

    def row(self) -> list[Any]:
        """The fields in their order, as JSON holds them."""
        return list(astuple(self))

    @staticmethod
    def from_row(row: list[Any]) -> Place:
        """The place that ``row`` was made from."""
        name, dtype, start, size, offset, shape, stride = row
        return Place(name, dtype, start, size, offset, tuple(shape), tuple(stride))


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a tensor whose elements follow each other, in elements."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def check_count(count: int) -> None:
    """Refuse a file with more tensors than any network has.

    Raises:
        RefusedError: says how many.
    """
    if count > MOST_TENSORS:
        raise RefusedError(f"holds {count:,} tensors; at most {MOST_TENSORS:,} are read")


def check_all(places: list[Place], end: int) -> None:
    """Refuse a file of ``end`` bytes with a place that is wrong.

    Raises:
        RefusedError: says which.
    """
    for place in places:
        place.check(end)


def brief(name: object, length: int = 48) -> str:
    """A name from a file in quotes, shortened in its middle and on one line."""
    text = repr(str(name))
    if len(text) > length:
        half = length // 2 - 1
        text = f"{text[:half]}…{text[-half:]}"
    return text


def named(path: Path) -> str:
    """A path as messages name it: its last 80 letters."""
    text = str(path)
    return text if len(text) <= 80 else f"…{text[-78:]}"


def shortened(number: int) -> str:
    """A count with commas, or its order of magnitude where it has over 20 digits."""
    return f"{number:,}" if number < 10**20 else f"over 10^{min(len(hex(number)), 999)}"
