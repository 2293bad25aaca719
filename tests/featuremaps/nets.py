"""Tiny networks in a file, as a user has them."""

from __future__ import annotations

from pathlib import Path

from cnnviz.models import load_model
from cnnviz.models.asked import Asked
from cnnviz.models.loading import LoadedModel

SOURCE = """
import torch
from torch import nn

class Net(nn.Module):
    '''Two convolutions, one ReLU that works in place after both, and scores.'''
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.scores = nn.Linear(6, 3)
        with torch.no_grad():
            self.first.bias.fill_(0.3)
            self.first.weight[2] = 0
            self.first.bias[2] = -1

    def forward(self, x):
        x = self.pool(self.relu(self.first(x)))
        x = self.relu(self.second(x))
        return self.scores(x.mean((2, 3)))
"""


def tiny(folder: Path) -> LoadedModel:
    """The network of ``SOURCE``, of which channel 2 of the first convolution is dead."""
    (folder / "net.py").write_text(SOURCE)
    return load_model(f"{folder / 'net.py'}:Net", Asked(weights="random", seed=3))
