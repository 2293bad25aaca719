"""What is done is known by content, in whatever folder, whoever else writes there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from cnnviz import record as module
from cnnviz import storage
from cnnviz.errors import OutputError, UsageError
from cnnviz.record import RECORD, Record, digest, fingerprint
from tests.conftest import ROOT

# The digest of b"abc" in FIPS 180-2, appendix B.1.
SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def made(folder: Path, *names: str, origin: str = "origin") -> list[Path]:
    """One result of the files ``names``, written, recorded and saved."""
    files = [folder / name for name in names]
    record = Record(folder)
    record.plan([files])
    for file in files:
        storage.write_bytes(file, os.fsencode(file.name))
    record.add(files, origin)
    record.save(at_once=True)
    return files


def reopened(folder: Path, *results: list[Path]) -> Record:
    record = Record(folder)
    record.plan(results)
    return record


def test_a_result_that_is_there_as_it_was_written_is_known(tmp_path: Path) -> None:
    files = made(tmp_path, "a.png", "a.npy")
    record = reopened(tmp_path, files)
    assert record.has(files, "origin")
    assert record.has(files[:1], "origin")
    assert not record.has(files, "another")


@pytest.mark.parametrize("which", [0, 1])
def test_an_edited_or_deleted_file_makes_it_unknown(tmp_path: Path, which: int) -> None:
    files = made(tmp_path, "a.png", "a.npy")
    files[which].write_bytes(b"edited")
    assert not reopened(tmp_path, files).has(files, "origin")
    files[which].unlink()
    assert not reopened(tmp_path, files).has(files, "origin")


def test_another_name_is_not_known_whatever_it_holds(tmp_path: Path) -> None:
    (file,) = made(tmp_path, "a.png")
    copy = tmp_path / "b.png"
    copy.write_bytes(file.read_bytes())
    record = reopened(tmp_path, [copy])
    assert not record.has([copy], "origin")
    assert not record.names(copy)


def test_a_planned_file_is_ours_for_the_next_run(tmp_path: Path) -> None:
    planned, stranger = tmp_path / "sub" / "a.png", tmp_path / "a.png"
    record = reopened(tmp_path, [planned])
    assert not record.names(planned)
    record.save(at_once=True)
    assert Record(tmp_path).names(planned)
    assert not Record(tmp_path).names(stranger)
    assert not reopened(tmp_path, [planned]).has([planned], "origin")


def test_a_file_that_is_planned_for_a_known_result_is_ours_too(tmp_path: Path) -> None:
    files = made(tmp_path, "a.png")
    raw = tmp_path / "a.npy"
    record = reopened(tmp_path, [*files, raw])
    record.save(at_once=True)
    raw.write_bytes(b"written by a run that was killed then")
    assert Record(tmp_path).names(raw)
    assert reopened(tmp_path, files).has(files, "origin")
    assert not reopened(tmp_path, [*files, raw]).has([*files, raw], "origin")


def test_what_is_not_made_again_with_the_rest_stays_ours_but_is_not_done(tmp_path: Path) -> None:
    files = made(tmp_path, "a.png", "a.npy", origin="first")
    record = reopened(tmp_path, files[:1])
    record.add(files[:1], "second")
    record.save(at_once=True)
    assert Record(tmp_path).names(files[1])
    assert reopened(tmp_path, files[:1]).has(files[:1], "second")
    assert not reopened(tmp_path, files).has(files, "second")
    files[1].unlink()
    assert not reopened(tmp_path, files).has(files, "second")


def test_a_moved_folder_keeps_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(Path("old/out"), "a.png", "sub/b.png", "../raw/a.npy")
    Path("old").rename("new")
    monkeypatch.chdir(tmp_path / "new")
    files = [Path("out/a.png"), tmp_path / "new/out/sub/b.png", Path("raw/a.npy")]
    assert reopened(Path("out"), files).has(files, "origin")
    recorded = json.loads(Path("out", RECORD).read_bytes())["results"]["a.png"]["files"]
    assert list(recorded) == ["a.png", "sub/b.png", "../raw/a.npy"]


def test_a_file_on_another_drive_has_its_full_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", refuse)  # as Windows does
    files = made(tmp_path, "a.png")
    assert reopened(tmp_path, files).has(files, "origin")


def test_odd_names_are_kept_apart(tmp_path: Path) -> None:
    odd = [b"\xff.png", rb"\xff.png", rb"\udcff.png", b"a\nb.png", b'"a".png', "ü.png".encode()]
    names = [os.fsdecode(name) for name in odd]
    for name in names:
        made(tmp_path, name, origin=name)
    text = (tmp_path / RECORD).read_bytes()
    assert text.isascii()
    assert len(json.loads(text)["results"]) == len(odd)
    for name in names:
        assert reopened(tmp_path, [tmp_path / name]).has([tmp_path / name], name)


def test_other_runs_in_the_folder_keep_their_entries(tmp_path: Path) -> None:
    (mine, theirs) = [tmp_path / "mine.png"], [tmp_path / "theirs.png"]
    reopened(tmp_path, theirs).save(at_once=True)  # planned by a run that was killed
    record = reopened(tmp_path, mine)
    made(tmp_path, "theirs.png")
    made(tmp_path, "new.png")
    mine[0].write_bytes(b"mine")
    record.add(mine, "origin")
    record.save(at_once=True)
    for files in (mine, theirs, [tmp_path / "new.png"]):
        assert reopened(tmp_path, files).has(files, "origin")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no-results"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"results": []}', id="results-a-list"),
        pytest.param(b'{"results": {"a": 1}}', id="entry-a-number"),
        pytest.param(b'{"results": {"a": {}}}', id="entry-without-files"),
        pytest.param(b'{"results": {"a": {"files": ["a"]}}}', id="files-a-list"),
        pytest.param(b'{"results": {"a": {"files": {}}}', id="cut-off"),
        pytest.param(b'{"results": {"a": {"files": {"a": 5}}}}', id="digest-a-number"),
        pytest.param(b'{"results": {"a": {"files": {}, "former": 5}}}', id="former-a-number"),
        pytest.param(b"\xff\xfe", id="not-text"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_file_that_is_no_record_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(UsageError, match=f"{RECORD} is not a record of this tool; move it away"):
        Record(tmp_path)
    assert (tmp_path / RECORD).read_bytes() == content


def test_a_record_that_cannot_be_read_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / RECORD).mkdir()
    with pytest.raises(OutputError, match=f"{RECORD} cannot be read: Is a directory"):
        Record(tmp_path)


def test_where_a_file_stands_in_place_of_the_folder_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert not Record(tmp_path / "out").names(tmp_path / "out" / "a.png")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; a record takes two seconds to write."""
    now, write = [0.0], storage.write_bytes

    def slow(path: Path, data: bytes) -> None:
        now[0] += 2
        write(path, data)

    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(storage, "write_bytes", slow)
    return now


