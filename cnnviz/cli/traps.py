"""``cnnviz filter --explain-borders`` and ``--explain-depth``: routes to a result, compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.batch import Batch
from cnnviz.cli import options
from cnnviz.cli.options import shown
from cnnviz.errors import CnnvizError, UsageError
from cnnviz.language import ENGLISH, say, speaking
from cnnviz.shapes.table import table_text
from cnnviz.storage import refuse_existing, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnviz.filtering import FilterOptions
    from cnnviz.filtering.traps import Route
    from cnnviz.kernels import Kernel, Magnitude

TITLES = {"borders": "with each border", "depth": "in floating point and in the image's own depth"}
MOST_MARKS = 16, 32  # rows and columns that are marked one by one
AT_EDGES = 4  # differences in no more than that part of a side from an edge are said to lie there
OF_DEPTH = 3  # routes before the one of another border
SAME, OTHER = "·", "x"
DIFFERENT = "x is another value than {name}'s"


@dataclass(frozen=True)
class Explained:
    """The routes to one result; ``what`` is borders or depth, ``at`` the pixel that is shown."""

    input: Path
    kernel: str
    what: str
    routes: list[Route]
    at: tuple[int, int]


def explain(
    paths: Sequence[Path],
    kernels: Sequence[Kernel | Magnitude],
    filter_options: FilterOptions,
    asked: Sequence[str],
    *,
    at: tuple[int, int] | None,
    figure: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Print, for each image and kernel, a table of the routes that ``asked`` names.

    Raises:
        UsageError: a figure of several tables, a pixel outside the result.
    """
    target = Path(figure) if figure else None
    if target:
        from cnnviz.figures.traps import has_letters, refuse_unmakeable

        if len(paths) * len(kernels) * len(asked) > 1:
            raise UsageError("--figure draws one explanation, of one image and one kernel")
        refuse_unmakeable(target.suffix.lower())
        refuse_existing([target], paths, overwrite=overwrite)
        options.note_letters(installed=has_letters())
    batch = Batch(list(paths))

    def job(path: Path) -> Iterator[Explained]:
        return _explained(path, kernels, filter_options, asked, at)

    documents = []
    for number, each in enumerate(batch.run(job)):
        documents.append(_document(each))
        if target:
            _draw(target, each)
        if not as_json:
            click.echo(("\n" if number else "") + _table(each))
    if as_json:
        click.echo(json.dumps({"results": documents, "failures": options.failures(batch)}))
    options.end(batch)


def _explained(
    path: Path,
    kernels: Sequence[Kernel | Magnitude],
    filter_options: FilterOptions,
    asked: Sequence[str],
    at: tuple[int, int] | None,
) -> Iterator[Explained]:
    from cnnviz.filtering.traps import borders, depths  # cv2: only when there is work
    from cnnviz.images import read_image

    pixels = read_image(path).pixels
    for kernel in kernels:
        for what in asked:
            compare = borders if what == "borders" else depths
            try:
                routes = compare(pixels, kernel, filter_options)
            except CnnvizError as error:
                raise type(error)(f"{path} × {kernel.name}: {error}") from error
            height, width = routes[0].result.shape[:2]
            place = at or _worst(routes if what == "borders" else routes[:OF_DEPTH])
            if place[0] >= height or place[1] >= width:
                said = ",".join(map(str, place))
                raise UsageError(f"--at {said} lies outside the result, which is {height}x{width}")
            yield Explained(path, kernel.name, what, routes, place)


def _worst(routes: Sequence[Route]) -> tuple[int, int]:
    """Where the route that differs most differs most."""
    import numpy as np

    worst = max(routes, key=lambda route: route.largest)
    difference = np.abs(worst.result - routes[0].result).max(axis=2)
    row, column = np.unravel_index(np.nanargmax(difference), difference.shape)
    return int(row), int(column)


def _table(explained: Explained) -> str:
    """A line for each route: its values at one pixel, where and by how much it differs."""
    reference = explained.routes[0]
    height, width = reference.differs.shape
    row, column = explained.at
    head = say("at {row},{column}", row=row, column=column), say("pixels that differ")
    rows = [("", *head, say("largest difference"))]
    for route in explained.routes:
        values = ", ".join(f"{value:.6g}" for value in route.result[explained.at].tolist())
        if route is reference:
            rows.append((route.name, values, say("compared with:"), ""))
            continue
        count, all_of_them = f"{route.count:,}", f"{route.differs.size:,}"
        counted = say("{count} of {all}", count=count, all=all_of_them)
        if 0 < route.reach <= max(1, min(height, width) // AT_EDGES) < min(height, width) / 2:
            counted += say(", within {reach} px of the edge", reach=route.reach)
        rows.append((route.name, values, counted, f"{route.largest:.6g}" if route.count else ""))
    names = f"{shown(explained.input)} × {shown(explained.kernel)}"
    title = f"{names} {say(TITLES[explained.what])}"
    return "\n".join([title, table_text(rows, {1}), *_marks(explained.routes)])


def _marks(routes: Sequence[Route]) -> list[str]:
    """Small results beside each other, pixel by pixel: the same, or another."""
    height, width = routes[0].differs.shape
    if height > MOST_MARKS[0] or width > MOST_MARKS[1]:
        return []
    lines = [""]
    for route in routes[1:]:
        lines.append(f"  {route.name}")
        lines += ["    " + " ".join(OTHER if x else SAME for x in row) for row in route.differs]
    return [*lines, f"  {say(DIFFERENT, name=routes[0].name)}"]


def _document(explained: Explained) -> dict[str, Any]:
    row, column = explained.at
    return {
        "input": str(explained.input),
        "kernel": explained.kernel,
        "explains": explained.what,
        "size": list(explained.routes[0].differs.shape),
        "at": [row, column],
        "routes": [
            {
                "name": _in_english(route),
                "values": route.result[row, column].tolist(),
                "differing": route.count,
                "max_abs_diff": route.largest,
            }
            for route in explained.routes
        ],
    }


def _in_english(route: Route) -> str:
    with speaking(ENGLISH):
        return route.name


def _draw(target: Path, explained: Explained) -> None:
    from cnnviz.figures.traps import Way, draw_traps, lettered

    title = f"{explained.input.name} × {explained.kernel}"
    suffix = target.suffix.lower()
    around = explained.at if explained.what == "borders" else None
    with lettered():
        ways = [Way(r.name, r.result, r.differs) for r in explained.routes]
        subtitle = say(TITLES[explained.what])
        write_bytes(target, draw_traps(title, subtitle, ways, suffix, around=around))
