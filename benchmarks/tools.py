"""What `cnnviz filter` is compared with: which of it is installed, and how it is asked for Sobel x.

The scripts that ask the Python libraries are in ``peers``.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
CNNVIZ = str(Path(sys.executable).with_name("cnnviz"))
FORMATS = {".jpg": "JPEG", ".png": "PNG"}
OWN = ("torch", "opencv-python-headless", "numpy", "pillow", "isal")

# Debian's limits for ImageMagick refuse 100 megapixels; peers/policy.xml has larger ones.
MAGICK_LIMITS = ["/usr/bin/env", f"MAGICK_CONFIGURE_PATH={HERE / 'peers'}"]
# ImageMagick cuts negatives off; the lighter of both directions is the absolute value.
MAGICK = ["-define", "morphology:compose=Lighten", "-morphology", "Convolve", "Sobel:0;Sobel:180"]
MAGICK_CUT = ["-morphology", "Convolve", "Sobel"]
# As OpenCV writes JPEG unasked. Otherwise ImageMagick and GraphicsMagick keep the quality of the
# photo they read, and take another pass for the best Huffman codes.
MAGICK_JPEG = ["-quality", "95", "-sampling-factor", "4:2:0"]
MAGICK_JPEG += ["-define", "jpeg:optimize-coding=false"]
GRAPHICSMAGICK = ["-convolve", "-1,0,1,-2,0,2,-1,0,1"]
VIPS_JPEG = "[Q=95,subsample_mode=on]"
VIPS = [str(HERE / "peers" / "sobel_x.con"), "--precision", "float"]
GMIC = ["(-1,0,1;-2,0,2;-1,0,1)", "correlate[0]", "[1]", "keep[0]", "abs", "cut", "0,255"]


@dataclass(frozen=True)
class Program:
    """A program that is installed: how its command line begins, and its version."""

    command: list[str]
    version: str


# How each is called, the best name first, and how it tells its version. A `convert` that is not
# ImageMagick's does not tell it so and is passed over.
CALLS = {
    "ImageMagick": (("magick", "convert-im6.q16", "convert"), "-version", r"ImageMagick ([\d.-]+)"),
    "mogrify": (("magick mogrify", "mogrify-im6.q16", "mogrify"), "-version", r"Magick ([\d.-]+)"),
    "GraphicsMagick": (("gm",), "version", r"GraphicsMagick ([\d.]+)"),
    "libvips": (("vips",), "--version", r"vips-([\d.]+)"),
    "G'MIC": (("gmic",), "version", r"Version ([\d.]+)"),
}


def installed_programs(names: Iterable[str]) -> dict[str, Program]:
    """Those of ``names``, all keys of ``CALLS``, that are installed."""
    found = {name: find(*CALLS[name]) for name in names}
    return {name: program for name, program in found.items() if program}


def find(calls: tuple[str, ...], asked: str, pattern: str) -> Program | None:
    """The first of ``calls`` that can be run and tells a version by ``pattern``."""
    for call in calls:
        name, *subcommand = call.split()
        if path := shutil.which(name):
            command = [path, *subcommand]
            said = subprocess.run([*command, asked], capture_output=True, text=True, check=False)
            if match := re.search(pattern, said.stdout):
                return Program(command, match[1])
    return None


def installed_packages(names: Iterable[str]) -> dict[str, str]:
    """The version of each Python package of ``names`` that is installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def python(script: str, *arguments: object) -> list[str]:
    """Command line of a script beside this one."""
    return [sys.executable, str(HERE / script), *map(str, arguments)]


def peer(script: str, *arguments: object) -> list[str]:
    """Command line of a script in ``peers``."""
    return python(f"peers/{script}", *arguments)


def print_surroundings(packages: Iterable[str], programs: Iterable[str]) -> None:
    """Print the machine, all versions, and what of ``packages`` and ``programs`` is missing."""
    found = installed_packages([*OWN, *packages])
    found |= {name: program.version for name, program in installed_programs(programs).items()}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform()};")
    print(f"Python {platform.python_version()},", ", ".join(f"{n} {v}" for n, v in found.items()))
    if missing := [name for name in [*packages, *programs] if name not in found]:
        print(f"Left out, not installed: {', '.join(missing)}")


def processor() -> str:
    match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return match[1] if match else platform.machine()
