"""Other people's images: are they refused or read, at what cost, and with whose pixels?

``python -m tests.faults.foreign FOLDER REPORT.tsv`` reads every file below FOLDER in a process of
its own, which is watched, compares what it finds with OpenCV's decoders and, where these say
something else, with GraphicsMagick's ``gm`` or ImageMagick's ``convert``; then it runs ``cnnviz
filter`` over all of them and looks at what that says. The counts are printed, REPORT has a line per
file. The test suites of Pillow, Qt, GIMP, libpng, libtiff and the like have thousands of images.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cnnviz.images import read_image
from tests.conftest import ROOT

LEVELS = 2.0  # of 255, that decoders of lossy formats may differ by
MOST_COMPARED = 30_000_000  # pixels
SECONDS = 60

READER = """
import json, sys, time
from pathlib import Path
from cnnviz.errors import ImageError
from cnnviz.images import claimed_pixels, read_image
status = Path("/proc/self/status")
def peak():
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
for line in sys.stdin:
    path = Path(json.loads(line))
    Path("/proc/self/clear_refs").write_text("5")
    before, start, why = peak(), time.monotonic(), ""
    try:
        claimed_pixels(path)
        picture = read_image(path)
        del picture
    except ImageError as error:
        why = str(error)[len(str(path)) + 2:]
    print(json.dumps([why, time.monotonic() - start, peak() - before]), flush=True)
"""

Said = tuple[str, float, float]


class Reader:
    """A process that reads images, until one ends it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self, path: Path) -> Said | None:
        """Why it is refused, seconds, MiB; None where the process died of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(str(path)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return tuple(json.loads(line)) if line else None

    def end(self) -> str:
        """What it said on standard error, which should be nothing."""
        return self.process.communicate()[1]


def agreed(path: Path) -> str:
    """Whose pixels are those that are read: "cv2", "magick", or nobody's else."""
    picture = read_image(path)
    if picture.pixels.shape[0] * picture.pixels.shape[1] > MOST_COMPARED:
        return "too large to compare"
    ours = as_levels(picture.pixels)
    if picture.alpha is not None:  # what is behind it is nobody's to see
        ours[picture.alpha == 0] = np.nan
    others = []
    for name, by in (("cv2", by_cv2), ("magick", by_magick)):
        theirs = by(path)
        if theirs is not None and is_same(ours, theirs):
            return f"as {name}"
        others += [name] if theirs is not None else []
    return f"not as {', '.join(others)}" if others else "read by no other"


def is_same(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Whether two pictures are the same to a few levels; gray is equal in all three channels."""
    if ours.shape[:2] != theirs.shape[:2]:
        return False
    both = np.broadcast_to(ours, (*ours.shape[:2], 3)) - theirs
    return bool(np.nanmax(np.abs(both), initial=0) <= LEVELS)


def as_levels(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Pixels as fractions of 255 levels; floats as they are."""
    scale = {"uint16": 257.0}.get(pixels.dtype.name, 1.0)
    return np.asarray(pixels, np.float64) / scale


def by_cv2(path: Path) -> NDArray[np.float64] | None:
    """OpenCV's decoders, upright and without alpha."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        read = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None
    return None if read is None else as_levels(np.atleast_3d(read)[:, :, ::-1])


def by_magick(path: Path) -> NDArray[np.float64] | None:
    """GraphicsMagick's or ImageMagick's, the first of several pages, upright and without alpha."""
    tool = ["gm", "convert"] if shutil.which("gm") else ["convert"]
    how = ["-auto-orient", "+matte", "-colorspace", "RGB", "-depth", "16", "-compress", "none"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.ppm")
        command = [*tool, f"{path}[0]", *how, str(out)]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None
        if not out.exists():
            return None
        read = cv2.imread(str(out), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return None if read is None else as_levels(read[:, :, ::-1])


def tried(files: list[Path]) -> Iterator[tuple[Path, str, float, float, str]]:
    """Each file with what became of it, seconds, MiB, and whose pixels it has."""
    reader = Reader()
    for path in files:
        said = reader.read(path)
        if said is None:
            yield path, "DIED", 0, 0, reader.end()
            reader = Reader()
            continue
        why, seconds, mib = said
        yield path, why or "read", seconds, mib, "" if why else agreed(path)
    if chatter := reader.end():
        yield Path("-"), "CHATTER", 0, 0, chatter


def commanded(files: list[Path]) -> tuple[int, Counter[str]]:
    """The exit code of ``cnnviz filter`` over all files, and the kinds of line on stderr."""
    kinds = Counter[str]()
    with tempfile.TemporaryDirectory() as place:
        album = Path(place, "album")
        album.mkdir()
        for number, path in enumerate(files):  # many are called alike but for their endings
            (album / f"{number}{path.suffix.lower()}").symlink_to(path.resolve())
        command = [sys.executable, "-m", "cnnviz", "filter", str(album), "-k", "box", "-o"]
        done = subprocess.run(
            [*command, f"{place}/out/", "--engine", "opencv", "-q"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
    for line in done.stderr.decode().splitlines():
        ours = line.startswith("Error: ") and line.isprintable() and len(line) < 300
        counted = " images done" in line
        kinds["errors" if ours else "counts" if counted else f"OTHER {line[:100]}"] += 1
    return done.returncode, kinds


def main(folder: Path, report: Path) -> None:
    """Try all files below ``folder``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    became, worst = Counter[str](), (0.0, 0.0)
    with report.open("w") as lines:
        for path, why, seconds, mib, whose in tried(files):
            row = [path.relative_to(folder) if path != Path("-") else path, why, seconds, mib]
            lines.write("\t".join(f"{cell}" for cell in [*row, repr(whose)]) + "\n")
            lines.flush()
            became[why if why.isupper() else whose or "refused"] += 1
            worst = max(worst[0], seconds), max(worst[1], mib)
    sys.stdout.write(f"{len(files)} files: {dict(became)}; at most {worst[0]:.1f} s, ")
    sys.stdout.write(f"{worst[1]:.0f} MiB\n{commanded(files)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
