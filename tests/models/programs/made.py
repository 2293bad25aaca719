"""A small network to be put into containers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Two layers of each kind, a shared activation, a parameter of its own, a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.inner = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.head = nn.Linear(144, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of (N, 1, 8, 8)."""
        x = self.first(x)
        y = torch.relu(x + self.inner(x) * self.scale)
        out: Tensor = self.head(y.flatten(1))
        return out


PARAMETERS = 40 + 8 + 20 + 4 + 290
