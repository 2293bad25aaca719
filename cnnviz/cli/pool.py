"""``cnnviz pool``: maxima, means and minima of windows, by OpenCV and torch, verified, written."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options, results
from cnnviz.cli.running import job_of, prepare, run_plan
from cnnviz.cli.values import Pair
from cnnviz.engines import POOLS, Pool
from cnnviz.errors import UsageError
from cnnviz.figures.filter import has_letters
from cnnviz.inputs import find_inputs
from cnnviz.matrices import is_table

if TYPE_CHECKING:
    from cnnviz.pooling import PoolOptions

RESULT = re.compile(r"(global)?(max|avg|min|l[0-9.]+(e[-+]?[0-9]+)?)pool(_[a-z0-9x]+)*")


class Modes(click.ParamType[Any]):
    """One pool, or several with commas between: ``max`` or ``max,avg``."""

    name = "|".join(POOLS)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names.

        Raises:
            click.BadParameter: one of them is no pool.
        """
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(part.strip() for part in str(value).split(",")))
        for name in names:
            if name not in POOLS:
                self.fail(f"{name!r} is no pool; there are {', '.join(POOLS)}", param, ctx)
        return names


class Power(click.ParamType[float]):
    """A number above 0 in plain digits."""

    name = "p"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number.

        Raises:
            click.BadParameter: not of that form.
        """
        plain = re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?|\.[0-9]{1,6}", str(value), re.ASCII)
        if not plain or not float(value) > 0:
            self.fail(f"{value!r} is not a number above 0, such as 2 or 0.5", param, ctx)
        return float(value)


@click.command(
    "pool",
    short_help="Pool images by windows, by two engines that must agree.",
    epilog="Example: cnnviz pool samples/coffee.png --mode max -k2 -s2",
)
@partial(options.images, required=False)
@click.option(
    "--input",
    "rows",
    multiple=True,
    metavar="ROWS",
    help='A matrix in place of images: "1 2; 3 4" or a CSV file; | between channels, or repeat.',
)
@click.option(
    "-m",
    "--mode",
    "modes",
    type=Modes(),
    default="max",
    show_default=True,
    help="What a window becomes: its largest, mean or smallest value, or (sum of x^p)^(1/p)."
    " Several with commas.",
)
@click.option(
    "-k", "--kernel-size", type=Pair(), help="Rows and columns of the window.  [default: 2]"
)
@click.option(
    "-s", "--stride", type=Pair(), help="From one window to the next.  [default: the kernel size]"
)
@click.option(
    "-p",
    "--padding",
    type=Pair(minimum=0),
    default="0",
    show_default=True,
    help="On every side, at most half of the kernel; max and min never choose it, avg reads 0.",
)
@click.option(
    "-d",
    "--dilation",
    type=Pair(),
    default="1",
    show_default=True,
    help="Of max and min: distance between neighbouring pixels of a window.",
)
@click.option("--ceil", is_flag=True, help="Keep a last window that hangs over the end.")
@click.option(
    "--count-include-pad/--no-count-include-pad",
    default=True,
    show_default=True,
    help="Whether avg counts the padding when it divides.",
)
@click.option("--p", type=Power(), default="2", show_default=True, help="Of lp.")
@click.option("--global", "everywhere", is_flag=True, help="One window over the whole image.")
@results.outputs("POOL")
@results.engine
@results.display("auto is clip, which leaves them as they are, and minmax for lp")
@results.precision(["auto", "float32", "float64"], "; auto is float32 unless that would round")
@options.language
@results.written("input, both results and their difference")
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    rows: tuple[str, ...],
    output: str | None,
    raw: str | None,
    figure: str | None,
    suffix: str,
    as_json: bool,
    engine: str,
    **how: Any,
) -> None:
    """Pool images through OpenCV and torch, and prove that the two agree.

    IMAGE is a file, a folder, a quoted pattern such as "photos/*.jpg", or - for standard input.
    Sizes, padding and --ceil follow torch's MaxPool2d and AvgPool2d. The written image is
    OpenCV's result, at the image's own depth. Of a matrix (--input, or CSV files) the result is
    printed.
    """
    results.refuse_contradictions(output, raw, figure, as_json=as_json, resume=how["resume"])
    pools = _pools(how)
    tables = [str(path) for path in images if is_table(str(path))]
    if bool(images) == bool(rows) or (tables and len(images) > len(tables)):
        raise UsageError("name IMAGEs, or CSV files, or give a matrix with --input; one of these")
    device = how.pop("device")
    settings = {"engines": prepare(engine, device), "precision": how.pop("precision")}
    if rows or tables:
        _refuse_files(output, raw, figure, resume=how["resume"])
        from cnnviz.cli.pooled import print_matrix  # cv2: only when there is work

        chosen = _options(settings, device)
        told = {"as_json": as_json, "quiet": how["quiet"], "show": how["show"]}
        print_matrix((*tables, *rows), pools, chosen, **told)
        return
    found = find_inputs(images, recursive=recursive, output=output, is_result=_is_result)

    from cnnviz.filtering import Places, plan_targets
    from cnnviz.pooling import Pooling

    plan = plan_targets(found, pools, Places(output, raw, figure, f".{suffix}"))
    job = job_of(Pooling(_options(settings, device)), how, plan)
    if figure:
        options.note_letters(installed=has_letters())
    run_plan(plan, job, output, as_json=as_json, **how)


def _pools(how: dict[str, Any]) -> list[Pool]:
    """A pool for each mode; takes what describes them out of ``how``."""
    modes, whole = how.pop("modes"), how.pop("everywhere")
    names = ("stride", "padding", "dilation", "count_include_pad")
    window = {name: how.pop(name) for name in names}
    window |= {"ceil_mode": how.pop("ceil"), "p": how.pop("p")}
    size = how.pop("kernel_size")
    if whole and size:
        raise UsageError(
            f"--global is a window over the whole image; leave --kernel-size"
            f" {size[0]}x{size[1]} out"
        )
    return [Pool(mode, None if whole else size or (2, 2), **window) for mode in modes]


def _options(settings: dict[str, Any], device: str) -> PoolOptions:
    from cnnviz.pooling import PoolOptions

    return PoolOptions(**settings, device=device)


def _refuse_files(output: str | None, raw: str | None, figure: str | None, *, resume: bool) -> None:
    """Refuse options of files, of which a matrix makes none."""
    given = {"--output": output, "--raw": raw, "--figure": figure, "--resume": resume}
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} is for images; the result of a matrix is printed")


def _is_result(path: Path) -> bool:
    """What tells a result of this command from an image: it is called STEM.POOL[.figure]."""
    name = path.stem.removesuffix(".figure")
    return any(RESULT.fullmatch(name[n + 1 :]) for n in range(len(name)) if name[n] == ".")
