"""What is done to an image before a model sees it, as plain numbers; without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from cnnviz.errors import UsageError

Fit = Literal["crop", "pad", "stretch"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]
Order = Literal["RGB", "BGR"]
Size = tuple[int, int]

TO_UNIT = 1 / 255  # of 8-bit levels: black is 0 and white is 1


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a model's input. Sizes are height, width.

    First the image is resized, then ``size`` is cut from its middle, or it is padded to ``size``;
    None keeps the resized image whole. ``fit`` says how it is resized. ``"crop"``: until its
    shorter side is ``resize``, or until it covers a ``resize`` of two numbers. ``"pad"``: until it
    lies within ``resize``. ``"stretch"``: to ``resize``, whatever its proportions. Without
    ``resize``, to ``size``. ``longest`` is the most that the longer side may be where ``resize``
    is the shorter.

    Levels from 0 to 255 (of deeper images with their decimals) times ``scale``, minus ``mean``,
    divided by ``std``, channel by channel in ``order``, are the input; empty ``mean`` and ``std``
    change nothing. ``gray`` takes the colours out. ``multiple`` pads bottom and right with zeros.
    ``frames`` shows the image that many times, as a clip.

    Raises:
        UsageError: as many means or deviations as there are no channels; a deviation of 0.
    """

    size: Size | None
    resize: int | Size | None = None
    fit: Fit = "crop"
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    channels: int = 3
    order: Order = "RGB"
    scale: float = TO_UNIT
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    gray: bool = False
    longest: int | None = None
    multiple: int = 1
    frames: int | None = None

    def __post_init__(self) -> None:
        choices = (("fit", Fit), ("interpolation", Interpolation), ("order", Order))
        for name, allowed in choices:
            if getattr(self, name) not in get_args(allowed):
                known = ", ".join(get_args(allowed))
                raise UsageError(f"{name} is {getattr(self, name)!r}; there is {known}")
        for name in ("mean", "std"):
            _refuse_statistics(name, getattr(self, name), self.channels)


def _refuse_statistics(name: str, values: tuple[float, ...], channels: int) -> None:
    if values and len(values) != channels:
        raise UsageError(
            f"{name} has {len(values)} values and the input {channels} channels; "
            f"give --{name} {channels} numbers"
        )
    if not all(math.isfinite(value) for value in values):
        raise UsageError(f"{name} is {_listed(values)}; it must be finite")
    if name == "std" and any(value <= 0 for value in values):
        raise UsageError(f"std is {_listed(values)}; values are divided by it: give more than 0")


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)


def plain(size: Size | None, channels: int = 3) -> Preprocessing:
    """The least: covering ``size`` and cut to it, from 0 to 1; for a model nobody describes."""
    return Preprocessing(size=size, channels=channels)


# For networks of colour pictures that have no weights of their own.
COLOUR_4, COLOUR_32, COLOUR_128, COLOUR_224 = (plain((side, side)) for side in (4, 32, 128, 224))


def adjusted(
    how: Preprocessing,
    *,
    size: Size | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    fit: Fit | None = None,
    gray: bool = False,
) -> Preprocessing:
    """``how`` with what a user asks for; None leaves a thing as it is.

    A new ``size`` keeps how much is cut away around it; a new ``fit`` cuts nothing away that it
    need not. ``gray`` takes the colours out; the number of channels is the model's and stays.

    Raises:
        UsageError: a size out of bounds, statistics for another number of channels, or a way to
            fit an image that has no size to be fitted to.
    """
    if fit is not None and fit != how.fit:
        if size is None and how.size is None:
            raise UsageError(f"this model takes images of any size; give --size for --fit {fit}")
        how = replace(how, fit=fit, resize=None, longest=None)
    if size is not None:
        how = replace(how, size=refuse_size(size), resize=_grown(how, size), longest=None)
    return replace(
        how,
        mean=how.mean if mean is None else mean,
        std=how.std if std is None else std,
        gray=how.gray or gray,
    )


def _grown(how: Preprocessing, size: Size) -> int | Size | None:
    """The ``resize`` that lies as far around ``size`` as before."""
    if how.resize is None or how.size is None:
        return None
    old = (how.resize, how.resize) if isinstance(how.resize, int) else how.resize
    high, wide = (max(1, round(old[n] / how.size[n] * size[n])) for n in (0, 1))
    new = high, wide
    return new[0] if isinstance(how.resize, int) and new[0] == new[1] else new


def refuse_size(size: Size) -> Size:
    """``size``, where an image of it can be held.

    Raises:
        UsageError: no pixels, more than 256 megapixels, or more than 65,535 a side.
    """
    from cnnviz.limits import MAX_PIXELS, MAX_SIDE

    height, width = size
    if height < 1 or width < 1:
        raise UsageError(f"the model's input would be {height}x{width}: it has no pixels")
    if max(size) > MAX_SIDE or height * width > MAX_PIXELS:
        raise UsageError(
            f"the image would be resized to {height}x{width}; the limit is {MAX_SIDE:,} a side and "
            f"{MAX_PIXELS:,} pixels; give a smaller --size, or --fit pad or stretch"
        )
    return size


def resized(how: Preprocessing, size: Size) -> Size:
    """What an image of ``size`` is resized to, before cutting or padding; as it is may be.

    Raises:
        UsageError: that is out of bounds, as a line of pixels enlarged by its shorter side is.

    Source: the rounding of torchvision's ``resize`` (one number) and timm's ``ResizeKeepRatio``.
    """
    target = how.resize or how.size
    if target is None:
        return size
    height, width = size
    if how.fit == "crop" and isinstance(target, int):
        return refuse_size(_by_shorter_side(size, target, how.longest))
    high, wide = (target, target) if isinstance(target, int) else target
    if how.fit == "stretch":
        return refuse_size((high, wide))
    choose = min if how.fit == "crop" else max
    ratio = choose(height / high, width / wide)
    return refuse_size((max(1, round(height / ratio)), max(1, round(width / ratio))))


def _by_shorter_side(size: Size, shorter: int, longest: int | None) -> Size:
    height, width = size
    if longest is not None:
        ratio = min(shorter / min(size), longest / max(size))
        return max(1, math.floor(height * ratio)), max(1, math.floor(width * ratio))
    if height <= width:
        return shorter, int(shorter * width / height)
    return int(shorter * height / width), shorter


def seen_size(how: Preprocessing, size: Size) -> Size:
    """Height and width of the model's input for an image of ``size``.

    Raises:
        UsageError: out of bounds.
    """
    height, width = how.size or resized(how, size)
    rows, columns = (-(-side // how.multiple) for side in (height, width))
    return rows * how.multiple, columns * how.multiple
