"""How large an image may be before it is decoded; a run may raise or lower it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PIXELS = 256_000_000
MAX_SIDE = 65_535

_pixels = [MAX_PIXELS]  # of the whole process: threads of a batch share it


def max_pixels() -> int:
    """The most pixels that an image may have now."""
    return _pixels[-1]


@contextmanager
def allowing(pixels: int) -> Iterator[None]:
    """While the block runs, images may have that many pixels, in all threads."""
    _pixels.append(pixels)
    try:
        yield
    finally:
        _pixels.pop()
