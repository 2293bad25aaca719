from __future__ import annotations

import numpy as np
import pytest

from cnnviz.render.bars import draw_bars, percent
from tests.render.decoded import decoded, margins

BEST, OTHER = (59, 82, 139), (150, 160, 190)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.00 %"),
        (1e-9, "< 0.01 %"),
        (0.0001, "0.01 %"),
        (0.9731, "97.31 %"),
        (0.99995, "> 99.99 %"),
        (1.0, "100.00 %"),
        (float("nan"), "no number"),
    ],
)
def test_share_is_never_rounded_to_all_or_nothing(share: float, said: str) -> None:
    assert percent(share) == said


def test_bars_are_as_long_as_their_shares_and_the_longest_stands_out() -> None:
    pixels = decoded(draw_bars("reads 7", [("3", 0.25), ("7", 0.75), ("x", float("nan"))]))
    rows, columns = (pixels == BEST).all(axis=2).nonzero()
    other_rows, other_columns = (pixels == OTHER).all(axis=2).nonzero()
    assert np.ptp(columns) + 1 == 3 * (np.ptp(other_columns) + 1)
    assert columns.min() == other_columns.min()
    assert other_rows.max() < rows.min()


@pytest.mark.parametrize(
    ("title", "label"),
    [
        pytest.param("LeNet-5 reads 7 " * 12, "7", id="title"),
        pytest.param("reads", "black-and-tan coonhound, " * 8, id="label"),
    ],
)
def test_words_are_never_clipped(title: str, label: str) -> None:
    assert margins(decoded(draw_bars(title, [(label, 0.99999), ("b", 0.00001)]))) >= 4


def test_bars_without_a_number_are_drawn_empty() -> None:
    pixels = decoded(draw_bars("reads nothing", [("0", float("nan")), ("1", float("nan"))]))
    assert not (pixels == BEST).all(axis=2).any()


def test_long_names_of_classes_do_not_push_the_bars_away() -> None:
    bars = [(f"class {n}, " + "a very long name of a class " * n, 0.05) for n in range(20)]
    pixels = decoded(draw_bars("top 20", bars))
    assert pixels.shape[1] < 850
    assert margins(pixels) >= 4
