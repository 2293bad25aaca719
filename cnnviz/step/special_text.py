"""Visits, reach and shifts as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz.language import say
from cnnviz.shapes.wording import many
from cnnviz.step.layout import beside, block, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnviz.matrices import Maps
    from cnnviz.step.counting import Counts
    from cnnviz.step.layout import Paint
    from cnnviz.step.shift import Shifted


def visits_lines(counts: Counts, paint: Paint) -> list[str]:
    """How often each pixel is read, a matrix for each setting, and what to see in it."""
    lines = [counts.title]
    for name, matrix in counts.named.items():
        flat = [n for row in matrix for n in row]
        most = say("{least} to {most} times", least=min(flat), most=max(flat))
        if 0 in flat:
            most += say("; {count} of {all} never (.)", count=flat.count(0), all=len(flat))
        texts = [["." if text == "0" else text for text in row] for row in texts_of(matrix)]
        lines += [
            "",
            paint(f"{name}: {most}", "title"),
            *(f"  {line}" for line in block("", texts, paint, "input").lines),
        ]
    return lines


def moved_lines(before: Maps, after: Maps, paint: Paint) -> list[str]:
    """The input before and after it has moved, channel by channel."""
    several = len(before) > 1
    blocks = [
        block(
            f"{say('channel {number}', number=number)}, {when}" if several else when,
            texts_of(matrix),
            paint,
            "input",
        )
        for number, pair in enumerate(zip(before, after, strict=True))
        for when, matrix in zip((say("before"), say("after")), pair, strict=True)
    ]
    return [paint(say("input"), "title"), *beside(blocks, paint)]


def shift_lines(results: Sequence[Shifted], shift: tuple[int, int], paint: Paint) -> list[str]:
    """Each map before and after the input has moved, and whether it is the same one, moved."""
    lines = []
    for result in results:
        several = len(result.before) > 1
        blocks = [
            block(
                f"{say('map {number}', number=number)}, {when}" if several else when,
                texts_of(matrix),
                paint,
                "moved",
                marks,
            )
            for number, pair in enumerate(zip(result.before, result.after, strict=True))
            for when, matrix, marks in (
                (say("before"), pair[0], ()),
                (say("after"), pair[1], different(result, number)),
            )
        ]
        lines += [
            paint(result.what, "title"),
            *beside(blocks, paint),
            f"  {verdict(result, shift)}",
        ]
    return lines


def different(result: Shifted, number: int) -> set[tuple[int, int]]:
    """Places in the map after the move whose value is not that of the moved map."""
    down, right = result.by or (0, 0)
    before, after = result.before[number], result.after[number]
    return {
        (r, c)
        for r in range(max(0, down), len(after) + min(0, down))
        for c in range(max(0, right), len(after[0]) + min(0, right))
        if before[r - down][c - right] != after[r][c]
    }


def verdict(result: Shifted, shift: tuple[int, int]) -> str:
    """What the comparison says, in a sentence."""
    same = {"same": result.same, "compared": result.compared}
    if result.by is None:
        steps = " x ".join(f"{n}/{s}" for n, s in zip(shift, result.stride, strict=True) if n % s)
        return say(
            "the move is {steps} of a step: no moved map; {same} of {compared} values stayed what"
            " they were",
            steps=steps,
            **same,
        )
    if result.by == (0, 0):
        told = "compared in place: {same} of {compared} values stayed what they were"
        return say(told, **same)
    if result.same == result.compared:
        return say(
            "the same map, moved {way}: {same} of {compared} values that stayed inside are equal",
            way=way(*result.by),
            **same,
        )
    return say(
        "moved {way}, {same} of {compared} values that stayed inside are equal; the others lie at"
        " the edge",
        way=way(*result.by),
        **same,
    )


def way(down: int, right: int) -> str:
    """A move in words.

    >>> way(0, 1), way(2, 3)
    ('1 column to the right', '2 rows down and 3 columns to the right')
    """
    rows = say("{rows} down", rows=many(down, "row")) if down else ""
    columns = say("{columns} to the right", columns=many(right, "column")) if right else ""
    return say(" and ").join(filter(None, (rows, columns)))
