"""Runs that are ended at random moments, many times, and what was left.

``python -m tests.faults.ended filter KILL 100``, ``… featuremaps INT,TERM,HUP 100``; the commands
are those of ``COMMANDS``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.albums import contents, noise
from tests.conftest import ROOT

IMAGES, RUNS_A_FOLDER = 12, 8
WHO = r"(Interrupted|Ended by SIG\w+)"
BATCH = rf"(; \d+ of {IMAGES} images done(, \d+ not reached)?|; nothing written)"
ALONE = r"; (nothing|\d+ files?) written"


@dataclass(frozen=True)
class Command:
    """What is run, with its output last; what else it says when it is ended, and how it is again.

    Of ``bytes`` the same must come out each time; other files tell when or where they were made,
    and must be whole all the same.
    """

    arguments: str
    said: str
    again: str = "--overwrite"
    same: tuple[str, ...] = (".png", ".npy", ".gif", ".svg")


MAPS = "featuremaps in --model lenet"
COMMANDS = {
    "filter": Command("filter in -k box,sobel_x -o", BATCH, "--resume"),
    "pool": Command("pool in -k3 --raw raw/ -o", BATCH, "--resume"),
    "featuremaps": Command(f"{MAPS} --raw npz --overlay --filters -o", BATCH),
    "compare": Command(f"{MAPS} --compare weights:random --html-dir -o", BATCH),
    "maps-of-one": Command("featuremaps in/0.png --model lenet --raw safetensors -o", ALONE),
    "summary": Command("summary lenet --json --input", ALONE, ""),
    "step": Command("step --size 9x9 -k sharpen --gif", ALONE),
    "gallery": Command("kernels list --gallery", ALONE),
    "shape": Command("shape 3x64x64 conv:8,k3 relu maxpool --figure", ALONE),
}


def ended(command: Command, names: list[str], count: int, folder: Path) -> Counter[str]:
    """How often the run was ended, and each thing that must not be: all but that should be 0."""
    random, found = np.random.default_rng(0), Counter[str]()
    (folder / "in").mkdir()
    for number in range(IMAGES):
        noise(number, 300, 400).save(folder / "in" / f"{number}.png", compress_level=1)
    whole_at, seconds = _undisturbed(command, folder)
    whole = contents(whole_at)
    for number in range(count):
        out = folder / f"out{number // RUNS_A_FOLDER}"
        out.mkdir(exist_ok=True)
        process = _started(command, out)
        time.sleep(random.uniform(0.1, max(1.2, 1.2 * seconds)))
        which = getattr(signal, f"SIG{names[number % len(names)]}")
        sent = time.monotonic()
        process.send_signal(which)
        _, said = process.communicate(timeout=60)
        code = process.returncode
        found["ended"] += code != 0
        found["slow"] += time.monotonic() - sent > 3
        found["wrong code"] += code not in {0, -which, 128 + which}
        # A slow run says now and then how far it is.
        told = re.search(rf"(?:\A|left\n){WHO}{command.said}\n\Z", said)
        found["wrong words"] += not (said == "" if code <= 0 else told)
        found["torn"] += any(_is_torn(name, data, whole) for name, data in _final(out).items())
        other = [name for name in _final(out) if name.endswith(command.same)]
        other = [name for name in other if (out / name).read_bytes() != whole.get(name)]
        found["bytes"] += bool(other)
        if other:
            sys.stderr.write(f"{number}: other bytes in {other}\n")
        found["unmatched manifests"] += sum(map(_lacks_pictures, out.rglob("manifest.json")))
        found["temporaries"] += which != signal.SIGKILL and any(out.rglob("*.tmp"))
        if code not in {0, -which, 128 + which} or (code > 0 and not told):
            sys.stderr.write(f"{number}: {which.name}, exit code {code}: {said!r}\n")
        if number % RUNS_A_FOLDER == RUNS_A_FOLDER - 1:
            _started(command, out).communicate()
            found["not completed"] += contents(out).keys() != whole.keys()
            found["temporaries after"] += any(out.rglob("*.tmp"))
    return found


def _undisturbed(command: Command, folder: Path) -> tuple[Path, float]:
    """Where a run that nobody ends has put its results, and how long it takes."""
    out, start = folder / "whole", time.monotonic()
    out.mkdir()
    _, said = (process := _started(command, out)).communicate()
    assert process.returncode == 0, said
    return out, time.monotonic() - start


def _started(command: Command, out: Path) -> subprocess.Popen[str]:
    """A run into ``out``: the folder, or the file that the command makes."""
    words = command.arguments.split()
    files = {"--gif": "a.gif", "--figure": "a.svg", "--gallery": "a.png", "--input": "1x32x32"}
    target = files.get(words[-1], "")
    place = target if words[-1] == "--input" else f"{out}/{target}"
    words = [word.replace("raw/", f"{out}/raw/") for word in words]
    return subprocess.Popen(
        [sys.executable, "-m", "cnnviz", *words, place, *command.again.split()],
        cwd=out.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _final(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(out).items() if not name.endswith(".tmp")}


def _is_torn(name: str, data: bytes, whole: dict[str, bytes]) -> bool:
    """Whether a file is not complete; those with their time in them have their own ends."""
    if name.endswith(".json"):
        try:
            return not json.loads(data)
        except ValueError:
            return True
    ends = {".html": b"</html>", ".npz": b"", ".safetensors": b""}
    ending = ends.get(Path(name).suffix)
    if ending is None:
        return name not in whole
    same_size = abs(len(data) - len(whole.get(name, b""))) < 200
    return not (data.rstrip().endswith(ending) and same_size)


def _lacks_pictures(manifest: Path) -> bool:
    """Whether a manifest names a picture that is not there."""
    said = json.loads(manifest.read_bytes())
    named = [layer["file"] for layer in said["layers"] if layer["file"]]
    return not all((manifest.parent / name).is_file() for name in named)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        given = COMMANDS[sys.argv[1]], sys.argv[2].split(","), int(sys.argv[3])
        sys.stdout.write(f"{sys.argv[1]}: {dict(ended(*given, Path(place)))}\n")
