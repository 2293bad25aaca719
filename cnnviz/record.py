"""What of a batch is done, kept in its output folder, so that it can be taken up again.

The record names every result that is planned before the first is written, and what each was made
from when it is there. So a file that is not in it is not ours to replace, however a run ended. One
that is planned, and not known to be made, may be a user's own, or what a run wrote just before it
was killed: it is ours only if it is what is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from cnnviz import storage
from cnnviz.errors import OutputError, UsageError
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    Digests = dict[str, str | None]

RECORD = "cnnviz-resume.json"
SECONDS_BETWEEN = 0.2


class Record:
    """The results in one folder: of each its ``origin``, and its files with their digests.

    An origin is a fingerprint of all that decides what a result looks like. Once all results are
    planned, threads may call ``has`` and ``add``, each for results of its own.
    """

    def __init__(self, folder: Path) -> None:
        """The record that is in ``folder``, or a new one.

        Raises:
            UsageError: there is a file of its name that is not a record.
        """
        self.file = folder / RECORD
        self._before = _read(self.file)
        self._known: Digests = {}  # what is planned, and a digest of what was ever written there
        for entry in self._before.values():
            self._known |= {**entry["files"], **entry.get("former", {})}
        self._results: dict[str, dict[str, Any]] = {}  # those of this run
        self._due = 0.0

    def names(self, file: Path) -> bool:
        """Whether ``file`` is one that an earlier run made, or was about to make."""
        return self._name(file) in self._known

    def may_be_foreign(self, file: Path) -> bool:
        """Whether ``file`` is there although no run has said that it wrote it."""
        return self._known.get(self._name(file)) is None and digest(file) is not None

    def plan(self, results: Iterable[list[Path]]) -> None:
        """Say which files of which results are to be made."""
        for files in results:
            names = [self._name(file) for file in files]
            before = self._before.get(names[0], {})
            digests = {**dict.fromkeys(names), **before.get("files", {})}
            self._results[names[0]] = {**before, "files": digests}

    def has(self, files: list[Path], origin: str) -> bool:
        """Whether a planned result is there, made from that, its files as they were written."""
        entry = self._entry(files)
        digests: Digests = entry["files"]
        return entry.get("origin") == origin and all(
            (digest(file) or "gone") == digests[self._name(file)] for file in files
        )

    def add(self, files: list[Path], origin: str) -> None:
        """Record a planned result whose ``files`` have been written."""
        before = self._entry(files)
        # What else an earlier run wrote for it may be of another origin now; but it wrote it.
        digests = dict.fromkeys(before["files"])
        digests |= {self._name(file): digest(file) for file in files}
        former = {name: was for name, was in self._known.items() if name in digests and was}
        gone = {name: was for name, was in former.items() if digests[name] is None}
        entry = {"origin": origin, "files": digests, **({"former": gone} if gone else {})}
        self._results[self._name(files[0])] = entry

    def save(self, *, at_once: bool = False) -> None:
        """Write the record, unless that was done a moment ago; ``at_once`` in any case.

        What another run has recorded in the meantime is kept.

        Raises:
            OutputError: it cannot be written.
        """
        if not at_once and monotonic() < self._due:
            return
        start = monotonic()
        with storage.locked(self.file.parent):
            self._merge()
        # A long record takes long to write: at most a twentieth of the time goes there.
        self._due = start + max(SECONDS_BETWEEN, 20 * (monotonic() - start))

    def _merge(self) -> None:
        """Write what is in the file and what is known here."""
        results = {**_read(self.file), **self._results}
        # A line for each result; json's own indentation takes ten times as long.
        lines = [f"\n{json.dumps(name)}: {json.dumps(entry)}" for name, entry in results.items()]
        text = f'{{"cnnviz": {json.dumps(__version__)}, "results": {{{",".join(lines)}\n}}}}\n'
        storage.write_bytes(self.file, text.encode())

    def _entry(self, files: list[Path]) -> dict[str, Any]:
        return self._results[self._name(files[0])]

    def _name(self, file: Path) -> str:
        """``file`` as seen from the record, the same on every system."""
        try:
            seen = os.path.relpath(file, self.file.parent)
        except ValueError:  # on another drive of Windows
            seen = str(file.absolute())
        return seen.replace(os.sep, "/")


def digest(file: Path) -> str | None:
    """A digest of a file's content; None where it cannot be read, or has no end as a pipe has."""
    try:
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def fingerprint(*settings: object) -> str:
    """A digest of ``settings`` and of this version."""
    return hashlib.sha256(repr((__version__, *settings)).encode()).hexdigest()


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """The results in a record, none if there is no file."""
    try:
        is_pipe = file.exists() and not (file.is_file() or file.is_dir())
        text = b"" if is_pipe else file.read_bytes()  # it would be waited for
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise OutputError(f"{file} cannot be read: {error.strerror}") from None
    try:
        results = json.loads(text)["results"]
        if all(map(_is_entry, results.values())):
            return dict(results)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise UsageError(f"{file} is not a record of this tool; move it away")


def _is_entry(entry: Any) -> bool:
    """Whether it tells digests by name, as text or None."""
    told = [entry["files"], entry.get("former", {})]
    return all(isinstance(value, str | None) for each in told for value in each.values())
