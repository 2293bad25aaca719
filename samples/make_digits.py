"""Make the digit samples from MNIST's test images, which the shipped LeNet-5 has never seen.

    python samples/make_digits.py --data FOLDER

FOLDER holds MNIST's files, as for training/lenet/train.py. ``digit_N.png`` are the images as
they are, 28x28, light on dark. ``scan_3.jpg`` is one of them as a scanner might give it: larger,
dark ink on warm paper that is a little uneven, off centre.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent

# Which of the test images shows each digit, and which one is the scan.
DIGITS = {0: 13, 1: 14, 2: 35, 3: 32, 4: 19, 5: 23, 6: 81, 7: 0, 8: 84, 9: 16}
SCAN = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's four files")
    folder: Path = parser.parse_args().data
    images = np.fromfile(folder / "t10k-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(folder / "t10k-labels-idx1-ubyte", np.uint8)[8:]
    for digit, index in DIGITS.items():
        assert labels[index] == digit, (digit, index, labels[index])
        cv2.imwrite(str(HERE / f"digit_{digit}.png"), images[index])
    assert labels[SCAN] == 3
    cv2.imwrite(str(HERE / "scan_3.jpg"), scan(images[SCAN]), [cv2.IMWRITE_JPEG_QUALITY, 90])


def scan(digit: np.ndarray) -> np.ndarray:
    """A (420, 360, 3) BGR picture of the digit in dark blue ink on paper."""
    random = np.random.default_rng(3)
    ink = cv2.resize(digit, (340, 340), interpolation=cv2.INTER_CUBIC).astype(np.float64) / 255
    ink = np.clip((cv2.GaussianBlur(ink, (0, 0), 3) - 0.35) / 0.3, 0, 1)
    page = np.zeros((420, 360, 1))
    page[44:384, 8:348, 0] = ink
    light = np.linspace(1, 0.9, 360)[np.newaxis, :, np.newaxis]
    paper = np.array([214, 228, 236]) * light + random.normal(0, 2, (420, 360, 1))
    pen = np.array([110, 52, 40])
    return np.rint(np.clip(paper * (1 - page) + pen * page, 0, 255)).astype(np.uint8)


if __name__ == "__main__":
    main()
