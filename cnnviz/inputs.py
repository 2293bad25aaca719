"""What a command is to read: files as they are named, folders and patterns looked through."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cnnviz.errors import CnnvizError
from cnnviz.storage import STANDARD_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Endings of the formats that ``images`` reads; in a folder other files are left alone.
SUFFIXES = {
    *(".avif", ".bmp", ".dib", ".gif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf"),
    *(".jpg", ".jpx", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif"),
    *(".tiff", ".webp"),
}


def find_inputs(
    given: Iterable[Path],
    *,
    recursive: bool,
    output: str | None,
    is_result: Callable[[Path], bool],
) -> dict[Path, Path]:
    """Each file to be read, and the sub-folder of the folder it was found in.

    A file that is named is taken whatever it is called, and so is one that does not exist, so
    that its absence is a failure of its own; as is a folder that may not be listed. Of a folder,
    and of a pattern such as ``photos/*.jpg`` that the shell left alone, the images are taken, in
    alphabetical order, without what ``is_result`` recognises as made by this tool; with
    ``recursive`` those of all sub-folders too, except of the one that is the ``output``.

    Raises:
        CnnvizError: a folder or pattern without images.
    """
    found: dict[Path, Path] = {}
    for path in given:
        if path == STANDARD_STREAM or not (_is_folder(path) or _is_pattern(path)):
            found.setdefault(path, Path())
            continue
        target = None if output is None else os.path.realpath(output)
        walk = _in_folder(path, target, recursive=recursive)
        files = list(walk if _is_folder(path) else _matching(path))
        images = {file: sub for file, sub in files if not is_result(file)}
        if not images:
            hint = "" if recursive or _is_pattern(path) else "; --recursive looks further down"
            raise CnnvizError(f"{path}: no image is there{hint}")
        for file, sub in images.items():
            found.setdefault(file, sub)
    return found


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (never raises)


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def _in_folder(folder: Path, target: str | None, *, recursive: bool) -> Iterator[tuple[Path, Path]]:
    unlisted: list[OSError] = []
    for here, folders, names in os.walk(folder, onerror=unlisted.append):
        below = [name for name in folders if os.path.realpath(Path(here, name)) != target]
        folders[:] = sorted(below) if recursive else []
        sub = Path(here).relative_to(folder)
        yield from ((Path(here, name), sub) for name in sorted(names) if _is_image(name))
    yield from ((Path(error.filename), Path()) for error in unlisted)


def _matching(pattern: Path) -> Iterator[tuple[Path, Path]]:
    files = sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207 (may be absolute)
    yield from ((Path(file), Path()) for file in files if _is_image(file) and Path(file).is_file())


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES
