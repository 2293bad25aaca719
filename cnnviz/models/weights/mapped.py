"""Tensors that are views of a file, made from places that were checked."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from typing import BinaryIO

    from torch import Tensor

    from cnnviz.models.weights.places import Place


def tensors_at(file: BinaryIO, places: list[Place]) -> dict[str, Tensor]:
    """The tensors at ``places``, each checked to lie within its storage and the file.

    They are read when they are used. Writing to one changes nothing in the file.
    """
    if not any(place.size for place in places):
        return {place.name: _empty(place) for place in places}
    view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return {place.name: _tensor(view, place) for place in places}


def _empty(place: Place) -> Tensor:
    return torch.empty(place.shape, dtype=getattr(torch, place.dtype))


def _tensor(view: mmap.mmap, place: Place) -> Tensor:
    if 0 in place.shape or not place.size:
        return _empty(place)
    size = place.size // place.item_size * place.item_size
    storage = torch.frombuffer(view, dtype=torch.uint8, count=size, offset=place.start)
    if place.start % place.item_size:
        storage = storage.clone()  # numbers must begin at multiples of their size
    dtype = getattr(torch, place.dtype)
    # A byte that is neither 0 nor 1 is no truth value, and torch would take it as one.
    typed = storage.ne(0) if dtype == torch.bool else storage.view(dtype)
    return typed.as_strided(place.shape, place.stride, place.offset)
