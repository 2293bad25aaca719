"""``cnnviz filter``: kernels over images by OpenCV and torch, verified, written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnviz.cli import options, results, values
from cnnviz.cli.running import job_of, prepare, run_plan
from cnnviz.cli.values import Padding, Pair
from cnnviz.engines import BORDERS, Window
from cnnviz.errors import UsageError
from cnnviz.figures.filter import has_letters
from cnnviz.inputs import find_inputs
from cnnviz.kernels import Kernel, Magnitude, file_name, kernel_names, load_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnviz.filtering import Correlation


@click.command(
    "filter",
    short_help="Apply kernels to images, by two engines that must agree.",
    epilog="Example: cnnviz filter samples/coffee.png --kernel sobel_x --border replicate",
)
@options.images
@click.option(
    "-k",
    "--kernel",
    "kernels",
    required=True,
    multiple=True,
    metavar="NAME|FILE.json",
    help="Repeatable, or several names with commas. `cnnviz kernels` lists the names.",
)
@results.outputs("KERNEL")
@results.engine
@click.option(
    "--border",
    type=click.Choice(BORDERS),
    default="reflect101",
    show_default=True,
    help="How pixels outside the image are invented.",
)
@click.option(
    "--padding",
    type=Padding(minimum=0),
    default="same",
    show_default=True,
    help="How many there are on every side.",
)
@click.option(
    "--stride",
    type=Pair(),
    default="1",
    show_default=True,
    help="Keep every Nth row and column of the result.",
)
@options.dilation(Pair())
@click.option(
    "--channels",
    type=click.Choice(["each", "gray", "mean"]),
    default="each",
    show_default=True,
    help="Each colour alone; the luminance; or the mean of the colours' results.",
)
@results.display("auto is abs for kernels that sum to 0 without an offset, else clip")
@click.option("--flip", is_flag=True, help="Turn the kernel by 180 degrees: true convolution.")
@results.precision(["float32", "float64"])
@click.option(
    "--explain-borders",
    is_flag=True,
    help="Print what each border makes of it instead of writing results; --figure draws it.",
)
@click.option(
    "--explain-depth",
    is_flag=True,
    help="Print what is left of it in the image's own depth, cut off or wrapped around.",
)
@click.option(
    "--at", type=values.Place(), help="Pixel whose values are explained.  [default: the worst]"
)
@options.language
@results.written("input, kernel, both results and their difference")
@options.everywhere
def command(
    images: tuple[Path, ...],
    recursive: bool,
    kernels: tuple[str, ...],
    output: str | None,
    raw: str | None,
    figure: str | None,
    suffix: str,
    as_json: bool,
    engine: str,
    explain_borders: bool,
    explain_depth: bool,
    at: tuple[int, int] | None,
    **how: Any,
) -> None:
    """Apply kernels to images through OpenCV and torch, and prove that the two agree.

    IMAGE is a file, a folder, a quoted pattern such as "photos/*.jpg", or - for standard input.
    Kernels are not flipped (cross-correlation), as in cv2.filter2D and torch.nn.Conv2d. The
    written image is OpenCV's result; the agreement is checked on the exact signed values.
    """
    results.refuse_contradictions(output, raw, figure, as_json=as_json, resume=how["resume"])
    chosen = _kernels(kernels)
    asked = [name for name, on in (("borders", explain_borders), ("depth", explain_depth)) if on]
    _refuse_beside(asked, at, output, raw, resume=how["resume"], show=how["show"])
    how["engines"] = prepare(engine, how["device"])
    found = find_inputs(images, recursive=recursive, output=output, is_result=_is_result(chosen))

    if asked:
        from cnnviz.cli.traps import explain

        drawn = {"figure": figure, "overwrite": how["overwrite"]}
        applied = _correlation(how).options
        explain(list(found), chosen, applied, asked, at=at, **drawn, as_json=as_json)
        return
    from cnnviz.filtering import Places, plan_targets  # cv2: only when there is work

    plan = plan_targets(found, chosen, Places(output, raw, figure, f".{suffix}"))
    job = job_of(_correlation(how), how, plan)
    if figure:
        options.note_letters(installed=has_letters())
    run_plan(plan, job, output, as_json=as_json, **how)


def _correlation(how: dict[str, Any]) -> Correlation:
    """The options that say how kernels are applied; refuses what cannot be."""
    from cnnviz.filtering import Correlation, FilterOptions

    window = Window(*(how.pop(name) for name in ("border", "padding", "stride", "dilation")))
    names = ("engines", "channels", "flip", "precision", "device")
    return Correlation(FilterOptions(window, **{name: how.pop(name) for name in names}))


def _refuse_beside(
    asked: list[str], at: Any, output: str | None, raw: str | None, *, resume: bool, show: bool
) -> None:
    """Refuse options of results where none are written, and those of explanations elsewhere."""
    given = {"--output": output, "--raw": raw, "--resume": resume, "--show": show}
    for name, value in given.items():
        if asked and value:
            raise UsageError(f"{name} is for results, and --explain-{asked[0]} writes none")
    if at and not asked:
        raise UsageError("--at is the pixel that --explain-borders or --explain-depth explains")


def _kernels(given: tuple[str, ...]) -> list[Kernel | Magnitude]:
    """The kernels that ``--kernel`` names, each once."""
    names = (name.strip() for several in given for name in several.split(","))
    return [load_kernel(name) for name in dict.fromkeys(names)]


def _is_result(kernels: list[Kernel | Magnitude]) -> Callable[[Path], bool]:
    """What tells a result of this command from an image: it is called STEM.KERNEL[.figure]."""
    names = {*kernel_names(), *(file_name(kernel) for kernel in kernels)}
    return lambda path: Path(path.stem.removesuffix(".figure")).suffix[1:] in names