@pytest.mark.parametrize(("seconds", "saved"), [(37, False), (39, True)])
def test_a_record_that_takes_long_to_write_is_written_less_often(
    tmp_path: Path, clock: list[float], seconds: float, *, saved: bool
) -> None:
    record = Record(tmp_path)
    record.save()
    (tmp_path / RECORD).unlink()
    clock[0] += seconds
    record.save()
    assert (tmp_path / RECORD).exists() == saved
    record.save(at_once=True)
    assert (tmp_path / RECORD).exists()


def test_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == SHA256_OF_ABC


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A named pipe that nobody writes to; who opens it waits."""
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    yield path
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # lets go whoever waits


def test_what_has_no_end_has_no_digest(tmp_path: Path, pipe: Path) -> None:
    digests: list[str | None] = []
    thread = Thread(target=lambda: digests.append(digest(pipe)), daemon=True)
    thread.start()
    thread.join(5)
    assert digests == [None]
    assert digest(tmp_path) is None
    assert digest(tmp_path / "missing") is None


def test_a_fingerprint_tells_settings_and_versions_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [(), (None,), (1,), ("1",), (1, 2), (12,)]
    assert len({fingerprint(*one) for one in settings}) == len(settings)
    before = fingerprint(1)
    assert fingerprint(1) == before
    monkeypatch.setattr(module, "__version__", "0.0.0.another")
    assert fingerprint(1) != before


TWO_RUNS = """
import sys
from pathlib import Path
from cnnviz.record import Record
record = Record(Path("out"))
files = [[Path(f"out/{sys.argv[1]}{number}")] for number in range(30)]
record.plan(files)
record.save(at_once=True)
for file in files:
    file[0].write_bytes(b"x")
    record.add(file, "origin")
    record.save(at_once=True)
"""


def test_of_two_runs_at_once_neither_forgets_what_the_other_recorded(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_RUNS, name],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for name in "ab"
    ]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    results = json.loads((tmp_path / "out" / RECORD).read_bytes())["results"]
    assert sorted(results) == sorted(f"{name}{number}" for name in "ab" for number in range(30))
    assert all(entry["origin"] == "origin" for entry in results.values())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_at_its_name_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / RECORD)
    with pytest.raises(UsageError, match="is not a record of this tool"):
        Record(tmp_path)
