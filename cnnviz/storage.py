"""Files that are either there whole or not there: temporary name first, then moved."""

from __future__ import annotations

import os
import re
import sys
import zlib
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Event, Lock
from time import time
from typing import TYPE_CHECKING, BinaryIO

from cnnviz.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STANDARD_STREAM = Path("-")  # standard input as a source, standard output as a target

_unfinished: set[Path] = set()  # temporary files that threads are writing to
_beginning, _ending = Lock(), Event()
_finished = [0]  # how many files have been moved into place

TEMPORARY = re.compile(r"\.cnnviz-([0-9a-f]{8})-(\d+)-[0-9a-f]+(e\u0301|\u00e9)?\.tmp")
SECONDS_ABROAD = 86_400.0  # after which what another machine has not touched is given up
COMPARED = 1 << 20  # bytes at a time


def write_bytes(path: Path, data: bytes | memoryview, *, same: bool = False) -> None:
    """As ``write_chunks``, of a single one."""
    write_chunks(path, (data,), same=same)


def write_chunks(path: Path, chunks: Iterable[bytes | memoryview], *, same: bool = False) -> None:
    """Write ``chunks`` to ``path``, which holds its old content until all of them are there.

    ``-`` is standard output. With ``same``, what is there must be the same already.

    Raises:
        OutputError: it cannot be written; says why.
        UsageError: something else is there, which is left alone.
    """
    if path == STANDARD_STREAM:
        whole = b"".join(chunks)
        with named_error(Path("standard output")):
            sys.stdout.buffer.write(whole)
            sys.stdout.buffer.flush()
        return
    with writing(path, same=same) as file:
        file.writelines(chunks)


@contextmanager
def writing(path: Path, *, same: bool = False) -> Iterator[BinaryIO]:
    """A binary file that becomes ``path`` when the block ends without an error.

    Raises:
        OutputError: it cannot be written; says why.
        UsageError: with ``same``, something else is at ``path``, which is left alone.
    """
    with named_error(path):
        folder = path.parent
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder.absolute())
        temporary = _temporary(folder)
    try:
        with named_error(path), _begun(temporary) as file:
            yield file
        if same:
            _refuse_different(path, temporary)
        with named_error(path):
            temporary.replace(path)
        _finished[0] += 1  # of which no more is made than a line, so threads may lose one
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        _unfinished.discard(temporary)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While the block runs, no other process is in such a block for ``folder``.

    Where the folder is not there yet, or its file system or Windows knows no such locks, they
    may be.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def abandon() -> None:
    """Remove what is being written, in whatever thread, and let nothing more be begun.

    For a process that is about to end without waiting for its threads.
    """
    with _beginning:
        for temporary in list(_unfinished):
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        _ending.set()


def finished() -> int:
    """How many files this process has written."""
    return _finished[0]


def _begun(temporary: Path) -> BinaryIO:
    with _beginning:
        if _ending.is_set():
            raise OutputError("the process is ending")
        _unfinished.add(temporary)
        return temporary.open("xb")


@contextmanager
def named_error(path: Path) -> Iterator[None]:
    """Within, the system's errors become those of an output ``path``.

    Raises:
        OutputError: it cannot be written; says why.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _refuse_different(path: Path, new: Path) -> None:
    """Refuse to replace ``path`` by what is not the same."""
    with named_error(path), path.open("rb") as old, new.open("rb") as made:
        while (piece := old.read(COMPARED)) == made.read(COMPARED):
            if not piece:
                return
    raise UsageError(
        f"{path} is there, and is not what this makes; move it away, or --overwrite replaces it"
    )


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
    finals = _Finals()
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
    finals = _Finals()
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


class _Finals:
    """The names of results, of which no two may be one file."""

    def __init__(self) -> None:
        self._seen: dict[str, list[str]] = {}

    def add(self, output: Path) -> str | None:
        """None, if no other result is the same file; else what to say of the other's name."""
        final = os.path.realpath(output)
        alike = self._seen.setdefault(_unified(final, case=True, form=True), [])
        found = final if final in alike else next((x for x in alike if _is_one(x, final)), None)
        alike.append(final)
        if found is None or found == final:
            return None if found is None else ""
        return f", which is {Path(found).name} too in that folder"


def _is_one(first: str, second: str) -> bool:
    """Whether two names would be one file, where they are to be."""
    there = next((path for path in Path(first).parents if path.is_dir()), Path())
    case, form = ignored_by(there)
    return _unified(first, case=case, form=form) == _unified(second, case=case, form=form)


def _unified(name: str, *, case: bool, form: bool) -> str:
    """What is left of a name where case is ignored, or the form of letters with accents."""
    if form and not name.isascii():
        from unicodedata import normalize  # only for those names

        name = normalize("NFC", name)
    return name.casefold() if case else name


@cache
def ignored_by(folder: Path) -> tuple[bool, bool]:
    """Whether the case of letters makes no other file there, and whether their form makes none.

    Letters with accents can be written in two forms, as one character and as two. It is tried out,
    by a file that is gone at once; where none can be made, no result can be written either.
    """
    made = _temporary(folder, ending="\u00e9")
    try:
        with made.open("xb"):
            other = made.with_name(made.name.replace("\u00e9", "e\u0301"))
            return made.with_name(made.name.upper()).exists(), other.exists()
    except (OSError, ValueError):  # of a locale that has no such letter
        return False, False
    finally:
        with suppress(OSError):
            made.unlink(missing_ok=True)


def _temporary(folder: Path, ending: str = "") -> Path:
    """A name in ``folder`` that nobody else takes."""
    return folder / f".cnnviz-{_here()}-{os.getpid()}-{os.urandom(6).hex()}{ending}.tmp"


def _identity(path: Path) -> tuple[int, int]:
    """What two names of one file have in common, links included."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be searched
        return False


@cache
def _here() -> str:
    """Where a process number means something: this machine, and this container of it."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    with suppress(OSError):
        name += f" {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 (Linux alone has it)
    return f"{zlib.crc32(name.encode(errors='surrogateescape')):08x}"


@cache
def _sweep(folder: Path) -> None:
    """Remove what a killed run left in ``folder``; once per folder and process."""
    for path in folder.glob(".cnnviz-*.tmp"):
        match = TEMPORARY.fullmatch(path.name)
        with suppress(OSError):  # gone, or another user's in a shared folder: theirs to remove
            if match and not (_alive(int(match[2])) if match[1] == _here() else _fresh(path)):
                path.unlink()


def _fresh(path: Path) -> bool:
    """Whether a file was written to of late: all that is known of another machine's process."""
    return time() - path.stat().st_mtime < SECONDS_ABROAD


def _alive(process: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # it is there and not ours, or nobody can tell
    return True
