"""How long `cnnviz filter` takes beside what people would run instead, as whole processes.

    python benchmarks/filter_speed.py [--megapixels 1 12 100] [--runs 5] [--skip kornia]

Sobel x on each channel of a photo, its absolute value cut at 255; JPEG to JPEG (quality 95, chroma
at half size, as OpenCV writes) and JPEG to PNG (each tool's own compression). What is not
installed is left out; `pip install -r benchmarks/requirements.txt` and Debian's imagemagick,
graphicsmagick, libvips-tools and gmic make it complete. `--check-results` compares the pictures
instead.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tools
from measuring import Contender, add_choice, chosen, print_table, side_by_side

BASE = "bare cv2 + torch"
PACKAGES = {
    "pillow": ("Pillow", "sobel_pillow.py"),
    "scipy": ("scipy", "sobel_scipy.py"),
    "scikit-image": ("scikit-image", "sobel_skimage.py"),
    "kornia": ("kornia", "sobel_kornia.py"),
    "pyvips": ("libvips by pyvips", "sobel_pyvips.py"),
}
PROGRAMS = ("ImageMagick", "GraphicsMagick", "libvips", "G'MIC")
SMALL = 0.25  # megapixels, enough to read every program and library once, and to compare pictures


def contenders(source: Path, target: Path) -> Iterator[Contender]:
    """Everything that is compared and installed; each writes the file ``target``."""
    ours = [tools.CNNVIZ, "filter", str(source), "-k", "sobel_x", "-o", str(target)]
    yield Contender("cnnviz, verified", ours)
    yield Contender("cnnviz --engine opencv", [*ours, "--engine", "opencv"])
    yield Contender(BASE, tools.peer("bare_cv2_torch.py", source, target))
    yield Contender("bare cv2", tools.peer("bare_cv2.py", source, target))
    for package in tools.installed_packages(PACKAGES):
        label, script = PACKAGES[package]
        yield Contender(label, tools.peer(script, source, target))
    cut = tools.peer("sobel_pillow_cut.py", source, target)
    yield Contender("Pillow", cut, cuts_negatives=True)
    yield from programs(str(source), str(target))


def programs(source: str, target: str) -> Iterator[Contender]:
    """The contenders that are programs of their own."""
    found, to_jpeg = tools.installed_programs(PROGRAMS), target.endswith(".jpg")
    quality = tools.MAGICK_JPEG if to_jpeg else []
    if tool := found.get("ImageMagick"):
        start, end = [*tools.MAGICK_LIMITS, *tool.command, source], [*quality, target]
        yield Contender("ImageMagick", [*start, *tools.MAGICK, *end])
        cut = [*start, *tools.MAGICK_CUT, *end]
        yield Contender("ImageMagick", cut, cuts_negatives=True)
    if tool := found.get("GraphicsMagick"):
        cut = [*tool.command, "convert", source, *tools.GRAPHICSMAGICK, *quality, target]
        yield Contender("GraphicsMagick", cut, cuts_negatives=True)
    if tool := found.get("libvips"):
        written = target + (tools.VIPS_JPEG if to_jpeg else "")
        cut = [*tool.command, "conv", source, written, *tools.VIPS]
        yield Contender("vips conv", cut, cuts_negatives=True)
    if tool := found.get("G'MIC"):
        written = target + (",95" if to_jpeg else "")
        yield Contender("G'MIC", [*tool.command, source, *tools.GMIC, "-o", written])


def compare_times(options: argparse.Namespace, source: Path, results: Path) -> None:
    """Print the tables of all sizes and both formats."""
    runs = options.runs + options.runs[-1:] * len(options.megapixels)
    for megapixels, times in zip(options.megapixels, runs, strict=False):
        make_photo(source, megapixels)
        for suffix, name in tools.FORMATS.items():
            print(f"\n### {megapixels:g} MP, JPEG to {name}\n")
            picked = chosen(contenders(source, results / f"result{suffix}"), options)
            print_table(side_by_side(picked, results, 1, times, options.budget), BASE, 1)


def make_photo(path: Path, megapixels: float) -> None:
    subprocess.run(tools.python("photos.py", path, megapixels), check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12, 100])
    parser.add_argument("--runs", type=int, nargs="+", default=[5], help="of each size, or of all")
    parser.add_argument("--check-results", action="store_true", help="compare pictures, not times")
    add_choice(parser)
    options = parser.parse_args()
    tools.print_surroundings(PACKAGES, PROGRAMS)
    with tempfile.TemporaryDirectory() as name:
        source, results = Path(name, "photo.jpg"), Path(name, "results")
        make_photo(source, SMALL)
        if options.check_results:
            from checking import print_differences  # numpy: only where nothing is measured

            print_differences(lambda to: chosen(contenders(source, to), options), source, results)
        else:
            warm_up = chosen(contenders(source, results / "result.png"), options)
            side_by_side(warm_up, results, files=1, runs=1)
            compare_times(options, source, results)


if __name__ == "__main__":
    main()
