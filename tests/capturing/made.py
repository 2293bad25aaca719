"""Models for tests of capturing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from cnnviz.capturing import Run

IMAGE = torch.linspace(-1, 1, 2 * 6 * 6).reshape(1, 2, 6, 6)
EVERYTHING: dict[str, Any] = {"wants": lambda layer: True}


def seeded(*layers: nn.Module) -> nn.Sequential:
    """The layers in a row, with random weights that are the same in every run."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return model


class Does(nn.Module):
    """Does as it is told; layers may be set on it."""

    def __init__(self, do: Callable[..., Any]) -> None:
        super().__init__()
        self.do = do

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)

    def forward(self, *inputs: Any, **arguments: Any) -> Any:
        """What the function makes of it."""
        return self.do(*inputs, **arguments)


def hooks(model: nn.Module) -> int:
    """How many there are on the model and its parts."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def keys(run: Run) -> list[str]:
    return [layer.key for layer in run.layers]


def reasons(run: Run) -> dict[str, str | None]:
    return {layer.key: layer.reason for layer in run.layers if layer.values is None}
