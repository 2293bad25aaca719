"""How long a sheet of feature maps takes beside the same by matplotlib's subplots.

    python benchmarks/grid_speed.py [--runs 5] [--matplotlib-runs 2]

Smooth random maps of the sizes of VGG16's first layer (64 of 224x224), of 512 maps of 28x28, and of
2048 of 7x7. matplotlib draws the least that can be called the same: an axis for each map,
`imshow`, no ticks and no words, saved as a PNG with as many pixels. cnnviz prints numbers, ranges,
title and legend too. Both start with the maps in memory and end with the bytes of a PNG; imports do
not count.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnviz.render.grid import draw_maps
from cnnviz.render.sheet import Caption

mpl.use("Agg")

from matplotlib import pyplot as plt

Maps = NDArray[np.float32]
LAYERS = {
    "64 maps of 224x224": (64, 224, 224),
    "512 maps of 28x28": (512, 28, 28),
    "2048 maps of 7x7": (2048, 7, 7),
}
DPI = 100


def smooth_maps(count: int, height: int, width: int) -> Maps:
    maps = np.random.default_rng(0).standard_normal((count, height, width), dtype=np.float32)
    return np.stack([cv2.GaussianBlur(one, (0, 0), height / 24) for one in maps])


def by_cnnviz(maps: Maps) -> bytes:
    return draw_maps(maps, Caption("features.0 · Conv2d", "layer: random and smooth"))


def by_matplotlib(maps: Maps, size: tuple[int, int]) -> bytes:
    width, height = size
    columns = round((len(maps) * width / height) ** 0.5)
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width / DPI, height / DPI), dpi=DPI)
    for axis in axes.flat:
        axis.axis("off")
    for axis, one in zip(axes.flat, maps, strict=False):
        axis.imshow(one)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return file.getvalue()


def seconds(draw: Callable[[], bytes], runs: int) -> tuple[list[float], bytes]:
    times, png = [], b""
    for _ in range(runs):
        start = time.perf_counter()
        png = draw()
        times.append(time.perf_counter() - start)
    return times, png


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--matplotlib-runs", type=int, default=2)
    options = parser.parse_args()
    print("|  | pixels | cnnviz, s (from – to) | MB | matplotlib, s (from – to) | MB | times |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, shape in LAYERS.items():
        maps = smooth_maps(*shape)
        by_cnnviz(maps)  # what is loaded and looked up once; matplotlib's is below
        by_matplotlib(maps[:4], (400, 400))
        ours, png = seconds(lambda maps=maps: by_cnnviz(maps), options.runs)
        with Image.open(io.BytesIO(png)) as image:
            size = image.size
        theirs, other = seconds(
            lambda maps=maps, size=size: by_matplotlib(maps, size), options.matplotlib_runs
        )
        ratio = statistics.median(theirs) / statistics.median(ours)
        cells = [name, f"{size[0]} x {size[1]}"]
        for times, file in ((ours, png), (theirs, other)):
            median = statistics.median(times)
            cells += [f"{median:.2f} ({min(times):.2f} – {max(times):.2f})"]
            cells += [f"{len(file) / 1e6:.1f}"]
        print(f"| {' | '.join([*cells, f'{ratio:.0f}'])} |", flush=True)


if __name__ == "__main__":
    main()
