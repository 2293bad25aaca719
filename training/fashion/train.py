"""Train a network on Fashion-MNIST and write the weights that cnnviz ships.

    python -m training.fashion.train --data FOLDER --model NAME --output cnnviz/models/data/weights

NAME is fashion_cnn or fashion_cnn_wide. FOLDER holds Fashion-MNIST's four files, packed or not;
Debian's package ``dataset-fashion-mnist`` puts them into /usr/share/datasets/fashion-mnist.

Of fashion_cnn the weights after 0, 1, 3 and 10 epochs are written too. The test images give each
file its accuracy; nothing is chosen by looking at them.
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from cnnviz.models.networks.fashion import FashionCNN, WideFashionCNN
from training.idx import read_set
from training.loop import Distortion, Recipe, accuracy, fit, save

SEED = 2017
NETWORKS = {"fashion_cnn": FashionCNN, "fashion_cnn_wide": WideFashionCNN}
EPOCHS = {"fashion_cnn": 30, "fashion_cnn_wide": 15}
KEPT = {"fashion_cnn": (0, 1, 3, 10), "fashion_cnn_wide": ()}  # epochs on the way

# Garments hang upright and fill the frame, as the data set's makers fitted them; what a user
# brings is less exact. A flip leaves every class what it is.
DISTORTION = Distortion(
    scale=(0.85, 1.05),
    aspect=(0.9, 1.1),
    rotation=math.radians(5),
    shear=0.05,
    shift=2 / 14,
    flip=True,
)


def load(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images as the networks take them, (N, 1, 28, 28) from 0 to 1, and their labels, (N,) int64.

    No mean is taken away: the ground stays 0, which is what a convolution pads with, so that
    the first layer's maps show no frame.
    """
    images, labels = read_set(folder, part)
    return images.unsqueeze(1).float().div(255), labels.long()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the four files")
    parser.add_argument("--model", choices=NETWORKS, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for the weights")
    options = parser.parse_args()
    name: str = options.model
    images, labels = load(options.data, "t10k")
    torch.manual_seed(SEED)
    model = NETWORKS[name]()
    recipe = Recipe(EPOCHS[name], 128, 4e-3, 0.05, DISTORTION)

    def write(epoch: int, suffix: str) -> None:
        told = {
            "model": name,
            "dataset": "Fashion-MNIST",
            "test_accuracy": f"{accuracy(model, images, labels):.4f}",
            "test_images": str(len(images)),
            "seed": str(SEED),
            "epochs": str(epoch),
            "script": "training/fashion/train.py",
            "input": "1x28x28, ground 0, brightest 1",
        }
        save(model, options.output / f"{name}{suffix}.safetensors", told)

    def keep(epoch: int) -> None:
        if epoch in KEPT[name]:
            write(epoch, f"_epoch{epoch}")

    keep(0)
    fit(model, *load(options.data, "train"), recipe, keep)
    write(recipe.epochs, "")


if __name__ == "__main__":
    main()
