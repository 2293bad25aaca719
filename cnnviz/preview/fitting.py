"""The size that a picture has in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnviz.render.tiles import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]


def fitted(pixels: Pixels, side: int, screen: int) -> Pixels:
    """(H, W, 3) at the largest size that is at most ``side`` wide and high.

    Smaller as the mean of areas; or larger without smoothing, by a whole number, as long as the
    picture is no higher than the ``screen``.
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= side:
        times = max(1, min(side // longest, screen // height))
        return resized(pixels, height * times, width * times)
    sides = (max(1, round(n * side / longest)) for n in (height, width))
    return resized(pixels, *sides)
