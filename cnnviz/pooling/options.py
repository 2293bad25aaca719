"""How an image is to be pooled, and how precisely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz import engines
from cnnviz.engines.pools import ORDERS_OF_BOTH, Pool
from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISIONS = ("auto", "float32", "float64")
EXACT_INTEGERS = 1 << 24  # float32 holds every integer up to this one
LONG_SUM = 4096  # terms, from which on float32's bound says little


@dataclass(frozen=True)
class PoolOptions:
    """What ``pool_image`` does, as the options of ``cnnviz pool``.

    ``precision`` is float32, float64, or auto: float32, unless that would round whole numbers'
    sums or the image itself. ``device`` is torch's, cpu, cuda or cuda:N.

    Raises:
        UsageError: a word that is none of these; a device that is not there.
    """

    engines: tuple[str, ...] = engines.ENGINES
    precision: str = "auto"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"precision is {self.precision!r}; it must be {' or '.join(PRECISIONS)}"
            )
        engines.refuse_impossible(self.engines, self.device)

    def engines_for(self, how: Pool) -> tuple[str, ...]:
        """Those that are to compute ``how``: torch alone where OpenCV has no such sums.

        Raises:
            UsageError: OpenCV alone was asked for.
        """
        if how.mode != "lp" or how.p in ORDERS_OF_BOTH:
            return self.engines
        if "torch" not in self.engines:
            raise UsageError(f"OpenCV has lp pooling for p = 1 and 2, not {how.p:g}; torch has it")
        return ("torch",)

    def precision_for(self, pixels: NDArray[Any], how: Pool) -> str:
        """float32 or float64, for these pixels."""
        if self.precision != "auto":
            return self.precision
        is_float = pixels.dtype.kind == "f"
        if pixels.dtype.itemsize > (4 if is_float else 2):
            return "float64"
        if how.mode in {"max", "min"}:
            return "float32"
        taps = how.taps(pixels.shape)
        largest = 0 if is_float else 2 ** (8 * pixels.dtype.itemsize) - 1
        rounds = taps > LONG_SUM or taps * largest >= EXACT_INTEGERS
        return "float64" if rounds else "float32"
