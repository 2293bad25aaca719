"""A function of the user's that makes a model's input of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from cnnviz.errors import CnnvizError, ModelError, spoken
from cnnviz.models.preparing.prepared import Prepared
from cnnviz.models.sources import user

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.images import Picture


def preparation(place: str) -> Callable[[Picture], Prepared]:
    """What ``place``, MODULE:FUNCTION or FILE.py:FUNCTION, makes of an image.

    The function is given the image as torchvision's transforms take it, a Pillow image in RGB, and
    returns a tensor (C, H, W) or (1, C, H, W).

    Raises:
        ModelError: there is no such function.
    """
    home, colon, name = place.rpartition(":")
    if not (colon and home and name):
        raise ModelError(f"{place!r} is not MODULE:FUNCTION or FILE.py:FUNCTION")
    with user.found(home, name) as function:
        pass
    if not callable(function):
        raise ModelError(f"{place} is a {type(function).__name__}, not a function")

    def prepare(picture: Picture) -> Prepared:
        try:
            made = function(_as_pillow(picture))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # somebody's code raises what it likes and exits
            said = spoken(error)
            raise CnnvizError(f"{place} failed: {said}") from error
        return _checked(made, place)

    return prepare


def _as_pillow(picture: Picture) -> Image.Image:
    if picture.pixels.dtype != "uint8":
        raise CnnvizError(
            f"it has {picture.pixels.dtype} pixels, and --preprocess takes 8-bit images;"
            " convert the image, or leave --preprocess out"
        )
    pixels = picture.pixels if picture.pixels.shape[2] == 3 else picture.pixels.repeat(3, axis=2)
    return Image.fromarray(pixels)


def _checked(made: object, place: str) -> Prepared:
    if not isinstance(made, Tensor):
        raise CnnvizError(f"{place} returned a {type(made).__name__}, not a torch tensor")
    batch = made.unsqueeze(0) if made.ndim == 3 else made
    if batch.ndim != 4 or len(batch) != 1 or not batch.numel():
        size = "x".join(map(str, made.shape))
        raise CnnvizError(f"{place} returned {size}; one image is CxHxW or 1xCxHxW")
    return Prepared(batch.detach().float(), [f"made by {place}"])
