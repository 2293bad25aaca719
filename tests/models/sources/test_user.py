"""A user's own code: what it prints, and how it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run

CODE = """
from torch import nn
print("read")

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        print("made")
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        print("run")
        return self.conv(x)

def wide(maps=2, *, kernel_size):
    return nn.Conv2d(1, maps, kernel_size)
"""
ENDLESS = """
def make():
    open("begun", "w").close()
    while True:
        pass
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "endless.py").write_text(ENDLESS)
    return tmp_path


def test_what_a_model_prints_is_no_result(run: Run, own: Path) -> None:
    result = run("summary", "own.py:Net", "--input", "1x8x8", "--csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("name,")
    assert result.stdout.count("\n") == 2
    assert [word in result.stderr for word in ("read", "made", "run")] == [True] * 3


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ('{"kernel_size": 3, "maps": 5}', 0, "50"),
        ('{"maps": 5}', 2, "missing a required argument: 'kernel_size'; it takes (maps=2, *, kern"),
        ('{"size": 5, "kernel_size": 3}', 2, "unexpected keyword argument 'size'; it takes (maps"),
        ("[3]", 2, "is no JSON object; write names and values in braces"),
        ("{maps: 3}", 2, "is not JSON: "),
        ("[" * 100_000, 2, "is not JSON: "),
        ('{"kernel_size": "a"}', 2, "own.py:wide cannot be built: TypeError: "),
    ],
)
def test_model_args_are_named_arguments(
    run: Run, own: Path, given: str, code: int, said: str
) -> None:
    result = run("summary", "own.py:wide", "--input", "1x8x8", "--model-args", given)
    assert (result.exit_code, said in result.output) == (code, True), result.output[-2_000:]


def test_the_help_says_that_code_is_run(run: Run) -> None:
    text = " ".join(run("summary", "--help").stdout.split())
    assert "Files and packages of your own are run" in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_code_that_never_returns_is_interrupted(own: Path) -> None:
    command = [sys.executable, "-m", "cnnviz", "summary", "endless.py:make"]
    process = subprocess.Popen(
        command,
        cwd=own,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    until = time.monotonic() + 60
    while not (own / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert errors.strip() == "Interrupted; nothing written"
