"""Nothing that is there is lost unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnviz.errors import OutputError, UsageError
from cnnviz.storage import refuse_existing, refuse_filled, write_bytes

# Longer than any file system's 255 bytes; pathlib raises for it where others return False.
TOO_LONG = "n" * 300


def check_and_write(target: Path) -> None:
    refuse_existing([target], [], overwrite=True)
    write_bytes(target, b"new")


def check_and_fill(folder: Path) -> None:
    refuse_filled([folder], overwrite=True)
    write_bytes(folder / "a.png", b"new")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, the current one, with an input under several names and another file."""
    monkeypatch.chdir(tmp_path)
    Path("input.png").write_bytes(b"input")
    Path("hard.png").hardlink_to("input.png")
    Path("soft.png").symlink_to("input.png")
    Path("other.png").write_bytes(b"other")
    Path("sub").mkdir()
    Path("sub/x").touch()
    Path("empty").mkdir()
    Path("link").symlink_to("sub")
    Path("loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("outputs", "refusal", "even_overwriting"),
    [
        pytest.param(["new.png"], None, False, id="new"),
        pytest.param(["new.png", "sub/new.png"], None, False, id="two-new"),
        pytest.param(["-", "-"], None, False, id="stdout"),
        pytest.param(["loop"], None, False, id="symlink-to-itself"),
        pytest.param(["other.png"], "exists already; --overwrite", False, id="existing"),
        pytest.param(["input.png"], "is an input", True, id="input"),
        pytest.param(["./sub/../input.png"], "is an input", True, id="input-by-another-path"),
        pytest.param(["hard.png"], "is an input", True, id="hard-link-to-input"),
        pytest.param(["soft.png"], "is an input", True, id="symlink-to-input"),
        pytest.param(["sub"], "is a folder", True, id="folder"),
        pytest.param(["new.png", "new.png"], "two results", True, id="twins"),
        pytest.param(["sub/n.png", "link/n.png"], "two results", True, id="twins-by-symlink"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True], ids=["", "overwrite"])
@pytest.mark.usefixtures("there")
def test_outputs_that_would_lose_something_are_refused(
    outputs: list[str], refusal: str | None, *, even_overwriting: bool, overwrite: bool
) -> None:
    inputs = [Path("missing.png"), Path("input.png"), Path(TOO_LONG)]
    paths = [Path(output) for output in outputs]

    if refusal is None or (overwrite and not even_overwriting):
        refuse_existing(paths, inputs, overwrite=overwrite)
    else:
        with pytest.raises(UsageError, match=refusal):
            refuse_existing(paths, inputs, overwrite=overwrite)


@pytest.mark.usefixtures("there")
def test_an_existing_file_that_is_ours_may_be_replaced_but_no_input() -> None:
    asked = []

    def ours(path: Path) -> bool:
        asked.append(path.name)
        return path.name != "x"

    refuse_existing([Path("new.png"), Path("other.png")], [], overwrite=False, ours=ours)
    assert asked == ["other.png"]
    with pytest.raises(UsageError, match="sub/x exists already"):
        refuse_existing([Path("other.png"), Path("sub/x")], [], overwrite=False, ours=ours)
    with pytest.raises(UsageError, match=r"hard\.png is an input"):
        refuse_existing([Path("hard.png")], [Path("input.png")], overwrite=False, ours=ours)


@pytest.mark.parametrize(
    ("folders", "refusal", "even_overwriting"),
    [
        pytest.param(["new", "empty"], None, False, id="new-and-empty"),
        pytest.param(["sub"], "not empty; --overwrite", False, id="filled"),
        pytest.param(["other.png"], "is a file", True, id="file"),
        pytest.param(["new", "./new"], "two results", True, id="twins"),
        pytest.param(["sub", "link"], "two results|not empty", True, id="twins-by-symlink"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True], ids=["", "overwrite"])
@pytest.mark.usefixtures("there")
def test_folders_that_hold_something_are_refused(
    folders: list[str], refusal: str | None, *, even_overwriting: bool, overwrite: bool
) -> None:
    paths = [Path(folder) for folder in folders]

    if refusal is None or (overwrite and not even_overwriting):
        refuse_filled(paths, overwrite=overwrite)
    else:
        with pytest.raises(UsageError, match=refusal):
            refuse_filled(paths, overwrite=overwrite)


@pytest.mark.parametrize("write", [check_and_write, check_and_fill])
@pytest.mark.usefixtures("there")
def test_a_name_that_no_file_can_have_is_an_output_error(write: Callable[[Path], None]) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write(Path(TOO_LONG))
