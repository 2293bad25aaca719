"""A model that is somebody's program: it exits, prints, hangs, or changes what is around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.albums import contents
from tests.conftest import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
NETS = '''
import ctypes, os, sqlite3, sys, time
from pathlib import Path
import torch
from torch import nn

class Quiet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
    def forward(self, x):
        y = self.conv(x)
        self.act(x)
        return y
    def act(self, x):
        pass

class Exits(Quiet):
    """Of a white image alone."""
    def act(self, x):
        if x.min() > 0.9:
            sys.exit(0)

class OfItsOwn(BaseException):
    pass

class Raises(Quiet):
    def act(self, x):
        raise OfItsOwn("\\033[31mred\\nlines")

class Speechless(Quiet):
    def act(self, x):
        class NoWords(Exception):
            def __str__(self):
                raise KeyError("words")
        raise NoWords

class Prints(Quiet):
    def act(self, x):
        print("by Python")
        sys.__stdout__.write("by its first stream\\n")
        os.write(1, b"by the system\\n")
        os.system("echo by a program")

class Moves(Quiet):
    def act(self, x):
        os.chdir("/")
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)

class Begun(Quiet):
    def act(self, x):
        Path("begun").touch()
        while x.device.type != "meta":
            self.wait()

class Sleeps(Begun):
    def wait(self):
        time.sleep(1000)

class Computes(Begun):
    def wait(self):
        pass

class InsideC(Begun):
    def wait(self):
        endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c)"
        sqlite3.connect(":memory:").execute(f"{endless} SELECT count(*) FROM c").fetchall()

class Deaf(Begun):
    def wait(self):
        try:
            time.sleep(1000)
        except BaseException:
            pass

class NoEval(Quiet):
    def eval(self):
        raise ValueError("never")

class EvalOfNothing(Quiet):
    def eval(self):
        super().eval()

class NoParts(Quiet):
    def modules(self):
        sys.exit(0)
'''


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    """A folder with ``nets.py`` and two images, a gray and a white one."""
    (tmp_path / "nets.py").write_text(NETS)
    for name, level in ("gray", 90), ("white", 255):
        Image.new("RGB", (16, 16), (level,) * 3).save(tmp_path / f"{name}.png")
    return tmp_path


def command(name: str, *arguments: str) -> list[str]:
    images = ["gray.png", "white.png", "--size", "16x16", "-o", "out/"]
    model = ["--model", f"nets.py:{name}"]
    return [sys.executable, "-m", "cnnviz", "featuremaps", *images, *model, *arguments]


def done(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(name, *arguments),
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_exits_for_one_image_fails_for_that_image_alone(nets: Path) -> None:
    result = done(nets, "Exits", "--json")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert [Path(each["input"]).name for each in document["results"]] == ["gray.png"]
    assert document["failures"][0]["error"].endswith("SystemExit: 0")
    assert result.stderr.splitlines()[-1] == "1 of 2 images done, 1 failed"


@pytest.mark.parametrize(
    ("name", "said"),
    [("Raises", "OfItsOwn: \\x1b[31mred lines"), ("Speechless", "NoWords")],
)
def test_whatever_it_raises_is_one_line(nets: Path, name: str, said: str) -> None:
    result = done(nets, name)
    first, _, last = result.stderr.splitlines()
    assert (result.returncode, last) == (1, "0 of 2 images done, 2 failed")
    assert first == f"Error: the model failed after layer conv: {said}"


def test_what_it_prints_by_any_way_is_no_result(nets: Path) -> None:
    result = done(nets, "Prints", "--json")
    assert result.returncode == 0
    assert len(json.loads(result.stdout)["results"]) == 2
    for who in ("Python", "its first stream", "the system", "a program"):
        assert f"by {who}\n" in result.stderr


def test_where_it_goes_and_what_it_sets_changes_no_result(nets: Path) -> None:
    assert done(nets, "Moves").returncode == 0
    files = {name for name in contents(nets / "out") if name.endswith(".png")}
    assert done(nets, "Quiet").returncode == 0
    quiet = {name.replace("Quiet", "Moves") for name in contents(nets / "out")}
    assert files == {name for name in quiet if name.endswith(".png")}
    manifest = json.loads((nets / "out" / "white.Moves" / "manifest.json").read_bytes())
    same = json.loads((nets / "out" / "white.Quiet" / "manifest.json").read_bytes())
    shapes = [[layer["shape"] for layer in each["layers"]] for each in (manifest, same)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("NoEval", 2, "Error: nets.py:NoEval cannot be used: ValueError: never\n"),
        ("NoParts", 2, "Error: nets.py:NoParts cannot be used: SystemExit: 0\n"),
        ("EvalOfNothing", 0, ""),
    ],
)
def test_a_class_that_answers_in_its_own_way_is_named(
    nets: Path, name: str, code: int, said: str
) -> None:
    result = done(nets, name, "--quiet")
    assert (result.returncode, result.stderr) == (code, said)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    ("name", "sent", "code", "said", "seconds"),
    [
        ("Sleeps", "SIGINT", 130, "Interrupted", 1),
        ("Computes", "SIGTERM", 143, "Ended by SIGTERM", 1),
        ("InsideC", "SIGHUP", 129, "Ended by SIGHUP", 3),
        ("Deaf", "SIGINT", 130, "Interrupted", 7),
    ],
)
def test_what_never_returns_is_ended(
    nets: Path, name: str, sent: str, code: int, said: str, seconds: float
) -> None:
    process = subprocess.Popen(
        command(name), cwd=nets, env=ENVIRONMENT, stdout=-1, stderr=-1, text=True
    )
    until = time.monotonic() + 60
    while not (nets / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)  # it looked at the model's shapes before; now it runs
    start = time.monotonic()
    process.send_signal(getattr(signal, sent))
    try:
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert errors == f"{said}; 0 of 2 images done, 2 not reached\n"
    assert process.returncode == code
    assert time.monotonic() - start < seconds + 2  # a busy machine's
    assert not list(nets.rglob("*.tmp"))
