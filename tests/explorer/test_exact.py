"""Which exact numbers a page holds."""

from __future__ import annotations

import base64
import itertools

import numpy as np

from cnnviz.explorer.exact import Candidates, base64_of, size_of
from cnnviz.explorer.facts import Convolution

IMAGE = np.zeros((1, 10, 10), np.float32)


def convolution(reads: str | None, weights: int = 9) -> Convolution:
    return Convolution(np.zeros((1, 1, 1, weights), np.float32), np.zeros(1, np.float32), reads)


def values(count: int) -> np.ndarray:
    return np.zeros(count, np.float32)


def test_numbers_are_little_endian_and_counted_as_they_stand_in_the_page() -> None:
    numbers = np.array([1.5, -2.0, 3.25, 0.1], np.float32)
    text = base64_of(numbers)
    assert np.frombuffer(base64.b64decode(text), "<f4").tolist() == numbers.tolist()
    assert len(text) == size_of(numbers)


def test_a_small_network_is_held_whole() -> None:
    candidates = Candidates(100_000)
    candidates.add(1, "a", values(50), convolution("input"))
    candidates.add(2, "b", values(50), None)
    candidates.add(3, "c", values(50), convolution("b"))
    names = {"input", "a", "a:weights", "a:bias", "b", "c", "c:weights", "c:bias"}
    assert set(candidates.chosen(IMAGE)) == names


def test_the_first_convolutions_come_first_and_the_budget_holds() -> None:
    candidates = Candidates(3000)
    candidates.add(1, "a", values(400), convolution("input"))
    candidates.add(2, "b", values(400), convolution("a"))
    candidates.add(3, "c", values(400), convolution("b"))
    chosen = candidates.chosen(IMAGE)
    assert {"input", "a:weights", "a", "b:weights"} <= set(chosen)
    assert "b" not in chosen
    assert sum(map(size_of, chosen.values())) <= 3000


def test_a_sum_is_held_whole_or_not_at_all() -> None:
    candidates = Candidates(3000)
    candidates.add(1, "a", values(100), convolution("input", weights=3000))
    chosen = candidates.chosen(IMAGE)
    assert "input" not in chosen
    assert "a:weights" not in chosen


def test_nothing_is_held_without_a_budget() -> None:
    candidates = Candidates(0)
    candidates.add(1, "a", values(10), convolution("input"))
    assert candidates.chosen(IMAGE) == {}


def test_numbers_without_a_sum_take_only_a_part_of_what_is_left() -> None:
    candidates = Candidates(8000)
    for number in range(1, 9):
        candidates.add(number, f"x{number}", values(150), convolution(None, weights=150))
    assert sum(map(size_of, candidates.chosen(IMAGE).values())) <= 2000


def test_what_is_chosen_does_not_depend_on_the_order_of_arrival() -> None:
    layers = [(n, f"x{n}", values(200 + 100 * n)) for n in range(1, 6)]
    seen = set()
    for order in itertools.permutations(layers):
        candidates = Candidates(2500)
        for number, key, numbers in order:
            candidates.add(
                number, key, numbers, convolution("input" if number == 1 else f"x{number - 1}")
            )
        seen.add(tuple(candidates.chosen(IMAGE)))
    assert len(seen) == 1


def test_values_are_let_go_of_when_they_cannot_find_room() -> None:
    candidates = Candidates(1000)
    for number in range(1, 50):
        candidates.add(number, f"x{number}", values(150), None)
    held = [one.values for one in candidates._held.values() if one.values is not None]
    assert sum(map(size_of, held)) <= 4000
