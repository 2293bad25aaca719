"""A changed image is never the end of the process; where a format has sums, it is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.mutations import KINDS, originals, tried

WITH_SUMS = {"png", "png-16"}
Tried = dict[tuple[str, str], Counter[str]]


@pytest.fixture(scope="module")
def became(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    found = tried(20, tmp_path_factory.mktemp("changed"))
    return {(name, kind): counts for name, kind, counts in found}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_format_and_kind_is_tried(became: Tried) -> None:
    assert set(became) == {(name, kind) for name in originals() for kind in KINDS}
    assert {counts.total() for counts in became.values()} == {20}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_cut_is_never_half_read(became: Tried) -> None:
    for (name, kind), counts in became.items():
        assert kind != "cut" or counts["refused"] + counts["right"] == 20, name


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_changes_are_noticed_where_the_format_has_sums(became: Tried) -> None:
    for (name, _), counts in became.items():
        assert name not in WITH_SUMS or counts["refused"] + counts["right"] == 20, name
