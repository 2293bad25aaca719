"""``cnnviz filter`` that is ended from outside: at once, with whole files, to be taken up again."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from click.testing import CliRunner

from cnnviz.cli.main import cli
from cnnviz.record import RECORD
from tests.albums import contents, noise
from tests.conftest import ROOT, Run

COUNT = 40
KERNELS = ("sobel_x", "gaussian")

Process = subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images that take a good part of a second together."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(COUNT):
        noise(number, 150 + number, 200).save(folder / f"{number:02}.png", compress_level=1)
    return folder


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of a run that nothing interrupts."""
    out = tmp_path_factory.mktemp("undisturbed")
    done = CliRunner().invoke(cli, command(many, "-o", str(out)))
    assert done.exit_code == 0
    return contents(out)


def command(many: Path, *arguments: str) -> list[str]:
    return ["filter", str(many), "-k", ",".join(KERNELS), *arguments]


def started(many: Path, *arguments: str, by: tuple[str, ...] = ()) -> Process:
    """A run into the current folder's ``out``, its output read as it comes."""
    return subprocess.Popen(
        [*by, sys.executable, "-m", "cnnviz", *command(many, "-o", "out/", *arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pipesize=4096,  # too small for all that it prints: it cannot end before that is read
    )


def lines_of(process: Process, count: int) -> list[bytes]:
    """The next lines that the process prints, fewer if it ends."""
    assert process.stdout is not None
    lines = (process.stdout.readline() for _ in range(count))
    return [line for line in lines if line]


@pytest.mark.parametrize(
    ("name", "code", "said", "lines", "jobs"),
    [
        ("SIGINT", 130, "Interrupted", 1, "1"),
        ("SIGTERM", 143, "Ended by SIGTERM", 7, "2"),
        ("SIGHUP", 129, "Ended by SIGHUP", 18, "4"),
    ],
)
@pytest.mark.usefixtures("run")
def test_a_signal_ends_a_batch_with_one_line_and_whole_files(
    many: Path,
    undisturbed: dict[str, bytes],
    name: str,
    code: int,
    said: str,
    lines: int,
    jobs: str,
) -> None:
    process = started(many, "-j", jobs)
    before = lines_of(process, lines)
    for _ in range(5):  # a terminal, a wrapper around the command, and an impatient user
        process.send_signal(getattr(signal, name))
        sleep(0.001)
    rest, stderr = process.communicate(timeout=20)
    assert process.returncode == code, stderr
    counts = re.fullmatch(rf"{said}; (\d+) of 40 images done, (\d+) not reached\n", stderr.decode())
    assert counts, stderr
    done, not_reached = map(int, counts.groups())
    assert (done < COUNT, not_reached) == (True, COUNT - done)
    printed = len(before) + len(rest.splitlines())
    assert printed in range(done * len(KERNELS), (done + 1) * len(KERNELS) + 1)
    written = contents("out")
    assert len(written) >= printed
    assert {name: undisturbed[name] for name in written} == written


@pytest.mark.usefixtures("run")
def test_a_signal_that_the_parent_wants_ignored_ends_nothing(many: Path) -> None:
    deaf = ("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")  # nohup for two signals
    process = started(many, "--engine", "opencv", by=deaf)
    assert len(lines_of(process, 1)) == 1
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, b"")
    assert len(contents("out")) == COUNT * len(KERNELS)


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="no small pipes here")
@pytest.mark.usefixtures("run")
def test_a_signal_ends_a_batch_that_nobody_listens_to(many: Path) -> None:
    process = started(many, "-j", "1")
    written, before = 0, -1
    while process.poll() is None and (written > before or not written):  # until it waits
        sleep(0.3)
        written, before = len(list(Path("out").glob("*.png"))), written
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=20)
    _, stderr = process.communicate()
    assert code == 143, stderr
    assert written < COUNT * len(KERNELS)


def test_a_reader_that_goes_away_ends_the_batch_with_whole_files(
    run: Run, many: Path, undisturbed: dict[str, bytes]
) -> None:
    for _ in range(3):  # threads are in the middle of a file more often than not
        process = started(many, "-j", "8", "--overwrite")
        assert process.stdout is not None
        assert len(lines_of(process, 1)) == 1
        process.stdout.close()
        _, stderr = process.communicate(timeout=20)
        assert (process.returncode, stderr) == (1, b"")
        written = contents("out")
        assert {name: undisturbed[name] for name in written} == written


def test_an_interrupted_batch_is_taken_up_where_it_was(
    run: Run, many: Path, undisturbed: dict[str, bytes]
) -> None:
    process = started(many, "-j", "2")
    assert len(lines_of(process, 10)) == 10
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    result = run(*command(many, "-o", "out/", "--resume", "--json"))
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert len(document["skipped"]) >= 10
    assert len(document["results"]) + len(document["skipped"]) == COUNT * len(KERNELS)
    assert contents("out") == undisturbed


def test_what_is_killed_at_random_moments_is_completed_with_the_same_bytes(
    run: Run, many: Path, undisturbed: dict[str, bytes]
) -> None:
    random = np.random.default_rng(0)
    for _ in range(8):
        process = started(many, "--resume", "-j", "2")
        lines_of(process, int(random.integers(COUNT * len(KERNELS))))
        sleep(random.random() / 50)
        process.kill()
        _, stderr = process.communicate(timeout=20)
        assert stderr == b""
        whole = {name: data for name, data in contents("out").items() if name in undisturbed}
        assert {name: undisturbed[name] for name in whole} == whole
    result = run(*command(many, "-o", "out/", "--resume", "--json"))
    assert result.exit_code == 0, result.stderr
    assert contents("out") == undisturbed
    assert len(json.loads(Path("out", RECORD).read_bytes())["results"]) == len(undisturbed)
