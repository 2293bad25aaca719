from __future__ import annotations

import math
from typing import Any

import pytest

from cnnviz.errors import UsageError
from cnnviz.models.preparing.recipes import (
    Preprocessing,
    adjusted,
    plain,
    resized,
    seen_size,
)
from tests.test_light_imports import loaded_by

IMAGENET = Preprocessing((224, 224), 256, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def test_recipes_load_nothing_heavy() -> None:
    code = "from cnnviz.models.preparing.recipes import Preprocessing; Preprocessing((28, 28))"
    assert loaded_by("-c", code) == set()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": (0.5,)}, r"mean has 1 values and the input 3 channels; give --mean 3 numbers"),
        ({"std": (0.5,) * 4}, r"std has 4 values and the input 3 channels"),
        ({"channels": 1, "mean": (0.5,) * 3}, r"mean has 3 values and the input 1 channels"),
        ({"std": (0.5, 0.0, 0.5)}, r"std is 0.5 0 0.5; values are divided by it"),
        ({"mean": (math.nan,) * 3}, r"mean is nan nan nan; it must be finite"),
        ({"fit": "fill"}, r"fit is 'fill'; there is crop, pad, stretch"),
        ({"interpolation": "cubic"}, r"interpolation is 'cubic'; there is nearest, bilinear"),
    ],
    ids=str,
)
def test_recipe_that_cannot_be_followed_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Preprocessing((8, 8), **values)


def test_nothing_asked_leaves_the_recipe() -> None:
    assert adjusted(IMAGENET) == IMAGENET


@pytest.mark.parametrize(
    ("how", "size", "resize"),
    [
        (IMAGENET, (448, 448), 512),
        (IMAGENET, (448, 224), (512, 256)),
        (Preprocessing((100, 200), (110, 220), "stretch"), (50, 50), (55, 55)),
        (Preprocessing(None, 520), (300, 400), None),
        (plain((32, 32)), (64, 64), None),
        (Preprocessing((33, 9), (8, 1), fit="pad"), (2, 3), (1, 1)),
    ],
    ids=["as much cut away", "not square", "stretched", "any size", "plain", "at least a pixel"],
)
def test_new_size_keeps_what_is_cut_away(
    how: Preprocessing, size: tuple[int, int], resize: int | tuple[int, int] | None
) -> None:
    new = adjusted(how, size=size)
    assert (new.size, new.resize, new.mean) == (size, resize, how.mean)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_new_fit_shows_the_whole_image(fit: Any) -> None:
    new = adjusted(IMAGENET, fit=fit)
    assert (new.fit, new.resize) == (fit, None)
    assert resized(new, (400, 600)) == {"pad": (149, 224), "stretch": (224, 224)}[fit]


def test_the_fit_that_it_has_changes_nothing() -> None:
    assert adjusted(IMAGENET, fit="crop") == IMAGENET


def test_statistics_are_replaced() -> None:
    new = adjusted(IMAGENET, mean=(0.5,) * 3, std=(0.25,) * 3)
    assert (new.mean, new.std) == ((0.5,) * 3, (0.25,) * 3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"mean": (0.5,)}, r"mean has 1 values and the input 3 channels"),
        ({"size": (0, 5)}, r"0x5: it has no pixels"),
        ({"size": (70_000, 5)}, r"70000x5; the limit is 65,535 a side and 256,000,000 pixels"),
        ({"size": (60_000, 60_000)}, r"60000x60000; the limit is"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        adjusted(IMAGENET, **asked)


def test_fit_without_a_size_to_fit_is_refused() -> None:
    with pytest.raises(UsageError, match=r"images of any size; give --size for --fit pad"):
        adjusted(Preprocessing(None, 520), fit="pad")
    assert adjusted(Preprocessing(None, 520), fit="pad", size=(64, 64)).size == (64, 64)


@pytest.mark.parametrize(
    ("how", "size", "after"),
    [
        (IMAGENET, (600, 400), (384, 256)),
        (IMAGENET, (400, 601), (256, 384)),  # 384.64 is cut off, not rounded
        (plain((32, 64)), (100, 100), (64, 64)),
        (plain((32, 64)), (50, 400), (32, 256)),
        (Preprocessing(None), (50, 400), (50, 400)),
        (Preprocessing(None, 800, longest=1333), (400, 1000), (533, 1333)),
        (Preprocessing((8, 8), fit="pad"), (2, 1000), (1, 8)),
    ],
    ids=["tall", "cut off", "covers", "covers wide", "as it is", "longest", "thin"],
)
def test_size_after_resizing(
    how: Preprocessing, size: tuple[int, int], after: tuple[int, int]
) -> None:
    assert resized(how, size) == after


def test_input_of_any_size_is_made_of_whole_multiples() -> None:
    assert seen_size(Preprocessing(None, 800, longest=1333, multiple=32), (400, 1000)) == (
        544,
        1344,
    )
