"""What reading weights may open, and what it may take of time and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cnnviz.errors import ModelError, WeightsError
from cnnviz.models.weights import pickles, read_weights
from tests.conftest import ROOT

from .hostile import (
    GOOD,
    GREEDY,
    HEADERS,
    ZIPS,
    refused,
    runs_code,
)
from .torchfiles import MARKER, zipped


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    for path in (tmp_path / "pipe.pth", Path("/dev/zero"), Path("/dev/null")):
        done = threading.Event()

        def read(path: Path = path, done: threading.Event = done) -> None:
            with pytest.raises(ModelError, match="is not a regular file"):
                read_weights(path)
            done.set()

        threading.Thread(target=read, daemon=True).start()
        assert done.wait(5), path


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(zipped(GOOD))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(WeightsError, match="cannot be read: Permission denied"):
        read_weights(path)


def test_a_file_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "SECONDS", 0.001)
    assert "took over 0 s to read" in refused(tmp_path, zipped(GOOD))


def test_a_reading_process_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "PROCESS", "cnnviz.no_such_module")
    assert "the process that reads it ended with code 1" in refused(tmp_path, zipped(GOOD))


LIMITS = """
import sys
sys.path.append(sys.argv[1])
from cnnviz.models.weights.sealed.process import limit_to
limit_to(300 << 20, 1)
{0}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits that only Linux keeps to")
@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("while True: pass", -signal.SIGKILL),
        ("x = bytes(400 << 20)", 1),
        ("with open(sys.argv[2], 'w') as file: file.write('x')", 1),
    ],
    ids=["time", "memory", "files"],
)
def test_the_limits_of_the_sealed_process_hold(tmp_path: Path, code: str, ended: int) -> None:
    root = str(ROOT)
    command = [sys.executable, "-I", "-S", "-c", LIMITS.format(code), root, str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == ended


MEASURED = """
import resource, sys, time
from pathlib import Path
from cnnviz.errors import CnnvizError
from cnnviz.models.weights import read_weights
for path in sorted(Path(sys.argv[1]).iterdir()):
    begin = time.monotonic()
    try:
        read_weights(path)
        print("taken", path.name)
    except CnnvizError as error:
        assert time.monotonic() - begin < 10, path
assert "torch" not in sys.modules
# Not ru_maxrss, which begins at that of the process that this one was forked from.
status = Path("/proc/self/status").read_text()
assert int(status.partition("VmHWM:")[2].split()[0]) < 300_000, status
assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 300_000
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in kilobytes")
def test_refusals_are_quick_small_and_need_no_torch(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    cases = {**GREEDY, "code": runs_code(tmp_path)["os.system"]}
    for name, content in cases.items():
        (folder / f"{name}.pth").write_bytes(zipped(content))
    for name, (build, _) in ZIPS.items():
        (folder / f"{name} zip.pth").write_bytes(build())
    for name, (content, _) in HEADERS.items():
        (folder / f"{name}.safetensors").write_bytes(content)
    command = [sys.executable, "-c", MEASURED, str(folder)]
    root = str(ROOT)
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=100
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert not (tmp_path / MARKER).exists()
