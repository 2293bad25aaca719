"""Where the tiles of a sheet stand, how large they are, and what is written beside them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cnnviz.errors import UsageError
from cnnviz.render.canvas import ALARM, FAINT, MARGIN, SMALL_SIZE
from cnnviz.render.lettering import text_width
from cnnviz.render.sheet import open_sheet
from cnnviz.render.tiles import zoom_to, zooms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cnnviz.render.look import Look
    from cnnviz.render.sheet import Caption, Item
    from cnnviz.render.tiles import Zoom

TILE_SIDE = 128  # a map is enlarged by the whole factor that comes nearest
LARGE_TILE_SIDE = 256  # where there are few
FEW = 3
SOME = 32  # so many may stand as far apart as their words are long
ENOUGH = 2600  # pixels a side that a sheet of enlarged maps may have,
LEGIBLE = 48  # unless its tiles were smaller than this;
MOST = 4000  # then, and for maps that are not enlarged, it may be so large
LARGEST = 100_000_000  # pixels of a sheet that is asked for
MANY = 300  # maps
LINE = 16  # a line of small text
GAP = 10
DETAILS = ("words", "signs", "below", "number")  # from the most that is written to the least
SEAM = 2  # between what stands side by side in one tile


class Tiles(Protocol):
    """One picture per channel, of one size that depends on the zoom."""

    def size(self, zoom: Zoom) -> tuple[int, int]:
        """Height and width in pixels."""

    def pixels(self, index: int, zoom: Zoom) -> NDArray[np.uint8]:
        """RGB (h, w, 3)."""


@dataclass(frozen=True)
class Words:
    """What stands beside each tile: its number, its mark, and what else can be said."""

    numbers: list[str]
    marks: list[str]
    ranges: list[str]

    def above(self, detail: str) -> list[tuple[str, str]]:
        """The line above each tile, left and right, with as much as ``detail`` has."""
        signs = [signs_of(mark) for mark in self.marks]
        if detail == "words":
            right = ["  ".join(filter(None, pair)) for pair in self._marked(self.marks)]
        elif detail == "signs":
            right = ["  ".join(filter(None, pair)) for pair in self._marked(signs)]
        else:
            right = signs
        return list(zip(self.numbers, right, strict=True))

    def longest(self, detail: str) -> int:
        """Pixels that the words of ``detail`` take beside the widest tile's."""
        lines = {f"{left}  {right}" if right else left for left, right in self.above(detail)}
        if detail == "below":
            lines |= set(self.ranges)
        return max(text_width(line, SMALL_SIZE) for line in lines)

    def _marked(self, marks: list[str]) -> Iterator[tuple[str, str]]:
        return zip(marks, self.ranges, strict=True)


