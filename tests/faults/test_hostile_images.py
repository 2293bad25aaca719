"""Files that claim much are refused at once, without the memory that they ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.hostile import READ, REFUSED

SECONDS, MIB = 10, 200  # the rule is 1 GB, of a process that has loaded everything

# Each file in turn, with the peak of resident memory set back before it.
PROGRAM = """
import json, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from cnnviz.errors import ImageError
from cnnviz.images import claimed_pixels, read_image
from PIL import Image
Image.init()
status = Path("/proc/self/status")
def peak():
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
said = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    Path("/proc/self/clear_refs").write_text("5")
    before, start = peak(), time.monotonic()
    try:
        claimed_pixels(path)
        read_image(path)
        why = ""
    except ImageError as error:
        why = str(error)
    said[path.name] = (why, time.monotonic() - start, peak() - before)
print(json.dumps(said))
"""

Said = dict[str, tuple[str, float, float]]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What became of each file: why it is refused, seconds, and MiB; nothing is on stderr."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the peak of memory cannot be set back here")
    folder = tmp_path_factory.mktemp("hostile")
    for name, data in {**REFUSED, **READ}.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: Said = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_true_is_refused_at_once(said: Said, name: str) -> None:
    why, seconds, mib = said[name]
    assert why.partition(name)[2].startswith(": ")
    assert len(why.partition(name)[2]) < 200
    assert "Error: " not in why or "damaged or unreadable image" in why
    assert seconds < SECONDS
    assert mib < MIB


@pytest.mark.parametrize("name", READ)
def test_what_is_odd_beside_the_pixels_is_read(said: Said, name: str) -> None:
    why, seconds, mib = said[name]
    assert why == ""
    assert seconds < SECONDS
    assert mib < MIB


def test_a_command_says_nothing_but_its_own_line(tmp_path: Path) -> None:
    names = [
        "tiff-bad-deflate",
        "tiff-a-billion-strips",
        "tiff-65535-channels",
        "jpeg-exif-of-2-GB",
    ]
    for name in names:
        (tmp_path / name).write_bytes({**REFUSED, **READ}[name])
    done = subprocess.run(
        [sys.executable, "-m", "cnnviz", "filter", *names, "-k", "box", "--engine", "opencv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in lines[:-1]] == ["Error"] * 3
    assert lines[-1] == "1 of 4 images done, 3 failed"
