"""What fuzzing has found stays found; what it starts from is as good as it is meant to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz.kernels import reading
from tests.fuzz import targets
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

CORPUS = sorted(path for path in (Path(__file__).parent / "corpus").rglob("*") if path.is_file())
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, which the command hides


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_is_refused_or_right(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_mostly_accepted(name: str) -> None:
    seeds = list(SEEDS[name]())
    accepted = sum(TARGETS[name](data) for data in seeds)
    assert accepted == len(seeds) if name != "image" else accepted > len(seeds) // 2


def test_a_reader_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = reading._decimal
    monkeypatch.setattr(reading, "_decimal", lambda digits: -right(digits))
    with pytest.raises(AssertionError):
        TARGETS["kernel"](b"[[1, 2]]")


def test_an_error_that_is_not_ours_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "read_kernel", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        TARGETS["kernel"](b"[[1, 2]]")
