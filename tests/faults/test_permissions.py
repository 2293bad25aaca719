"""What the system forbids a user who is not root; as root these tests give its rights away."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnviz.cli.main import cli
from tests.albums import noise

NOBODY = 65534
Work = Callable[..., Result]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Within, files are touched with the rights of nobody."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def without_rights() -> AbstractContextManager[None]:
    return as_nobody() if os.geteuid() == 0 else nullcontext()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own, with three images in in/."""
    path = Path(tempfile.mkdtemp())
    (path / "in").mkdir()
    for number in range(3):
        noise(number, 20, 30).save(path / "in" / f"{number}.png")
    (path / "out").mkdir()
    for each in (path, path / "in", path / "out"):
        each.chmod(0o777)
    yield path
    for each in path.rglob("*"):
        each.chmod(0o777)
    shutil.rmtree(path)


@pytest.fixture
def filtered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """``cnnviz filter in -k box`` as nobody, after a run that has loaded all it needs."""
    monkeypatch.chdir(folder)
    runner = CliRunner()
    loaded = runner.invoke(cli, ["filter", "in/0.png", "-k", "box", "-o", "loaded/", "--resume"])
    assert loaded.exit_code == 0

    def run(*arguments: str) -> Result:
        with without_rights():
            return runner.invoke(cli, ["filter", "in", "-k", "box", *arguments])

    return run


def test_with_rights_all_is_done(folder: Path, filtered: Work) -> None:
    result = filtered("-o", "out/")
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(list((folder / "out").glob("*.png"))) == 3


def test_a_read_only_folder_stops_the_batch(folder: Path, filtered: Work) -> None:
    (folder / "out").chmod(0o555)
    result = filtered("-o", "out/")
    assert result.exit_code == 4
    assert "Permission denied" in result.stderr
    assert "0 of 3 images done" in result.stderr
    assert max(map(len, result.stderr.splitlines())) < 300
    assert list((folder / "out").iterdir()) == []


def test_an_image_that_may_not_be_read_is_named_and_the_others_are_done(
    folder: Path, filtered: Work
) -> None:
    (folder / "in" / "1.png").chmod(0)
    result = filtered("-o", "out/")
    assert result.exit_code == 1
    assert "in/1.png" in result.stderr
    assert "Permission denied" in result.stderr
    assert sorted(path.name for path in (folder / "out").glob("*.png")) == [
        "0.box.png",
        "2.box.png",
    ]


def test_a_folder_that_may_not_be_listed_is_named(folder: Path, filtered: Work) -> None:
    (folder / "in").chmod(0o311)
    result = filtered("-o", "out/")
    assert result.exit_code == 1
    assert "in: cannot be opened: Permission denied" in result.stderr


def test_a_folder_further_down_that_may_not_be_listed_stops_no_other(
    folder: Path, filtered: Work
) -> None:
    (folder / "in" / "sub").mkdir(mode=0o311)
    result = filtered("-o", "out/", "--recursive")
    assert result.exit_code == 1
    assert "in/sub: cannot be opened: Permission denied" in result.stderr
    assert len(list((folder / "out").glob("*.png"))) == 3


def test_results_in_a_folder_that_became_read_only_are_left(folder: Path, filtered: Work) -> None:
    assert filtered("-o", "out/").exit_code == 0
    before = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    (folder / "out").chmod(0o555)
    result = filtered("-o", "out/", "--overwrite", "--border", "zeros")
    assert result.exit_code == 4
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == before
