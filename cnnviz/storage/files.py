"""Files that are either there whole or not there: temporary name first, then moved."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, BinaryIO

from cnnviz.errors import OutputError, UsageError
from cnnviz.storage.temporary import sweep, temporary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STANDARD_STREAM = Path("-")  # standard input as a source, standard output as a target
COMPARED = 1 << 20  # bytes at a time

_unfinished: set[Path] = set()  # temporary files that threads are writing to
_beginning, _ending = Lock(), Event()
_finished = [0]  # how many files have been moved into place


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
        sweep(folder.absolute())
        unfinished = temporary(folder)
    try:
        with named_error(path), _begun(unfinished) as file:
            yield file
        if same:
            _refuse_different(path, unfinished)
        with named_error(path):
            unfinished.replace(path)
        _finished[0] += 1  # of which no more is made than a line, so threads may lose one
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    finally:
        _unfinished.discard(unfinished)


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


def _begun(temporary: Path) -> BinaryIO:
    with _beginning:
        if _ending.is_set():
            raise OutputError("the process is ending")
        _unfinished.add(temporary)
        return temporary.open("xb")


def _refuse_different(path: Path, new: Path) -> None:
    """Refuse to replace ``path`` by what is not the same."""
    with named_error(path), path.open("rb") as old, new.open("rb") as made:
        while (piece := old.read(COMPARED)) == made.read(COMPARED):
            if not piece:
                return
    raise UsageError(
        f"{path} is there, and is not what this makes; move it away, or --overwrite replaces it"
    )
