"""Where and how the command is run: closed streams, odd environments, links, pipes, few files."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.albums import noise
from tests.conftest import ROOT

FILTER = [sys.executable, "-m", "cnnviz", "filter", "-k", "box", "--engine", "opencv"]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """The folder ``in`` with six images, in the folder that the command is run in."""
    (tmp_path / "in").mkdir()
    for number in range(6):
        noise(number, 60, 80).save(tmp_path / "in" / f"{number}.png")
    return tmp_path


def shell(
    folder: Path, line: str, *arguments: str, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run ``line`` in a shell, where "$@" is the command."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", *FILTER, *arguments],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "line",
    ['"$@" <&-', '"$@" >&-', '"$@" 2>&-', '"$@" <&- >&- 2>&-', 'ulimit -n 32; "$@"'],
    ids=["no-stdin", "no-stdout", "no-stderr", "no-streams", "few-files"],
)
def test_missing_streams_and_few_files_stop_nothing(album: Path, line: str) -> None:
    done = shell(album, line, "in", "-o", "out/")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((album / "out").glob("*.png"))) == 6


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None},
        {"LANG": "C", "LC_ALL": "C"},
        {"PYTHONWARNINGS": "error"},
        {"TMPDIR": "/nowhere", "TMP": "/nowhere"},
        {"PYTHONIOENCODING": "ascii"},
        {"PATH": None},
        {"COLUMNS": "0", "TERM": "dumb"},
    ],
    ids="-".join,
)
def test_odd_environments_change_nothing(album: Path, environment: dict[str, str | None]) -> None:
    (album / "a 사진\n.png").symlink_to("in/0.png")
    done = shell(album, '"$@"', "a 사진\n.png", "-o", "new.png", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert (album / "new.png").exists()


def test_a_limit_on_file_sizes_stops_the_batch(album: Path) -> None:
    done = shell(album, 'ulimit -f 2; "$@"', "in", "-o", "out/", "-j", "1")
    assert done.returncode == 4
    first, last = done.stderr.splitlines()
    assert first == "Error: out/0.box.png cannot be written: File too large"
    assert last == "0 of 6 images done, 1 failed, 5 not reached"
    assert [path.name for path in (album / "out").iterdir()] == ["cnnviz-resume.json"]


def test_only_regular_files_are_read(album: Path) -> None:
    os.mkfifo(album / "in" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as door:
        before = Path.cwd()
        os.chdir(album / "in")  # a socket's whole path is at most 108 bytes
        door.bind("door.png")
        os.chdir(before)
    (album / "in" / "folder.png").mkdir()
    (album / "in" / "gone.png").symlink_to("nowhere")
    (album / "in" / "loop.png").symlink_to("loop.png")
    (album / "in" / "device.png").symlink_to("/dev/zero")
    done = shell(album, '"$@"', "in", "-o", "out/", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert len(document["results"]) == 6
    failed = {Path(each["input"]).name for each in document["failures"]}
    assert failed == {"pipe.png", "door.png", "gone.png", "loop.png", "device.png"}


@pytest.mark.parametrize("name", ["same.png", "hard.png", "soft.png", "through/same.png"])
def test_an_input_is_not_overwritten_through_any_of_its_names(album: Path, name: str) -> None:
    source = album / "same.png"
    source.write_bytes((album / "in" / "0.png").read_bytes())
    (album / "hard.png").hardlink_to(source)
    (album / "soft.png").symlink_to("same.png")
    (album / "through").symlink_to(".")
    before = hashlib.sha256(source.read_bytes()).digest()
    done = shell(album, '"$@"', "same.png", "-o", name, "--overwrite")
    assert done.returncode == 2
    assert "is an input" in done.stderr
    assert hashlib.sha256(source.read_bytes()).digest() == before


def test_inputs_that_would_share_a_result_are_found_before_any_work(album: Path) -> None:
    (album / "0.png").symlink_to("in/1.png")
    done = shell(album, '"$@"', "in/0.png", "0.png", "-o", "out/")
    assert done.returncode == 2
    assert "two results would both be written to out/0.box.png" in done.stderr
    assert not (album / "out").exists()


def test_one_damaged_image_changes_no_other_result(album: Path) -> None:
    shell(album, '"$@"', "in", "-o", "before/")
    for number, data in enumerate([b"", b"\x89PNG", (album / "in/0.png").read_bytes()[:-30]]):
        (album / "in" / f"{number}-bad.png").write_bytes(data)
    done = shell(album, '"$@"', "in", "-o", "after/")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 4
    for path in (album / "before").glob("*.png"):
        assert (album / "after" / path.name).read_bytes() == path.read_bytes()
    assert len(list((album / "after").glob("*.png"))) == 6


def test_a_file_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    program = """
import os
from pathlib import Path
from cnnviz.cli import main
main.cli = lambda **_: Path("number").write_text(str(os.open("/dev/zero", os.O_RDONLY)))
main.main()
"""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    assert int((tmp_path / "number").read_text()) > 2
