"""Names that a folder's file system takes for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnviz import storage
from cnnviz.errors import UsageError
from cnnviz.storage import twins

ACCENTS = "caf\u00e9.png", "cafe\u0301.png"


@pytest.mark.parametrize(
    ("first", "second", "ignored", "clash"),
    [
        ("a.png", "A.png", (True, False), True),
        ("a.png", "A.png", (False, True), False),
        ("sub/a.png", "SUB/a.png", (True, False), True),
        ("stra\u00dfe.png", "STRASSE.png", (True, False), True),
        (*ACCENTS, (False, True), True),
        (*ACCENTS, (True, False), False),
        ("caf\u00e9.png", "CAFE\u0301.png", (True, True), True),
        ("caf\u00e9.png", "CAFE\u0301.png", (True, False), False),
        ("a.png", "b.png", (True, True), False),
    ],
)
def test_names_that_are_one_file_there_are_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    second: str,
    ignored: tuple[bool, bool],
    clash: bool,
) -> None:
    monkeypatch.setattr(twins, "ignored_by", lambda _: ignored)
    names = [tmp_path / "not" / "yet" / name for name in (first, second)]
    refusals: list[Callable[[], None]] = [
        lambda: storage.refuse_existing(names, [], overwrite=True),
        lambda: storage.refuse_filled(names, overwrite=True),
    ]
    for refuse in refusals:
        if clash:
            with pytest.raises(UsageError, match=rf"{second}/?, which is {Path(first).name} too"):
                refuse()
        else:
            refuse()


def test_what_a_folder_ignores_is_tried_out_without_remains(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    case = (tmp_path / "A").exists()
    (tmp_path / "caf\u00e9").touch()
    form = (tmp_path / "cafe\u0301").exists()
    assert twins.ignored_by(tmp_path) == (case, form)
    assert len(list(tmp_path.iterdir())) == 2
    assert twins.ignored_by(tmp_path / "gone") == (False, False)


def test_what_a_folder_that_ignores_case_does_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path.exists

    def either_case(path: Path) -> bool:
        return there(path) or path.name.lower() in {x.name.lower() for x in path.parent.iterdir()}

    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", either_case)
        assert twins.ignored_by(tmp_path) == (True, False)
    assert list(tmp_path.iterdir()) == []
