"""What a model says of itself that its operations do not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

PREFIXES = {
    *("class_token", "cls_token", "class_embedding", "dist_token", "distillation_token"),
    *("reg_token", "register_token"),
}


@dataclass(frozen=True)
class Hints:
    """What a model says of itself: the axes of its maps, and how many tokens are not the image's.

    ``prefix`` is None where it says nothing.
    """

    maps: str = "NCHW"
    prefix: int | None = None

    @classmethod
    def of(cls, model: nn.Module, maps: str | None = None) -> Hints:
        """Those of ``model``; ``maps``, NCHW or NHWC, is the user's word and goes first."""
        return cls(maps or _maps_of(model), _prefix_of(model))


def _maps_of(model: nn.Module) -> str:
    said = str(getattr(model, "output_fmt", "")).rpartition(".")[2]  # timm's
    swin = type(model).__module__ == "torchvision.models.swin_transformer"
    return "NHWC" if swin or said == "NHWC" else "NCHW"


def _prefix_of(model: nn.Module) -> int | None:
    counted = getattr(model, "num_prefix_tokens", None)  # timm's
    if isinstance(counted, int):
        return counted
    tokens = [
        param.shape[1] if param.ndim == 3 else 1
        for name, param in model.named_parameters()
        if name.rpartition(".")[2].rstrip("s") in PREFIXES and param.ndim in {1, 3}
    ]
    return sum(tokens) if tokens else None
