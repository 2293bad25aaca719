"""Files are old or whole new, whatever ends the writing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnviz.errors import OutputError, UsageError
from cnnviz.storage import refuse_existing, write_bytes, writing
from cnnviz.storage.temporary import here

# Longer than any file system's 255 bytes; pathlib raises for it where others return False.
TOO_LONG = "n" * 300
HERE = here()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def in_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def write_half(target: Path, error: type[BaseException]) -> None:
    with writing(target) as file:
        file.write(b"half")
        file.flush()
        raise error


@pytest.mark.parametrize("old", [b"old", None], ids=["replacing", "new"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, old: bytes | None, error: type[BaseException]
) -> None:
    target = tmp_path / "a.png"
    if old is not None:
        target.write_bytes(old)

    with pytest.raises(error):
        write_half(target, error)

    assert names(tmp_path) == ([] if old is None else ["a.png"])
    assert old is None or target.read_bytes() == old


def test_the_old_content_stays_until_the_new_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    with writing(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"
        (temporary,) = set(names(tmp_path)) - {"a.png"}
        assert temporary.startswith(f".cnnviz-{HERE}-{os.getpid()}-")

    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["a.png"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "c.png", b"new")

    assert (tmp_path / "a" / "b" / "c.png").read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077], ids=oct)
def test_new_files_get_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    code = "import os, sys; from pathlib import Path; from cnnviz.storage import write_bytes;"
    done = in_process(
        f"{code} os.umask({umask}); write_bytes(Path(sys.argv[1]), b'x')", tmp_path / "a"
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_full_disk_is_an_output_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    code = """
import resource, signal, sys
from pathlib import Path
from cnnviz.errors import OutputError
from cnnviz.storage import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), bytes(5000))
except OutputError as error:
    print(error)
    sys.exit(error.exit_code)
"""
    done = in_process(code, target)

    assert (done.returncode, done.stdout) == (4, f"{target} cannot be written: File too large\n")
    assert (names(tmp_path), target.read_bytes()) == (["a.png"], b"old")


def test_a_read_only_file_system_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "open", refuse)  # root, as in a container, may write anywhere

    with pytest.raises(OutputError, match=r"a\.png cannot be written: Read-only file system"):
        write_bytes(tmp_path / "a.png", b"new")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_read_only_folder_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)

    with pytest.raises(OutputError, match="Permission denied"):
        write_bytes(tmp_path / "a.png", b"new")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("folder", "Is a directory", id="folder"),
        pytest.param("file/a.png", "File exists", id="file-for-a-folder"),
        pytest.param(TOO_LONG, "File name too long", id="long-name"),
    ],
)
def test_a_name_that_cannot_be_a_file_is_an_output_error(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(OutputError, match=f"cannot be written: {reason}") as caught:
        write_bytes(tmp_path / name, b"new")

    assert caught.value.exit_code == 4
    assert names(tmp_path) == ["file", "folder"]


def test_what_another_machine_writes_is_left_until_it_is_old(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    assert HERE != "01234567"
    for number, age in enumerate([0, 80_000, 90_000]):
        path = tmp_path / f".cnnviz-01234567-{dead.pid}-{number}.tmp"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)

    write_bytes(tmp_path / "a.png", b"new")

    kept = [f".cnnviz-01234567-{dead.pid}-{number}.tmp" for number in (0, 1)]
    assert names(tmp_path) == [*kept, "a.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_pipe_is_not_replaced(tmp_path: Path, *, overwrite: bool) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UsageError, match="is a pipe or a device"):
        refuse_existing([tmp_path / "a.png"], [], overwrite=overwrite)


def test_only_temporaries_of_dead_processes_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    kept = [
        f".cnnviz-{HERE}-{os.getpid()}-0a.tmp",
        f".cnnviz-{HERE}-1-0a.tmp",
        f".cnnviz-{HERE}-{dead.pid}-0a.txt",
        f".cnnviz-{HERE}-{dead.pid}-zz.tmp",
        f".cnnviz-{HERE}-99999999999999999999-0a.tmp",
    ]
    for name in [*kept, f".cnnviz-{HERE}-{dead.pid}-0a.tmp"]:
        (tmp_path / name).touch()

    write_bytes(tmp_path / "a.png", b"new")

    assert names(tmp_path) == sorted([*kept, "a.png"])


def test_a_folder_of_the_same_name_elsewhere_is_cleared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    for place in ("here", "there"):
        stale = tmp_path / place / "out" / f".cnnviz-{HERE}-{dead.pid}-0a.tmp"
        stale.parent.mkdir(parents=True)
        stale.touch()
        monkeypatch.chdir(tmp_path / place)
        write_bytes(Path("out/a.png"), b"new")
        assert names(Path("out")) == ["a.png"]


def test_a_temporary_that_may_not_be_removed_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    (tmp_path / f".cnnviz-{HERE}-{dead.pid}-0a.tmp").touch()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)  # as another user's file in /tmp does
    write_bytes(tmp_path / "a.png", b"new")

    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_a_process_that_ends_takes_unfinished_files_of_all_threads_along(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from threading import Event, Thread
from cnnviz.errors import OutputError
from cnnviz.storage import abandon, write_bytes, writing
folder, begun = Path(sys.argv[1]), Event()
write_bytes(folder / "whole.png", b"whole")
def write():
    with writing(folder / "half.png") as file:
        file.write(b"half")
        file.flush()
        begun.set()
        Event().wait()
Thread(target=write).start()
begun.wait()
print(len(list(folder.iterdir())))
abandon()
try:
    write_bytes(folder / "late.png", b"late")
except OutputError as error:
    print(error, flush=True)
os._exit(130)
"""
    done = in_process(code, tmp_path)

    assert (done.returncode, done.stdout) == (130, "2\nthe process is ending\n"), done.stderr
    assert names(tmp_path) == ["whole.png"]


def test_minus_is_standard_output(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    write_bytes(Path("-"), b"\x00\xff\r\n")

    assert capfdbinary.readouterr().out == b"\x00\xff\r\n"
    assert names(tmp_path) == []
