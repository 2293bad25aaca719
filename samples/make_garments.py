"""Make the garment samples from Fashion-MNIST's test images, which no shipped network has seen.

    python samples/make_garments.py --data FOLDER

FOLDER holds Fashion-MNIST's files, as for training/fashion/train.py. The images are as they
are, 28x28, light on black.
"""

import argparse
import gzip
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent

# Which of the test images, and the label that the data set gives it.
GARMENTS = {"ankle_boot": (0, 9), "trouser": (2, 1), "bag": (30, 8)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the four files")
    folder: Path = parser.parse_args().data
    images = read(folder / "t10k-images-idx3-ubyte")[16:].reshape(-1, 28, 28)
    labels = read(folder / "t10k-labels-idx1-ubyte")[8:]
    for name, (index, label) in GARMENTS.items():
        assert labels[index] == label, (name, index, labels[index])
        cv2.imwrite(str(HERE / f"{name}.png"), images[index])


def read(path: Path) -> np.ndarray:
    """The bytes of a file, which may be packed as ``.gz``."""
    packed = path.with_name(f"{path.name}.gz")
    data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
    return np.frombuffer(data, np.uint8)


if __name__ == "__main__":
    main()
