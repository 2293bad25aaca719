"""The input of a generator, which is no picture."""

from __future__ import annotations

import torch

from cnnviz.models.loading import Prepared

LENGTH = 100


def draw(seed: int = 0) -> Prepared:
    """A latent vector, (1, 100, 1, 1): a hundred numbers from the normal distribution.

    One seed always gives the same vector.
    """
    vector = torch.randn(1, LENGTH, 1, 1, generator=torch.Generator().manual_seed(seed))
    return Prepared(vector, [f"{LENGTH} numbers drawn from the normal distribution, seed {seed}"])
