"""How long large kernels take: cnnviz with its verification beside bare filter2D and Conv2d.

    python benchmarks/large_kernels.py [--megapixels 1 12] [--sides 9 15 31 63 101] [--runs 3]

RGB images of random 8-bit pixels, in memory, in one process; the least wall seconds of each are
printed. The bare calls work on the whole image in the same precision, with all threads of their
libraries; Conv2d is left out where it would write more than 4 GB of columns (float64) or take
minutes.
"""

import argparse
from collections.abc import Callable, Iterator
from fractions import Fraction
from time import perf_counter

import cv2
import numpy as np
import torch

from cnnviz.filtering import FilterOptions, filter_image
from cnnviz.kernels import Kernel

MOST_PRODUCTS = 4e10
MOST_COLUMN_BYTES = 4e9

HEAD = """| kernel | weights | precision | cnnviz, verified | filter2D | Conv2d | of both |
|---|---|---|---|---|---|---|"""


def least_seconds(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def bare_conv2d(pixels: np.ndarray, weights: np.ndarray) -> torch.Tensor:
    side = len(weights)
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    padded = torch.nn.functional.pad(planes, (side // 2,) * 4, mode="reflect")
    repeated = torch.from_numpy(weights)[None, None].repeat(3, 1, 1, 1)
    return torch.nn.functional.conv2d(padded, repeated, groups=3)


def is_feasible(pixels: np.ndarray, side: int) -> bool:
    """Whether Conv2d by itself needs no more memory and time than the limits above."""
    products = pixels.size * side * side
    columns = 0 if pixels.dtype == np.float32 else products / 3 * 8
    return products <= MOST_PRODUCTS and columns <= MOST_COLUMN_BYTES


def cases(sides: list[int]) -> Iterator[tuple[int, str, str]]:
    for precision in ("float32", "float64"):
        for side in sides:
            for weights in ("integer", "real"):
                yield side, weights, precision


def row(image: np.ndarray, side: int, weights: str, precision: str, runs: int) -> str:
    random = np.random.default_rng(0)
    shape = side, side
    numbers = random.normal(size=shape) if weights == "real" else random.integers(-9, 10, shape)
    taps = numbers.astype(precision)
    kernel = Kernel("k", tuple(tuple(Fraction(w.item()) for w in line) for line in taps))
    options = FilterOptions(precision=precision)
    ours = least_seconds(lambda: filter_image(image, kernel, options), runs)
    pixels = image.astype(precision)
    theirs = [least_seconds(lambda: cv2.filter2D(pixels, -1, taps), runs)]
    if is_feasible(pixels, side):
        theirs.append(least_seconds(lambda: bare_conv2d(pixels, taps), runs))
    ratio = f"{ours / sum(theirs):.2f}" if len(theirs) == 2 else ""
    bare = [f"{seconds:.2f}" for seconds in theirs] + ["not run"] * (2 - len(theirs))
    return (
        f"| {side}x{side} | {weights} | {precision} | {ours:.2f} |"
        f" {bare[0]} | {bare[1]} | {ratio} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12])
    parser.add_argument("--sides", type=int, nargs="+", default=[9, 15, 31, 63, 101])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, OpenCV {cv2.__version__}; least of {options.runs} runs")
    for megapixels in options.megapixels:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        shape = height, round(height * 1.5), 3
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        print(f"\n### {shape[0]}x{shape[1]} RGB, seconds\n\n{HEAD}")
        for side, weights, precision in cases(options.sides):
            print(row(image, side, weights, precision, options.runs), flush=True)


if __name__ == "__main__":
    main()
