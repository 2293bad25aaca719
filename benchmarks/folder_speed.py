"""How many photos a second `cnnviz filter` takes beside what people would run over a folder.

    python benchmarks/folder_speed.py [--count 200] [--megapixels 1] [--runs 5] [--only mogrify]

Sobel x on each channel of different JPEG files, to JPEG and to PNG files in another folder. Rows
with × start as many processes as there are cores.
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


def contenders(photos: Path, results: Path, suffix: str) -> Iterator[Contender]:
    """Everything that is compared and installed; each fills the folder ``results``."""
    ours = [tools.CNNVIZ, "filter", str(photos), "-k", "sobel_x", "-o", f"{results}/"]
    ours += ["--format", suffix[1:]]
    yield Contender("cnnviz, verified", ours)
    yield Contender("cnnviz --engine opencv", [*ours, "--engine", "opencv"])
    yield Contender(BASE, tools.peer("folder_cv2_torch.py", photos, results, suffix))
    yield Contender("bare cv2", tools.peer("folder_cv2.py", photos, results, 1, suffix))
    several = tools.peer("folder_cv2.py", photos, results, CORES, suffix)
    yield Contender(f"bare cv2 × {CORES}", several, CORES)
    yield from programs(photos, results, suffix)


def programs(photos: Path, results: Path, suffix: str) -> Iterator[Contender]:
    """The contenders that are programs of their own."""
    found, files = tools.installed_programs(PROGRAMS), sorted(map(str, photos.iterdir()))
    quality, option = (tools.MAGICK_JPEG, tools.VIPS_JPEG) if suffix == ".jpg" else ([], "")
    if tool := found.get("mogrify"):
        start = [*tool.command, "-path", str(results), "-format", suffix[1:]]
        yield Contender("mogrify", [*start, *tools.MAGICK, *quality, *files])
        cut = [*start, *tools.MAGICK_CUT, *quality, *files]
        yield Contender("mogrify", cut, cuts_negatives=True)
    if tool := found.get("GraphicsMagick"):
        # It adds the whole path of a photo to that of the folder: hence only names.
        names = [Path(file).name for file in files]
        start = ["/usr/bin/env", f"--chdir={photos}", *tool.command, "mogrify"]
        start += ["-output-directory", str(results), "-format", suffix[1:]]
        cut = [*start, *tools.GRAPHICSMAGICK, *quality, *names]
        yield Contender("gm mogrify", cut, cuts_negatives=True)
    each = ["/usr/bin/xargs", "-a", str(listed(photos)), "-P", str(CORES), "-I", "STEM"]
    source, target = str(photos / "STEM.jpg"), str(results / f"STEM{suffix}")
    if tool := found.get("ImageMagick"):
        command = [*each, *tool.command, source, *tools.MAGICK, *quality, target]
        yield Contender(f"ImageMagick × {CORES}", command, CORES)
    if tool := found.get("libvips"):
        command = [*each, *tool.command, "conv", source, target + option, *tools.VIPS]
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
    parser.add_argument("--to", nargs="+", choices=tools.FORMATS, default=list(tools.FORMATS))
    add_choice(parser)
    options = parser.parse_args()
    tools.print_surroundings((), PROGRAMS)
    with tempfile.TemporaryDirectory() as name:
        photos, results = Path(name, "photos"), Path(name, "results")
        count = str(options.count)
        make = tools.python("photos.py", photos, options.megapixels, "--count", count)
        subprocess.run(make, check=True)
        for suffix in options.to:
            kind = tools.FORMATS[suffix]
            print(f"\n### {options.count} photos of {options.megapixels:g} MP, JPEG to {kind}\n")
            picked = chosen(contenders(photos, results, suffix), options)
            runs = side_by_side(picked, results, options.count, options.runs, options.budget)
            print_table(runs, BASE, options.count)


if __name__ == "__main__":
    main()
