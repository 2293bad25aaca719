"""The two engines behind one interface: modules with a ``correlate`` and a ``pool`` each.

They invent missing pixels, and sum products, each by its own library's means, so that a
mistake in one of them shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Literal, Protocol, cast

from cnnviz.engines import libtorch
from cnnviz.engines.pools import POOLS, Pool
from cnnviz.errors import UsageError
from cnnviz.shapes import Axis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.kernels import Kernel

    Image = NDArray[np.floating]

__all__ = [
    "BORDERS",
    "ENGINES",
    "POOLS",
    "Engine",
    "Padding",
    "Pool",
    "Window",
    "is_own",
    "load",
    "refuse_impossible",
    "warm_up",
]

ENGINES = ("opencv", "torch")
BORDERS = ("reflect101", "replicate", "reflect", "wrap", "zeros")

Padding = Literal["same", "valid"] | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Window:
    """How a kernel slides: pairs are (along height, along width), in pixels.

    ``border`` says how missing pixels are invented: ``reflect101`` mirrors at the edge pixel
    (gfedcb|abcdefgh|gfedcba), ``reflect`` mirrors beside it (hgfedcba|abcdefgh|hgfedcba),
    ``replicate`` repeats it, ``wrap`` continues at the other side, ``zeros`` takes 0.
    ``padding`` says how many there are, a pair ``(before, after)`` of each where the two ends
    differ; ``same`` as many as keep the size at stride 1, ``valid`` none.
    """

    border: str = "reflect101"
    padding: Padding = "same"
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if self.border not in BORDERS:
            raise UsageError(f"no border is called {self.border!r}; there are {', '.join(BORDERS)}")

    def axes(self, kernel_shape: tuple[int, int]) -> tuple[Axis, Axis]:
        """The window along height and along width.

        ``same`` puts the anchor where ``cv2.filter2D`` has it: at ``size // 2`` of the dilated
        kernel, so that an even kernel misses one pixel more before than after.
        """
        return self._axis(kernel_shape, 0), self._axis(kernel_shape, 1)

    def fitted(
        self, kernel_shape: tuple[int, int], image_shape: Sequence[int]
    ) -> tuple[Axis, Axis]:
        """``axes``, which fit an image of ``image_shape`` (H, W, …).

        Raises:
            ShapeError: the kernel does not fit into the padded image; names the axis.
        """
        rows, columns = self.axes(kernel_shape)
        rows.along("height", image_shape[0])
        columns.along("width", image_shape[1])
        return rows, columns

    def _axis(self, kernel_shape: tuple[int, int], which: int) -> Axis:
        size, stride, dilation = kernel_shape[which], self.stride[which], self.dilation[which]
        span = Axis(size, dilation=dilation).span
        if self.padding == "same":
            padding = span // 2, span - 1 - span // 2
        elif self.padding == "valid":
            padding = 0, 0
        else:
            given = self.padding[which]
            padding = given if isinstance(given, tuple) else (given, given)
        return Axis(size, stride, padding, dilation)


class Engine(Protocol):
    """What a module in this room offers."""

    KEEPS_INTEGERS: bool
    """Whether sums of integer products are exact wherever the format holds all of them."""

    @staticmethod
    def correlate(image: Image, kernel: Kernel, window: Window) -> Image:
        """Unflipped kernel over each channel; (H, W, C) in and out, in the image's float dtype.

        Raises:
            ShapeError: the kernel does not fit into the padded image.
        """

    @staticmethod
    def transform_error(kernel: Kernel, peak: float, dtype: np.dtype[np.floating]) -> float:
        """How far a value may be off beside the roundings of a sum of products in ``dtype``.

        ``peak`` is the largest |pixel|. 0 where the kernel is summed directly.
        """

    @staticmethod
    def pool(image: Image, how: Pool) -> Image:
        """Each window's value; (H, W, C) in and out, in the image's float dtype.

        Raises:
            ShapeError: no window fits into the image and its padding.
        """

    @staticmethod
    def running_error(how: Pool, shape: tuple[int, ...], peak: float) -> float:
        """How far the sums of a pool may be off beside the roundings of sums in any order.

        ``peak`` is the largest |pixel| of an image of ``shape``. 0 where windows are summed by
        themselves.
        """

    @staticmethod
    def one_thread() -> AbstractContextManager[None]:
        """Within it the library keeps to the threads that call it."""


def warm_up(names: Iterable[str], device: str = "cpu") -> None:
    """Begin to load what takes long of the engines ``names``, while other work is done."""
    if "torch" in names and len(set(names)) > 1 and device == "cpu":
        # Not a daemon: a process must not end in the middle of loading a library.
        Thread(target=libtorch.open_library).start()


def refuse_impossible(names: Sequence[str], device: str) -> None:
    """Refuse no engine at all, and a ``device`` that the engines ``names`` cannot work on.

    Raises:
        UsageError: says which.
    """
    if not names:
        raise UsageError(f"no engine is named; there are {' and '.join(ENGINES)}")
    if device == "cpu":
        return
    if "torch" not in names:
        raise UsageError(f"device is {device!r}, which is torch's; OpenCV uses the CPU")
    for name in names:
        load(name, device)


def is_own(engine: Engine) -> bool:
    """Whether the engine's ``correlate`` and ``pool`` are those that came with it."""
    name = getattr(engine, "__name__", "")
    works = engine.correlate, engine.pool
    return all(getattr(work, "__module__", None) == name for work in works)


def load(name: str, device: str = "cpu") -> Engine:
    """The engine called ``name``; the same object each time.

    torch works on the ``device`` that is named, cpu, cuda or cuda:N; OpenCV on the CPU alone.

    Raises:
        UsageError: there is no such engine, or no such device.
    """
    if name not in ENGINES:
        raise UsageError(f"no engine is called {name!r}; there are {' and '.join(ENGINES)}")
    if name == "torch" and device != "cpu":
        from cnnviz.engines.cuda import on_device

        return cast("Engine", on_device(device))
    return cast("Engine", import_module(f"cnnviz.engines.{name}"))
