"""What several test modules share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnviz.cli.main import cli

# A Korean reader's environment would have the commands answer in Korean.
os.environ["LC_ALL"] = "C.UTF-8"

ROOT = Path(__file__).parent.parent

Run = Callable[..., Result]


# Under nohup or in a shell's background signals are ignored, and the processes that tests start
# would inherit that.
for _signal, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, _signal):
        signal.signal(getattr(signal, _signal), _handler)


@pytest.fixture
def samples() -> Path:
    """The folder of sample files."""
    return ROOT / "samples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``cnnviz`` with the given arguments in an empty folder; output apart from errors."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin)

    return invoke