@dataclass(frozen=True)
class Plan:
    """Where tiles stand: by how much they are enlarged, what is written, and the distances."""

    zoom: Zoom
    detail: str
    height: int
    width: int
    step_down: int
    step_right: int
    columns: int
    rows: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of all tiles."""
        return self.rows * self.step_down, self.columns * self.step_right - GAP


def plan_grid(sources: Sequence[Tiles], shape: tuple[int, ...], words: Words, look: Look) -> Plan:
    """The largest tiles that make a sheet of a sensible size, with as many words as they bear.

    Raises:
        UsageError: there is no such sheet.
    """
    count, (height, width) = len(words.numbers), shape
    longest = {detail: words.longest(detail) for detail in DETAILS}
    if look.tile:
        plans = _plans(sources, count, longest, zoom_to(height, width, look.tile))
        plan = next((one for one in plans if one.step_right - GAP <= one.width), plans[-1])
        if math.prod(plan.size) > LARGEST:
            raise UsageError(
                f"tiles {plan.width} pixels wide make a sheet of"
                f" {plan.size[1]:,} x {plan.size[0]:,} pixels, more than"
                f" {LARGEST // 10**6} million; choose smaller tiles or fewer channels"
            )
        return plan
    smaller = list(zooms(height, width, LARGE_TILE_SIDE if count <= FEW else TILE_SIDE))
    for zoom, after in zip(smaller, [*smaller[1:], smaller[-1]], strict=True):
        limit = ENOUGH if max(after.size(height, width)) >= LEGIBLE and zoom.down > 1 else MOST
        for plan in _plans(sources, count, longest, zoom):
            if max(plan.size) <= limit:
                return plan
    raise UsageError(f"{count:,} maps do not fit on a sheet of {MOST} pixels a side; choose fewer")


def _plans(
    sources: Sequence[Tiles], count: int, longest_words: dict[str, int], zoom: Zoom
) -> list[Plan]:
    """With all words, with signs for the marks, with the ranges below, with numbers alone."""
    sizes = [source.size(zoom) for source in sources]
    height = max(size[0] for size in sizes)
    width = sum(size[1] for size in sizes) + SEAM * (len(sizes) - 1)
    plans = []
    for detail in DETAILS:
        longest = longest_words[detail]
        if count > SOME and detail != "number" and longest > width:
            continue
        lines = 2 if detail == "below" else 1
        right, down = max(width, longest) + GAP, height + lines * (LINE + 2) + GAP - 2
        columns = columns_of(count, down / right)
        rows = math.ceil(count / columns)
        plans.append(Plan(zoom, detail, height, width, down, right, columns, rows))
    return plans


def draw_grid(
    caption: Caption,
    sources: Sequence[Tiles],
    words: Words,
    plan: Plan,
    legend: Sequence[Item],
) -> bytes:
    """A PNG of tiles in their places, under a title and over a legend."""
    canvas, top = open_sheet(caption, *plan.size, legend)
    for n, (left, right) in enumerate(words.above(plan.detail)):
        row, column = divmod(n, plan.columns)
        x, y = MARGIN + column * plan.step_right, top + row * plan.step_down
        canvas.text(left, x, y, SMALL_SIZE)
        wide = plan.step_right - GAP > plan.width
        # Flush right, words longer than the tile would stand beside the next tile's number.
        at = x + text_width(f"{left}  ", SMALL_SIZE) if wide else x + plan.width
        color = ALARM if words.marks[n] else FAINT
        canvas.text(right, at, y, SMALL_SIZE, color, "la" if wide else "ra")
        y += LINE + 2
        if words.marks[n]:
            canvas.frame(x, y, plan.width, plan.height, ALARM)
        for source in sources:
            pixels = source.pixels(n, plan.zoom)
            canvas.paste(pixels, x, y)
            x += pixels.shape[1] + SEAM
        if plan.detail == "below":
            x -= SEAM + plan.width
            canvas.text(words.ranges[n], x, y + plan.height + 2, SMALL_SIZE, color)
    return canvas.png()


def signs_of(mark: str) -> str:
    """The first letters of what is wrong, as capitals: "dead, constant" is DC."""
    return "".join(word.strip()[:1].upper() for word in mark.split(","))


def counted(marks: Sequence[str], *, signs: bool) -> str:
    """How many channels are marked with what; nothing if none is."""
    found = Counter(word.strip() for mark in marks if mark for word in mark.split(","))
    return ", ".join(
        f"{count:,} {word}{f' ({signs_of(word)})' if signs else ''}"
        for word, count in found.items()
    )


def columns_of(count: int, step_ratio: float, shape: float = 4 / 3) -> int:
    """Columns that make the sheet about 4:3, and leave the last row as full as can be."""
    ideal = math.sqrt(count * shape * step_ratio)
    # Of many rows nobody sees that the last one is not full.
    return divisor_near(count, ideal, 1.6 if count < MANY else 1.05)


def divisor_near(count: int, ideal: float, far: float = 1.6) -> int:
    """The divisor of ``count`` nearest to ``ideal``; ``ideal`` rounded where none is near.

    A divisor is near up to ``far`` times as large or as small.
    """
    near = [n for n in range(1, count + 1) if count % n == 0 and 1 / far <= n / ideal <= far]
    return min(near, key=lambda n: abs(n - ideal), default=min(count, max(1, round(ideal))))
