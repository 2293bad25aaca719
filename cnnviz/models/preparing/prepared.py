"""An input that a model can be given, with what was done to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Prepared:
    """A model's input, (1, C, H, W), and in words what was done to the image.

    ``blank`` says that the image holds nothing that a model could tell.
    """

    tensor: Tensor
    steps: list[str]
    blank: bool = False
