"""The input of a generator, which is no picture."""

from __future__ import annotations

import torch

from cnnviz.models.preparing.prepared import Prepared

LENGTH = 100
SOURCE = "latent:"  # and a seed, in place of an image


def seed_of(name: str) -> int | None:
    """The seed in ``latent:SEED``; None for the name of anything else."""
    seed = name.removeprefix(SOURCE)
    is_seed = name.startswith(SOURCE) and seed.isascii() and seed.isdigit() and len(seed) < 10
    return int(seed) if is_seed else None


def draw(seed: int = 0) -> Prepared:
    """A latent vector, (1, 100, 1, 1): a hundred numbers from the normal distribution.

    One seed always gives the same vector.
    """
    vector = torch.randn(1, LENGTH, 1, 1, generator=torch.Generator().manual_seed(seed))
    return Prepared(vector, [f"{LENGTH} numbers drawn from the normal distribution, seed {seed}"])
