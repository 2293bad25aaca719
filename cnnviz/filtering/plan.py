"""What is to be made of each image, and where it goes, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from cnnviz.errors import UsageError
from cnnviz.figures import filter as figures
from cnnviz.filtering.operation import W
from cnnviz.images import SUFFIXES
from cnnviz.kernels import file_name
from cnnviz.storage import STANDARD_STREAM, says_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnviz.kernels import Named

RAW_SUFFIXES = (".npy", ".npz", ".tiff", ".tif")


@dataclass(frozen=True)
class Target(Generic[W]):
    """One result to be made: by which kernel or pool, and where its picture, numbers and figure go.

    ``suffix`` is the picture's format, which the name of standard output does not say.
    """

    kernel: W
    output: Path
    suffix: str
    raw: Path | None = None
    figure: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All that is written for it, the picture first."""
        return [path for path in (self.output, self.raw, self.figure) if path is not None]


@dataclass(frozen=True)
class Places:
    """Where the user wants results, each a file or a folder; None of ``raw`` and ``figure``, none.

    ``suffix`` is that of pictures in a folder.
    """

    output: str | None = None
    raw: str | None = None
    figure: str | None = None
    suffix: str = SUFFIXES[0]


def plan_targets(
    images: dict[Path, Path], kernels: list[W], places: Places
) -> dict[Path, list[Target[W]]]:
    """The targets of each image, given the sub-folder that each was found in.

    Raises:
        UsageError: one file is named for several results, or a name's ending is no format.
        CnnvizError: figures are wanted, and there is no matplotlib.
    """
    if places.figure:
        figures.refuse_unmakeable(figures.SUFFIXES[0])  # without matplotlib, before any work
    several = len(images) * len(kernels) > 1
    own = (places.suffix, *SUFFIXES)

    def target(image: Path, kernel: W) -> Target[W]:
        name = images[image] / _name(image, kernel)
        raw, figure = places.raw, places.figure
        output = _place("--output", places.output or "./", several, own, name)
        return Target(
            kernel,
            output,
            places.suffix if output == STANDARD_STREAM else output.suffix.lower(),
            _place("--raw", raw, several, RAW_SUFFIXES, name) if raw else None,
            _place("--figure", figure, several, figures.SUFFIXES, _figured(name))
            if figure
            else None,
        )

    return {image: [target(image, kernel) for kernel in kernels] for image in images}


def folder_of(output: str | None, targets: Iterable[Target[W]]) -> Path:
    """The folder that results are in: the one given, or that of the only file."""
    if output is None or says_folder(output):
        return Path(output or ".")
    files = [target.output for target in targets]
    return Path(output) if len(files) > 1 else files[0].parent


def _name(image: Path, kernel: Named) -> str:
    """IMAGE-STEM.KERNEL."""
    stem = "stdin" if image == STANDARD_STREAM else image.stem
    return f"{stem}.{file_name(kernel)}"


def _figured(name: Path) -> Path:
    """A name for a figure that may lie beside the picture."""
    return name.with_name(f"{name.name}.figure")


def _place(option: str, given: str, several: bool, suffixes: tuple[str, ...], name: Path) -> Path:
    """Where a result goes; ``suffixes`` are the formats, the first being the default."""
    path = Path(given)
    if several and path == STANDARD_STREAM:
        raise UsageError(f"{option} - is one stream but there are several results; name a folder")
    if several and path.suffix.lower() in suffixes and not says_folder(given):
        raise UsageError(f"{option} {given} is one file but there are several results; end it in /")
    if several or says_folder(given):
        return path / f"{name}{suffixes[0]}"
    piped = path == STANDARD_STREAM and option == "--output"
    if not piped and path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {given}: the name must end in {', '.join(suffixes)}")
    return path
