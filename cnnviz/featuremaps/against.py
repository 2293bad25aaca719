"""What a run is compared with, and where its difference counts. Light: for the command line."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnviz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("image", "weights", "seed", "device", "precision", "maps")
PRECISIONS = ("float16", "bfloat16", "float32", "float64")
CHECKPOINTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
VARIANTS = re.compile(r"random|trained|default|epoch\d+")

# float32 has 24 bits. Sums of thousands of products lose the last few of them; where the upper
# half is touched it is not rounding.
UPPER_HALF = 2.0**-12


@dataclass(frozen=True)
class Against:
    """The other side of a comparison: its ``kind``, one of ``KINDS``, and ``value``."""

    kind: str
    value: str

    @classmethod
    def read(cls, text: str) -> Against:
        """From ``KIND:VALUE``, or an image, a file of weights, or a word for weights as it is.

        Raises:
            UsageError: it is none of these.
        """
        kind, colon, value = text.partition(":")
        if not colon or kind not in KINDS:
            return cls(_kind_of(text), text)
        if not value:
            raise UsageError(f"--compare {text} names nothing after the colon")
        if kind == "precision" and value not in PRECISIONS:
            raise UsageError(f"no precision is called {value!r}; use {', '.join(PRECISIONS)}")
        if kind == "seed" and not re.fullmatch(r"[0-9]{1,9}", value):
            raise UsageError(f"{value!r} is no seed; give a whole number of at most 9 digits")
        if kind == "device" and not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", value):
            raise UsageError(f"{value!r} is no device; use cpu, cuda or cuda:N")
        return cls(kind, value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def short(self) -> str:
        """As part of a folder's name."""
        last = os.path.basename(self.value.rstrip("/"))  # noqa: PTH119 (may be any text)
        stem = os.path.splitext(last)[0]  # noqa: PTH122 (as above)
        said = f"seed{stem}" if self.kind == "seed" else stem
        return re.sub(r"[^\w.-]+", "_", said).strip("_.")[:60] or self.kind


def _kind_of(text: str) -> str:
    if not text:
        raise UsageError("--compare is empty; name an image, or weights:random and the like")
    if not os.path.lexists(text) and VARIANTS.fullmatch(text):
        return "weights"
    return "weights" if text.endswith(CHECKPOINTS) else "image"


@dataclass(frozen=True)
class Divergence:
    """From which difference on, relative to a layer's largest magnitude, a run fails."""

    limit: float = UPPER_HALF

    @classmethod
    def read(cls, text: str) -> Divergence | None:
        """From ``diverges``, ``diverges>1e-6`` or ``diverges>0.1%``; None for other limits.

        Raises:
            UsageError: what follows is no number.
        """
        if not text.startswith("diverges"):
            return None
        found = re.fullmatch(r"diverges(?:>(\d+(?:\.\d+)?(?:e-?\d{1,3})?)(%?))?", text)
        if found is None or not math.isfinite(float(found[1] or 0)):
            raise UsageError(
                f"{text!r} is no limit; give diverges, or diverges>1e-6, which is relative to the"
                " largest magnitude in a layer"
            )
        if found[1] is None:
            return cls()
        return cls(float(found[1]) / (100 if found[2] else 1))

    def failed(self, layers: list[dict[str, Any]]) -> list[str]:
        """The layers that are beyond it, as the manifest has them."""
        return [
            f"diverges>{self.limit:.3g} in {layer['name']}"
            for layer in layers
            if diverges(layer.get("compare"), self.limit)
        ]


def diverges(errors: Mapping[str, Any] | None, limit: float = UPPER_HALF) -> bool:
    """Whether a layer's errors, as the manifest has them, are beyond ``limit``."""
    if not errors or errors["reason"]:
        return False
    return bool(errors["nonfinite"] or errors["relative"] > limit)
