"""What of a convolution, of counts or of a shift is drawn in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnviz.language import say
from cnnviz.matrices import number_texts
from cnnviz.shapes.notation import size_text
from cnnviz.step import marks as m
from cnnviz.step.pictures import DEEP
from cnnviz.step.preview import Panel, View
from cnnviz.step.special_text import different
from cnnviz.step.text import map_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cnnviz.matrices import Maps, Matrix
    from cnnviz.step.counting import Counts
    from cnnviz.step.in_network import Value
    from cnnviz.step.marks import Scene
    from cnnviz.step.preview import Pixels
    from cnnviz.step.setup import Worked
    from cnnviz.step.shift import Shifted
    from cnnviz.step.sliding import Window

WHITE = 255
NEVER = (179, 38, 30)
LEGEND = "of each the smallest value is black, the largest white"
OF_PICTURES = "of each map the smallest value is black, the largest white"


def steps_view(
    worked: Worked, window: Window | None, scene: Callable[[], Scene], *, blank: bool
) -> View:
    """The input, the maps, and those of the last layer that has rows and columns.

    What ``window`` reads and makes stands out; with ``blank`` only the input is there.
    """
    panels = _inputs(worked, window)
    if not blank:
        panels += _maps(worked, window)
    return View(scene, [panels], say(OF_PICTURES if worked.is_picture else LEGEND))


def counts_view(counts: Counts, scene: Callable[[], Scene]) -> View:
    """The counts under each setting."""
    panels = [
        Panel(f"{name}: {extent(matrix)}", _counted(matrix))
        for name, matrix in counts.named.items()
    ]
    never = any(0 in row for matrix in counts.named.values() for row in matrix)
    legend = say("the darker, the more often") + (say("; red: never") if never else "")
    return View(scene, [panels], legend)


def shift_view(
    maps: Maps, moved: Maps, results: Sequence[Shifted], scene: Callable[[], Scene]
) -> View:
    """The input and the maps, above as they were, below as they are; of several maps the first."""
    before = [Panel(_titled(say("input"), say("before")), grays(maps[0]))]
    after = [Panel(_titled(say("input"), say("after")), grays(moved[0]))]
    for each in results:
        before.append(Panel(_titled(each.what, say("before")), grays(each.before[0])))
        differing, pixels = different(each, 0), grays(each.after[0])
        after.append(Panel(_titled(each.what, say("after")), pixels, differing, m.WRONG))
    return View(scene, [before, after], f"{say(LEGEND)}; {say('red: differs')}")


def network_view(value: Value) -> View:
    """The map of a layer with the value in it, after the window and the kernel that add most."""
    most = int(np.abs(value.parts).argmax())
    parts = {
        say("map {number}", number=value.maps[most]): value.windows[most],
        say("kernel"): value.kernels[most],
        f"{value.layer}, {say('channel {number}', number=value.channel)}": value.map,
    }
    panels = [
        Panel(
            f"{name} {size_text(part.shape)}: {_span(part)}",
            grays(part),
            {value.at} if part is value.map else (),
            m.RESULT,
        )
        for name, part in parts.items()
    ]
    return View(None, [panels], say(LEGEND))


def matrices_view(named: Sequence[tuple[str, NDArray[Any]]]) -> View:
    """Matrices under their names."""
    panels = [
        Panel(f"{name} {size_text(matrix.shape)}: {_span(matrix)}", grays(matrix))
        for name, matrix in named
    ]
    return View(None, [panels], say(LEGEND))


def _span(values: NDArray[Any]) -> str:
    low, high = (f"{end:.4g}" for end in (values.min(), values.max()))
    return say("{low} to {high}", low=low, high=high)


def grays(matrix: Matrix | NDArray[Any], white: float | None = None) -> Pixels:
    """(H, W, 3): the smallest value black, the largest white; or 0 black and ``white`` white."""
    values = np.array([[float(value) for value in row] for row in matrix])
    low, high = (0.0, white) if white else (float(values.min()), float(values.max()))
    levels = np.clip((values - low) / ((high - low) or 1), 0, 1)
    return np.repeat(np.rint(levels * WHITE).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def extent(matrix: Matrix) -> str:
    """From the smallest number to the largest."""
    values = [value for row in matrix for value in row]
    low, high = number_texts([min(values), max(values)])
    if low == high:
        return say("all {value}", value=low)
    return say("{low} to {high}", low=low, high=high)


def _inputs(worked: Worked, window: Window | None) -> list[Panel]:
    """The input, its pixels in colour if it has some; or each of its channels."""
    maps, white = worked.sliding.input, worked.white or None
    read: dict[int, set[tuple[int, int]]] = {}
    for number, terms in (
        zip(window.filter.channels, window.channels, strict=True) if window else ()
    ):
        read[number] = {(t.row, t.column) for row in terms for t in row if not t.padded}
    pixels = [grays(matrix, white) for matrix in maps]
    if white and len(maps) == 3:
        colored = np.stack([each[..., 0] for each in pixels], axis=2)
        return [Panel(_sized(say("input"), maps[0]), colored, set().union(*read.values()))]
    names = [say("channel {number}", number=n) for n in range(len(maps))]
    names = names if len(maps) > 1 else [say("input")]
    titles = [_sized(name, matrix) for name, matrix in zip(names, maps, strict=True)]
    if not white:
        titles = [f"{t}: {extent(matrix)}" for t, matrix in zip(titles, maps, strict=True)]
    return [
        Panel(t, p, read.get(n, ())) for n, (t, p) in enumerate(zip(titles, pixels, strict=True))
    ]


def _maps(worked: Worked, window: Window | None) -> list[Panel]:
    sliding = worked.sliding
    several = len(sliding.filters) > 1
    here = {(window.row, window.column)} if window else set()
    panels = [
        Panel(
            _measured(map_name(n, each) if several else say("output"), matrix),
            grays(matrix),
            here,
            m.RESULT,
        )
        for n, (each, matrix) in enumerate(zip(sliding.filters, sliding.output, strict=True))
    ]
    spatial = [stage for stage in worked.stages if not stage.output.flat]
    for stage in spatial[-1:]:
        panels += [
            Panel(_measured(stage.text, matrix), grays(matrix)) for matrix in stage.output.maps
        ]
    return panels


def _counted(matrix: Matrix) -> Pixels:
    counts = np.array([[float(count) for count in row] for row in matrix])
    levels = 0.9 * counts[..., np.newaxis] / max(counts.max(), 1)
    colors = np.rint(WHITE + (np.array(DEEP) - WHITE) * levels)
    colors[counts == 0] = NEVER
    return np.asarray(colors, np.uint8)


def _sized(name: str, matrix: Matrix) -> str:
    return f"{name} {size_text((len(matrix), len(matrix[0])))}"


def _measured(name: str, matrix: Matrix) -> str:
    return f"{_sized(name, matrix)}: {extent(matrix)}"


def _titled(what: str, when: str) -> str:
    return f"{what}, {when}"
