"""What may not be written: inputs, files that exist, two results of one name."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from cnnviz.errors import UsageError
from cnnviz.storage.files import STANDARD_STREAM, named_error
from cnnviz.storage.twins import Finals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def refuse_existing(
    outputs: Iterable[Path],
    inputs: Iterable[Path],
    *,
    overwrite: bool,
    ours: Callable[[Path], bool] | None = None,
) -> None:
    """Refuse to replace an input ever, an existing file unless ``overwrite``, and twins.

    ``ours`` says which existing files are results that may be made anew all the same.

    Raises:
        UsageError: names the first output that may not be written.
    """
    sources = {_identity(path) for path in inputs if _exists(path)}
    finals = Finals()
    file_above = cache(_file_above)  # many outputs have one folder
    for output in outputs:
        if output == STANDARD_STREAM:
            continue
        if (other := finals.add(output)) is not None:
            raise UsageError(
                f"two results would both be written to {output}{other};"
                " give them names or folders of their own"
            )
        with named_error(output):
            if blocked := file_above(output.parent):
                raise UsageError(f"{blocked} is a file, so nothing can be written to {output}")
            if output.is_dir():
                raise UsageError(f"{output} is a folder; name a file, or end a folder's name in /")
            if not output.exists():
                continue
            if not output.is_file():
                raise UsageError(f"{output} is a pipe or a device, and would be gone; name a file")
            if _identity(output) in sources:
                raise UsageError(f"{output} is an input; name another output")
            if not (overwrite or (ours and ours(output))):
                raise UsageError(f"{output} exists already; --overwrite replaces it")


def refuse_filled(folders: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse folders that hold anything already, unless ``overwrite``, and twins.

    Raises:
        UsageError: names the first folder that may not be written to.
    """
    finals = Finals()
    for folder in folders:
        if (other := finals.add(folder)) is not None:
            raise UsageError(
                f"two results would both be written to {folder}/{other};"
                " rename one image, or run it apart"
            )
        with named_error(folder):
            if folder.exists() and not folder.is_dir():
                raise UsageError(f"{folder} is a file, but the results are a folder of files")
            if not overwrite and folder.is_dir() and any(folder.iterdir()):
                raise UsageError(
                    f"{folder}/ exists already and is not empty; --overwrite writes into it"
                )


def says_folder(output: str) -> bool:
    """Whether an output is meant as a folder: by its ending, or because it is one."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output)  # noqa: PTH112 (never raises)


def _file_above(folder: Path) -> Path | None:
    """The file that stands in the place of a folder or of one above it."""
    return next((path for path in (folder, *folder.parents) if path.is_file()), None)


def _identity(path: Path) -> tuple[int, int]:
    """What two names of one file have in common, links included."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be searched
        return False
