"""``cnnviz filter`` over many images: side by side, and how far it is said to be."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import shutil
import sys
from pathlib import Path

import pytest

from cnnviz.batch import Batch
from cnnviz.cli import progress
from cnnviz.cli.main import cli
from cnnviz.filtering import bands
from cnnviz.record import RECORD
from tests.albums import NAMES, contents
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("photos")


def full_disk_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A disk on which everything finds room but one file."""
    replace = Path.replace

    def refuse(temporary: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_jobs_change_no_byte_and_no_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(bands, "BAND_BYTES", 1)  # several bands even here
    command = ("filter", "in", "-r", "-k", "sobel_x,gaussian,k.json", "--format", suffix)
    written, said = [], []
    for jobs in (1, 2, 5):
        shutil.rmtree("out", ignore_errors=True)
        result = run(*command, "-j", jobs, "-o", "out/", "--raw", "out/raw/")
        assert (result.exit_code, result.stderr) == (0, "")
        written.append(contents("out"))
        said.append(result.stdout)
    assert len(written[0]) == 2 * 3 * len(NAMES)
    assert written[0] == written[1] == written[2]
    assert said[0] == said[1] == said[2]
    order = [(line[3], line.split()[2]) for line in said[0].splitlines()[:12]]
    assert order == [(name, kernel) for name in "abcd" for kernel in ("sobel_x", "gaussian", "k")]


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_bad_file_never_stops_the_others_and_is_named(
    run: Run, photos: Path, jobs: int
) -> None:
    (photos / "b.png").write_text("no image")
    (photos / "c.png").write_bytes((photos / "d.png").read_bytes()[:-40])
    result = run("filter", "in", "-r", "-k", "box", "-o", "out/", "-j", jobs)
    assert result.exit_code == 1
    assert set(contents("out")) == {"a.box.png", "d.box.png", "deep/e.box.png"}
    *errors, summary = result.stderr.splitlines()
    assert [re.split(": ", line)[:2] for line in errors] == [
        ["Error", "in/b.png"],
        ["Error", "in/c.png"],
    ]
    assert summary == "3 of 5 images done, 2 failed"


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_output_that_cannot_be_written_stops_the_batch_with_a_count(
    run: Run, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    full_disk_at(monkeypatch, "b.box.png")
    result = run("filter", "in", "-r", "-k", "box", "-o", "out/", "-j", jobs)
    assert result.exit_code == 4
    error, summary = result.stderr.splitlines()
    assert "out/b.box.png cannot be written: No space left on device" in error
    counts = re.fullmatch(r"(\d) of 5 images done, 1 failed(?:, (\d) not reached)?", summary)
    assert counts
    done, not_reached = map(int, counts.groups("0"))
    assert done == len(contents("out")) == len(result.stdout.splitlines())
    assert done + 1 + not_reached == 5
    assert jobs > 1 or done == 1  # another thread may have been ahead


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_record_that_cannot_be_written_stops_the_batch_before_it_begins(
    run: Run, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    full_disk_at(monkeypatch, RECORD)
    result = run("filter", "in", "-r", "-k", "box", "-o", "out/", "-j", jobs, "--json")
    assert result.exit_code == 4
    assert contents("out") == {}
    assert result.stderr.splitlines()[1:] == ["0 of 5 images done, 5 not reached"]
    document = json.loads(result.stdout)
    assert document["results"] == []
    assert [failure["input"] for failure in document["failures"]] == [f"out/{RECORD}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-o -", "--output - is one stream but there are several results; name a folder"),
        ("-o out/ --raw -", "--raw - is one stream but there are several results"),
        ("-o k.json", "k.json is a file, so nothing can be written to"),
        ("-o in/a.png", "in/a.png is one file but there are several results; end it in /"),
    ],
)
def test_several_results_need_a_folder(
    run: Run, tmp_path: Path, arguments: str, message: str
) -> None:
    before = contents(tmp_path)
    result = run("filter", "in", "-r", "-k", "box", *arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert contents(tmp_path) == before


@pytest.fixture
def every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a run shows on a terminal as its standard error."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", buffering=1) as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        cli.main(["filter", *arguments], standalone_mode=False)
        terminal.write("end")
    shown = b""
    while not shown.endswith(b"end"):
        shown += os.read(master, 10_000)
    os.close(master)
    return shown.decode().removesuffix("end")


def test_elsewhere_than_on_a_terminal_it_is_a_line_now_and_then(
    run: Run, photos: Path, every_time: None
) -> None:
    (photos / "b.png").write_text("no image")
    result = run("filter", "in", "-r", "-k", "box", "-o", "out/")
    *lines, _, _ = result.stderr.splitlines()
    pattern = r"(\d) of 5 images, \S+ a second, \d+ s left"
    counts = [match[1] for line in lines if (match := re.fullmatch(pattern, line))]
    assert counts == ["1", "2", "3", "4"]
    assert len(lines) == 4
    assert len(result.stdout.splitlines()) == 4


def test_a_short_run_says_nothing(run: Run) -> None:
    assert run("filter", "in", "-r", "-k", "box", "-o", "out/").stderr == ""


def test_lines_are_ten_seconds_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    batch = Batch([Path(f"{number}") for number in range(1000)])
    with progress.Progress(batch) as shown:
        for _ in batch.run(lambda _: [], after_each=shown.update):
            pass
        assert capsys.readouterr().err == ""
        for now[0], batch.finished in ((6, 3), (12, 6), (18, 9), (23, 46), (6000, 750)):
            shown.update()
    assert capsys.readouterr().err.splitlines() == [
        "6 of 1,000 images, 0.5 a second, 33 min left",
        "46 of 1,000 images, 2 a second, 8 min left",
        "750 of 1,000 images, 0.125 a second, 33 min left",
    ]


def test_quiet_says_nothing(run: Run, every_time: None) -> None:
    assert run("filter", "in", "-r", "-k", "box", "-o", "out/", "-q").stderr == ""


def test_one_image_alone_has_none(run: Run, every_time: None) -> None:
    assert run("filter", "in/a.png", "-k", "box,k.json", "-o", "out/").stderr == ""


def test_json_is_alone_on_standard_output(run: Run, every_time: None) -> None:
    result = run("filter", "in", "-r", "-k", "box", "-o", "out/", "--json")
    assert len(json.loads(result.stdout)["results"]) == 5
    assert len(result.stderr.splitlines()) == 4


def test_on_a_terminal_it_is_a_bar_that_goes_away(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = on_a_terminal(monkeypatch, "in", "-r", "-k", "box", "-o", "out/")
    assert re.search(r"\r0/5 images \|\s+\| \? images/s, \? left", shown)
    assert re.search(r"\r +\r$", shown)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" × ")[0] for line in lines] == [
        *(f"in/{name}.png" for name in "abcd"),
        "in/deep/e.png",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["in", "-r", "-q"], id="quiet"),
        pytest.param(["in/a.png"], id="one image"),
    ],
)
def test_there_is_no_bar_where_there_is_no_progress(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    assert on_a_terminal(monkeypatch, *arguments, "-k", "box", "-o", "out/") == ""
