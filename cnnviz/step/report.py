"""What ``cnnviz step`` says and writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.errors import UsageError
from cnnviz.language import ENGLISH, say, speaking
from cnnviz.step.counting import reach_counts, visit_counts
from cnnviz.step.document import matrix, shift_document, step_document
from cnnviz.step.files import ANIMATIONS, animation, scene_of, steps_figure, still, write
from cnnviz.step.layout import plain
from cnnviz.step.moving import shifted
from cnnviz.step.setup import work_out
from cnnviz.step.shift import moved
from cnnviz.step.special_text import moved_lines, shift_lines, visits_lines, way
from cnnviz.step.stage_text import stage_lines
from cnnviz.step.text import Look, given_lines, output_lines, size_lines, window_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cnnviz.matrices import Maps
    from cnnviz.step.counting import Counts
    from cnnviz.step.files import Target, Written
    from cnnviz.step.layout import Paint
    from cnnviz.step.marks import Scene
    from cnnviz.step.preview import View
    from cnnviz.step.setup import Asked, Worked
    from cnnviz.step.shift import Shifted
    from cnnviz.step.sliding import Window

EQUAL_ABOUT = re.compile(r"= ((?:\x1b\[[0-9;]*m)*)≈")  # one of the two says it; colours between
INSTEAD = ("visits", "reach", "shift")


@dataclass(frozen=True)
class Wanted:
    """The options of the command that say what is shown; see its help."""

    position: tuple[int, int] | None = None
    windows: int | None = 9
    blank: bool = False
    key: bool = False
    visits: bool = False
    reach: int | None = None
    shift: tuple[int, int] | None = None
    figure: str | None = None
    gif: str | None = None
    webp: str | None = None
    apng: str | None = None
    overwrite: bool = False
    quiet: bool = False
    paint: Paint = plain

    @property
    def draws(self) -> bool:
        """Whether a file is to be drawn."""
        return any((self.figure, self.gif, self.webp, self.apng))

    @property
    def look(self) -> Look:
        """How windows and maps are written."""
        return Look(self.paint, self.blank)


@dataclass(frozen=True)
class Done:
    """Lines for people, the same as JSON, and what makes a picture of it for a terminal."""

    lines: list[str]
    document: dict[str, Any]
    view: Callable[[], View]


def run(asked: Asked, wanted: Wanted) -> Done:
    """What was asked for, worked out; pictures are written.

    Raises:
        UsageError: what cannot be, an output that exists.
        ImageError: an input that cannot be read.
        OutputError: a picture that cannot be written.
    """
    _refuse_together(wanted)
    if wanted.visits or wanted.reach:
        return _counts(asked, wanted)
    if wanted.shift:
        return _moved(asked, wanted.shift, wanted)
    worked = work_out(asked)
    windows = chosen_windows(worked, wanted)
    files = write(_targets(worked, windows, wanted), asked.files, overwrite=wanted.overwrite)
    document = step_document(worked.sliding, windows, worked.stages)
    lines = [*_steps(worked, windows, wanted), *_told(files)]
    return Done(
        lines,
        {**document, "files": _documents(files)},
        lambda: _steps_view(worked, windows, wanted),
    )


def _steps_view(worked: Worked, windows: list[Window], wanted: Wanted) -> View:
    from cnnviz.step.views import steps_view  # numpy and Pillow: only where it is drawn

    window = windows[0] if wanted.position else None
    blank = wanted.blank and not wanted.key
    return steps_view(worked, window, lambda: scene_of(worked, window, blank=blank), blank=blank)


def _targets(worked: Worked, windows: list[Window], wanted: Wanted) -> list[Target]:
    """The files that are asked for."""
    targets = []
    if wanted.figure:
        window = windows[0] if wanted.position else None
        targets += steps_figure(wanted.figure, worked, window, blank=wanted.blank, key=wanted.key)
    for kind in ANIMATIONS:
        if name := getattr(wanted, kind):
            targets.append(animation(kind, name, worked))
    return targets


def _told(files: Sequence[Written]) -> list[str]:
    """A line for each file."""
    return [*([""] if files else []), *(f"{file.path}  {file.what}" for file in files)]


def _documents(files: Sequence[Written]) -> list[dict[str, str]]:
    return [file.document for file in files]


def chosen_windows(worked: Worked, wanted: Wanted) -> list[Window]:
    """The windows to show: those of one position, or the first ones."""
    sliding = worked.sliding
    if wanted.position:
        return [sliding.window(n, *wanted.position) for n in range(len(sliding.filters))]
    return list(islice(sliding.windows(), wanted.windows))


def _refuse_together(wanted: Wanted) -> None:
    given = [name for name in INSTEAD if getattr(wanted, name)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} are shown one at a time; choose one")
    for name in ANIMATIONS:
        if wanted.blank and not wanted.key and getattr(wanted, name):
            raise UsageError(
                f"--blank leaves the answers out and --{name} shows them; choose one, or add --key"
            )
        if wanted.position and getattr(wanted, name):
            raise UsageError(f"--{name} shows every position; --figure is of the one of --position")
    for name in ("position", "blank", "key", *ANIMATIONS):
        if given and getattr(wanted, name):
            raise UsageError(f"--{name} shows windows, and --{given[0]} shows none; choose one")


def _counts(asked: Asked, wanted: Wanted) -> Done:
    def counted() -> Counts:
        return reach_counts(asked, wanted.reach) if wanted.reach else visit_counts(asked)

    with speaking(ENGLISH):
        counts = counted()
    named = [{"what": name, "counts": matrix(each)} for name, each in counts.named.items()]
    files = _drawn(lambda: _visits_scene(counted()), asked, wanted)
    what = "reach" if wanted.reach else "visits"
    lines = [*visits_lines(counted(), wanted.paint), *_told(files)]

    def view() -> View:
        from cnnviz.step.views import counts_view  # numpy and Pillow: only where it is drawn

        return counts_view(counted(), lambda: _visits_scene(counted()))

    return Done(lines, {"title": counts.title, what: named, "files": _documents(files)}, view)


def _moved(asked: Asked, shift: tuple[int, int], wanted: Wanted) -> Done:
    with speaking(ENGLISH):
        maps, results = shifted(asked, shift)

    def scene() -> Scene:
        return _shift_scene(maps, shifted(asked, shift)[1], shift)

    files = _drawn(scene, asked, wanted)
    head = say("the input moves {way}; zeros come in", way=way(*shift))
    spoken = shifted(asked, shift)[1]
    lines = [
        head,
        "",
        *moved_lines(maps, moved(maps, *shift), wanted.paint),
        *shift_lines(spoken, shift, wanted.paint),
        *_told(files),
    ]

    def view() -> View:
        from cnnviz.step.views import shift_view  # numpy and Pillow: only where it is drawn

        return shift_view(maps, moved(maps, *shift), spoken, scene)

    document = {"moved": list(shift), "shift": shift_document(results), "files": _documents(files)}
    return Done(lines, document, view)


def _drawn(scene: Callable[[], Scene], asked: Asked, wanted: Wanted) -> list[Written]:
    targets = [still(Path(wanted.figure), scene)] if wanted.figure else []
    return write(targets, asked.files, overwrite=wanted.overwrite)


def _visits_scene(counts: Counts) -> Scene:
    from cnnviz.step.pictures import visits_scene  # Pillow: only where it is drawn

    return visits_scene(counts)


def _shift_scene(maps: Maps, results: list[Shifted], shift: tuple[int, int]) -> Scene:
    from cnnviz.step.pictures import shift_scene  # Pillow: only where it is drawn

    return shift_scene(maps, moved(maps, *shift), results, shift)


def _steps(worked: Worked, windows: list[Window], wanted: Wanted) -> list[str]:
    """The windows and the output; worksheet, answers or both."""
    if wanted.quiet:
        return _answers(worked, Look(wanted.paint, wanted.blank and not wanted.key))
    answers = _answers(worked, Look(wanted.paint))
    if wanted.key and not wanted.blank:
        return answers
    lines = _sheet(worked, windows, wanted)
    return [*lines, "", wanted.paint(say("answers"), "title"), *answers] if wanted.key else lines


def _answers(worked: Worked, look: Look) -> list[str]:
    """The output of every stage, without the working."""
    return _spaced(
        output_lines(worked.sliding, look),
        *(stage_lines(replace(stage, pooled=(), dense=None), look, 0) for stage in worked.stages),
    )


def _sheet(worked: Worked, windows: list[Window], wanted: Wanted) -> list[str]:
    sliding, look = worked.sliding, wanted.look
    several = len(sliding.filters) > 1
    only = windows[0] if wanted.position else None
    lines = _spaced(
        given_lines(sliding, worked.title, look, only),
        [] if worked.asked.at else size_lines(sliding),
        *(window_lines(each, look, several=several, at=worked.asked.at) for each in windows),
        _left_out(worked, windows, wanted),
        output_lines(sliding, look, only) if prod(sliding.size) * len(sliding.filters) > 1 else [],
        *(stage_lines(stage, look, wanted.windows) for stage in worked.stages),
    )
    lines = [EQUAL_ABOUT.sub(r"\1≈", line) for line in lines]
    cut = any(line.endswith("…") for line in lines)
    return [*lines, "", say("… stands for what is left out; --json has it all")] if cut else lines


def _left_out(worked: Worked, windows: list[Window], wanted: Wanted) -> list[str]:
    """That there are more windows, and how to see them."""
    sliding = worked.sliding
    total = prod(sliding.size) * len(sliding.filters)
    if wanted.position or len(windows) == total:
        return []
    told = "{shown} of {total} windows; --windows all shows all, --position ROW,COL one"
    return [say(told, shown=len(windows), total=total)]


def _spaced(*parts: Iterable[str]) -> list[str]:
    """Parts with an empty line between them."""
    lines: list[str] = []
    for part in map(list, parts):
        if part:
            lines += [*([""] if lines else []), *part]
    return lines
