"""Trains a small classifier on distorted images, and writes its weights with their history."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Distortion:
    """How far an image may be turned, slanted, scaled and moved, each time anew.

    ``scale`` and ``aspect`` are factors, lowest and highest; ``rotation`` is in radians;
    ``shift`` is a share of half the side. ``flip`` mirrors every second image or so.
    ``ground`` is the value that flows in.
    """

    scale: tuple[float, float]
    aspect: tuple[float, float]
    rotation: float
    shear: float
    shift: float
    flip: bool = False
    ground: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """AdamW with one learning-rate cycle."""

    epochs: int
    batch: int
    peak_learning_rate: float
    weight_decay: float
    distortion: Distortion


def distort(images: Tensor, how: Distortion) -> Tensor:
    """Each image turned, slanted, scaled and moved at random; the ground flows in."""
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high)

    angle, slant = uniform(-how.rotation, how.rotation), uniform(-how.shear, how.shear)
    across, down = uniform(-how.shift, how.shift), uniform(-how.shift, how.shift)
    zoom, aspect = 1 / uniform(*how.scale), uniform(*how.aspect).sqrt()
    width, height = zoom / aspect, zoom * aspect
    sign = uniform(-1, 1).sign() if how.flip else torch.ones(count)
    matrix = torch.stack(
        [
            torch.stack([sign * width * angle.cos(), slant - height * angle.sin(), across], 1),
            torch.stack([sign * width * angle.sin(), height * angle.cos(), down], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images - how.ground, grid, align_corners=False) + how.ground


def fit(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train ``model`` in place; ``after_epoch`` is called with 1, 2, … while it trains."""
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    steps = recipe.epochs * math.ceil(len(images) / recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.peak_learning_rate, steps)
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        total = 0.0
        for batch in torch.randperm(len(images)).split(recipe.batch):
            seen = distort(images[batch], recipe.distortion)
            loss = F.cross_entropy(model(seen), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch:2d}  training loss {total / len(images):.4f}", flush=True)
        after_epoch(epoch)


@torch.inference_mode()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images whose highest score is at their label."""
    model.eval()
    right = [model(part).argmax(1) for part in images.split(1000)]
    return float((torch.cat(right) == labels).float().mean())


def save(model: nn.Module, path: Path, told: dict[str, str]) -> None:
    """Write the weights; ``told`` becomes the file's metadata."""
    print(f"{path.name}: test accuracy {float(told['test_accuracy']):.2%}", flush=True)
    save_file(model.state_dict(), path, {**told, "torch": torch.__version__})
