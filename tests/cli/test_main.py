"""What all commands share: help, errors, the ways a run can end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from cnnviz import errors
from cnnviz.cli import main
from cnnviz.cli.main import cli
from tests.conftest import ROOT, Run


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every command, groups included."""
    context, found = click.Context(group), [path]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = (*path, name)
        found += commands(command, below) if isinstance(command, click.Group) else [below]
    return found


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
def test_help_explains_every_option(run: Run, path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert run(*path, "-h").stdout == result.stdout
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", [path for path in commands(cli) if path], ids=" ".join)
def test_help_ends_with_an_example_that_runs(
    run: Run, samples: Path, tmp_path: Path, path: tuple[str, ...]
) -> None:
    (tmp_path / "samples").symlink_to(samples)
    text = " ".join(run(*path, "--help").stdout.split())
    example = text.rpartition("Example: cnnviz ")[2]
    assert example.split()[: len(path)] == list(path) or path == ("kernels",)
    assert run(*example.split()).exit_code == 0


def test_misspelt_command_is_corrected(run: Run) -> None:
    result = run("filtr", "photo.jpg")
    assert result.exit_code == 2
    assert "No such command 'filtr'; did you mean filter?" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CnnvizError, 1),
        (errors.ImageError, 1),
        (errors.UsageError, 2),
        (errors.KernelError, 2),
        (errors.ModelError, 2),
        (errors.ShapeError, 2),
        (errors.DisagreementError, 3),
        (errors.OutputError, 4),
        (KeyboardInterrupt, 130),
        (ZeroDivisionError, 1),
    ],
)
def test_every_error_is_one_line_and_its_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("what\x1b[31m happened\nand where")

    monkeypatch.setattr("cnnviz.cli.kernels.load_kernel", fail)
    result = run("kernels", "show", "box")
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "\x1b" not in result.stderr


def test_our_own_fault_is_shown_in_full_when_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnviz.cli.kernels.load_kernel", lambda _: 1 / 0)
    assert "Traceback" not in run("kernels", "show", "box").output
    assert "Traceback" in run("kernels", "show", "box", "-v").stderr


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_ends_the_run_and_leaves_nothing_behind(
    tmp_path: Path, name: str, code: int
) -> None:
    program = "import sys, cnnviz.cli.main as m; sys.argv[0] = 'cnnviz'; m.main()"
    arguments = ["filter", "-", "-k", "box", "-o", "out/"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        time.sleep(2)  # it waits for its standard input by then
        process.send_signal(getattr(signal, name))
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    assert b"Traceback" not in stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_signal_that_comes_again_does_not_interrupt_the_clearing_up() -> None:
    program = """
import signal
from cnnviz.cli import ending
ending.listen()
for _ in range(2):
    try:
        signal.raise_signal(signal.SIGTERM)
    except ending.Ended as ended:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        print(ended, "cleared up")
    later = ending.monotonic() + ending.SECONDS_TO_END
    ending.monotonic = lambda: later
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.stdout, done.stderr) == ("SIGTERM cleared up\n" * 2, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    "place", ["main.cli", "click.Group.make_context", "main.Group.get_command"]
)
def test_a_signal_just_before_the_command_is_one_line(place: str) -> None:
    program = f"""
import signal, sys
import click
from cnnviz.cli import main
{place} = lambda *_, **__: signal.raise_signal(signal.SIGTERM)
sys.argv = ["cnnviz", "shape", "5x5"]
main.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    said = (done.returncode, done.stdout, done.stderr)
    assert said == (143, "", "Ended by SIGTERM; nothing written\n")


def test_ctrl_c_while_the_command_is_imported_shows_no_traceback(tmp_path: Path) -> None:
    interrupt = "import os, signal; os.kill(os.getpid(), signal.SIGINT); 1 / 0"
    (tmp_path / "click.py").write_text(interrupt)
    done = subprocess.run(
        [sys.executable, "-m", "cnnviz"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_a_full_standard_output_is_exit_4() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cnnviz", "shape", "5x5"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == "Error: standard output cannot be written: No space left on device\n"


def test_a_batch_whose_output_nobody_takes_says_how_far_it_got(
    tmp_path: Path, samples: Path
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    for name in "abc":
        (tmp_path / f"{name}.png").symlink_to(samples / "digit_7.png")
    arguments = ["filter", "a.png", "b.png", "c.png", "-k", "box", "-o", "out/", "-j", "1"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cnnviz", *arguments, "--engine", "opencv"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    reason = "standard output cannot be written: No space left on device"
    assert done.stderr == f"Error: {reason}; 0 of 3 images done, 3 not reached\n"


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    program = """
import os, sys
os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
from cnnviz.cli.main import main
main()
"""
    for arguments, code in (["filter", "a.png", "-k", "box"], 1), (["shape", "5x5"], 0):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert done.stderr == (
            "Error: the current folder is gone; change to one that exists\n" if code else ""
        )


def test_commands_are_the_modules_of_their_names() -> None:
    modules = Path(main.__file__).parent.glob("*.py")
    named = {path.stem for path in modules if "\ndef command(" in path.read_text("utf-8")}
    assert named == set(main.COMMANDS)
