"""How many photos a second `cnnviz filter` takes beside what people would run over a folder.

    python benchmarks/folder_speed.py [--count 200] [--megapixels 1] [--runs 5] [--only mogrify]

Sobel x on each channel of different JPEG files, to PNG files in another folder: cnnviz names no
other format for a folder's results. Rows with × start as many processes as there are cores.
"""

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tools
from measuring import Contender, add_choice, chosen, print_table, side_by_side

BASE = "bare cv2 + torch"
PROGRAMS = ("ImageMagick", "mogrify", "GraphicsMagick", "libvips")
CORES = os.cpu_count() or 1


def contenders(photos: Path, results: Path) -> Iterator[Contender]:
    """Everything that is compared and installed; each fills the folder ``results``."""
    ours = [tools.CNNVIZ, "filter", str(photos), "-k", "sobel_x", "-o", f"{results}/"]
    yield Contender("cnnviz, verified", ours)
    yield Contender("cnnviz --engine opencv", [*ours, "--engine", "opencv"])
    yield Contender(BASE, tools.peer("folder_cv2_torch.py", photos, results))
    yield Contender("bare cv2", tools.peer("folder_cv2.py", photos, results, 1))
    several = tools.peer("folder_cv2.py", photos, results, CORES)
    yield Contender(f"bare cv2 × {CORES}", several, CORES)
    yield from programs(photos, results)


def programs(photos: Path, results: Path) -> Iterator[Contender]:
    """The contenders that are programs of their own."""
    found, files = tools.installed_programs(PROGRAMS), sorted(map(str, photos.iterdir()))
    if tool := found.get("mogrify"):
        start = [*tool.command, "-path", str(results), "-format", "png"]
        yield Contender("mogrify", [*start, *tools.MAGICK, *files])
        cut = [*start, *tools.MAGICK_CUT, *files]
        yield Contender("mogrify", cut, cuts_negatives=True)
    if tool := found.get("GraphicsMagick"):
        # It adds the whole path of a photo to that of the folder: hence only names.
        names = [Path(file).name for file in files]
        start = ["/usr/bin/env", f"--chdir={photos}", *tool.command, "mogrify"]
        start += ["-output-directory", str(results), "-format", "png"]
        yield Contender("gm mogrify", [*start, *tools.GRAPHICSMAGICK, *names], cuts_negatives=True)
    each = ["/usr/bin/xargs", "-a", str(listed(photos)), "-P", str(CORES), "-I", "STEM"]
    source, target = str(photos / "STEM.jpg"), str(results / "STEM.png")
    if tool := found.get("ImageMagick"):
        command = [*each, *tool.command, source, *tools.MAGICK, target]
        yield Contender(f"ImageMagick × {CORES}", command, CORES)
    if tool := found.get("libvips"):
        command = [*each, *tool.command, "conv", source, target, *tools.VIPS]
        yield Contender(f"vips conv × {CORES}", command, CORES, cuts_negatives=True)


def listed(photos: Path) -> Path:
    """A file that names the photos without their suffix, one a line."""
    path = photos.with_suffix(".txt")
    path.write_text("".join(f"{photo.stem}\n" for photo in sorted(photos.iterdir())))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="of photos")
    parser.add_argument("--megapixels", type=float, default=1, help="of each")
    parser.add_argument("--runs", type=int, default=5)
    add_choice(parser)
    options = parser.parse_args()
    tools.print_surroundings((), PROGRAMS)
    print(f"\n### {options.count} photos of {options.megapixels:g} MP, JPEG to PNG\n")
    with tempfile.TemporaryDirectory() as name:
        photos, results = Path(name, "photos"), Path(name, "results")
        count = str(options.count)
        make = tools.python("photos.py", photos, options.megapixels, "--count", count)
        subprocess.run(make, check=True)
        picked = chosen(contenders(photos, results), options)
        runs = side_by_side(picked, results, options.count, options.runs, options.budget)
        print_table(runs, BASE, options.count)


if __name__ == "__main__":
    main()
