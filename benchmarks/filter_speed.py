"""How long `cnnviz filter` takes beside what people would run instead, as whole processes.

    python benchmarks/filter_speed.py [--megapixels 1 12] [--runs 5]

Sobel x on a photo (samples/coffee.png enlarged), JPEG to JPEG and JPEG to PNG. Every command is
run in turn, one after the other, so that a machine whose speed drifts treats them alike; printed
are the median wall seconds, the largest memory, the size of the result, and the ratio to the bare
script that does what cnnviz does: filter with OpenCV and with torch, compare, write. Of
ImageMagick, GraphicsMagick and libvips those are run that are installed; they do not verify.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from PIL import Image

SAMPLE = Path(__file__).parent.parent / "samples" / "coffee.png"
CNNVIZ = Path(sys.executable).with_name("cnnviz")

BARE_CV2 = """
import sys, cv2, numpy as np
image = cv2.imread(sys.argv[1])
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
cv2.imwrite(sys.argv[2], cv2.convertScaleAbs(cv2.filter2D(image, cv2.CV_32F, kernel)))
"""

BARE_BOTH = """
import sys, cv2, numpy as np, torch
image = cv2.imread(sys.argv[1])
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
result = cv2.filter2D(image, cv2.CV_32F, kernel)
pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
padded = torch.nn.functional.pad(pixels, (1, 1, 1, 1), mode="reflect")
weights = torch.from_numpy(kernel)[None, None].repeat(3, 1, 1, 1)
other = torch.nn.functional.conv2d(padded, weights, groups=3)[0].permute(1, 2, 0).numpy()
assert np.abs(result - other).max() == 0
cv2.imwrite(sys.argv[2], cv2.convertScaleAbs(result))
"""

FLIPPED = "3x3: 1,0,-1 2,0,-2 1,0,-1"  # ImageMagick's Convolve flips its kernel
VIPS_MASK = "3 3 1 0\n-1 0 1\n-2 0 2\n-1 0 1\n"


def commands(source: Path, target: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Label and command line of everything that is compared."""
    ours = [str(CNNVIZ), "filter", str(source), "-k", "sobel_x", "-o", str(target), "--overwrite"]
    yield "cnnviz, verified", ours
    yield "cnnviz --engine opencv", [*ours, "--engine", "opencv"]
    yield "bare cv2 + torch, compared", [sys.executable, "-c", BARE_BOTH, str(source), str(target)]
    yield "bare cv2", [sys.executable, "-c", BARE_CV2, str(source), str(target)]
    if found := shutil.which("magick") or shutil.which("convert-im6.q16"):
        morphology = ["-define", "convolve:scale=1", "-morphology", "Convolve", FLIPPED]
        yield "ImageMagick", [found, str(source), *morphology, str(target)]
    if found := shutil.which("gm"):
        yield (
            "GraphicsMagick",
            [*(found, "convert", str(source), "-convolve", "-1,0,1,-2,0,2,-1,0,1", str(target))],
        )
    if found := shutil.which("vips"):
        mask = folder / "sobel.con"
        mask.write_text(VIPS_MASK)
        yield (
            "vips conv",
            [found, "conv", str(source), str(target), str(mask), "--precision", "float"],
        )


def measured(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MiB of one run."""
    start = time.perf_counter()
    silent = os.open(os.devnull, os.O_WRONLY)
    process = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, silent, 1), (os.POSIX_SPAWN_DUP2, silent, 2)],
    )
    os.close(silent)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def table(source: Path, suffix: str, runs: int, folder: Path) -> None:
    target = folder / f"result{suffix}"
    lines = list(commands(source, target, folder))
    times: dict[str, list[float]] = {label: [] for label, _ in lines}
    memory: dict[str, float] = dict.fromkeys(times, 0.0)
    sizes: dict[str, float] = {}
    for number in range(runs + 1):
        for label, command in lines:
            seconds, peak = measured(command)
            sizes[label] = target.stat().st_size / 1e6
            memory[label] = max(memory[label], peak)
            if number:  # the first round warms the caches
                times[label].append(seconds)
    bare = statistics.median(times["bare cv2 + torch, compared"])
    print("| | seconds | of bare cv2 + torch | MiB | MB written |\n|---|---|---|---|---|")
    for label, seconds in times.items():
        median = statistics.median(seconds)
        print(
            f"| {label} | {median:.2f} | {median / bare:.2f} |"
            f" {memory[label]:.0f} | {sizes[label]:.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    names = ("torch", "opencv-python-headless", "numpy", "pillow", "isal")
    print(f"Python {platform.python_version()},", ", ".join(f"{n} {version(n)}" for n in names))
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()};", end=" ")
    print(f"medians of {options.runs}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for megapixels in options.megapixels:
            source = folder / "source.jpg"
            width = round((megapixels * 1e6 * 1.5) ** 0.5)
            with Image.open(SAMPLE) as image:
                enlarged = image.convert("RGB").resize((width, round(width / 1.5)))
            enlarged.save(source, quality=90)
            for suffix in (".jpg", ".png"):
                print(f"\n### {megapixels:g} megapixels, JPEG to {suffix[1:].upper()}\n")
                table(source, suffix, options.runs, folder)


if __name__ == "__main__":
    main()
