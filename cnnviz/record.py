"""What of a batch is done, kept in its output folder, so that it can be taken up again.

The record names every result that is planned before the first is written, and what each was made
from when it is there. So a file that is not in it is not ours to replace, however a run ended.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from cnnviz import storage
from cnnviz.errors import OutputError, UsageError
from cnnviz.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORD = "cnnviz-resume.json"
SECONDS_BETWEEN = 1.0
CHUNK = 1 << 20


class Record:
    """The results in one folder: of each, what it was made from and how, and its files' digests.

    Methods may be called from several threads.
    """

    def __init__(self, folder: Path) -> None:
        """The record that is in ``folder``, or a new one.

        Raises:
            UsageError: there is a file of its name that is not a record.
        """
        self._file = folder / RECORD
        self._results = _read(self._file)
        self._known = {
            name for key, entry in self._results.items() for name in (key, *_files(entry))
        }
        self._lock = Lock()
        self._due = 0.0

    def names(self, file: Path) -> bool:
        """Whether ``file`` is one that an earlier run made, or was about to make."""
        return self._name(file) in self._known

    def plan(self, results: Iterable[list[Path]]) -> None:
        """Say which files of which results are to be made, and save that."""
        for files in results:
            names = [self._name(file) for file in files]
            self._results.setdefault(names[0], {"files": dict.fromkeys(names)})
        self.save(at_once=True)

    def has(self, files: list[Path], made_from: str, how: str) -> bool:
        """Whether a result is there as it would be made: its input, its options, its bytes."""
        entry = self._results.get(self._name(files[0]), {})
        if (entry.get("input"), entry.get("how")) != (made_from, how):
            return False
        kept = _files(entry)
        return kept.keys() == {self._name(file) for file in files} and all(
            (digest(file) or "gone") == kept[self._name(file)] for file in files
        )

    def add(self, files: list[Path], made_from: str, how: str) -> None:
        """Record a result whose ``files`` have been written."""
        digests = {self._name(file): digest(file) for file in files}
        with self._lock:
            self._results[self._name(files[0])] = {
                "input": made_from,
                "how": how,
                "files": digests,
            }

    def save(self, *, at_once: bool = False) -> None:
        """Write the record, unless that was done a moment ago; ``at_once`` in any case.

        What another run has recorded in the meantime is kept.

        Raises:
            OutputError: it cannot be written.
        """
        if not at_once and monotonic() < self._due:
            return
        start = monotonic()
        with self._lock:
            self._results = {**_read(self._file), **self._results}
            # A line for each result; json's own indentation takes ten times as long.
            lines = [
                f"{json.dumps(key)}: {json.dumps(self._results[key])}" for key in self._results
            ]
        head = f'{{"cnnviz": {json.dumps(__version__)}, "results": {{'
        text = head + ",".join(f"\n{line}" for line in lines) + "\n}}\n"
        storage.write_bytes(self._file, text.encode())
        # A long record takes long to write: at most a tenth of the time goes there.
        self._due = start + max(SECONDS_BETWEEN, 10 * (monotonic() - start))

    def _name(self, file: Path) -> str:
        """``file`` as seen from the record, the same on every system."""
        seen = os.path.relpath(file, self._file.parent).replace(os.sep, "/")
        return seen.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def digest(file: Path) -> str | None:
    """A digest of a file's content; None where it cannot be read."""
    total = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while data := stream.read(CHUNK):
                total.update(data)
    except OSError:
        return None
    return total.hexdigest()


def fingerprint(*settings: object) -> str:
    """A digest of everything that decides what a result looks like, this version included."""
    return hashlib.sha256(repr((__version__, *settings)).encode()).hexdigest()


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutputError(f"{file} cannot be read: {error.strerror}") from None
    try:
        results = json.loads(text)["results"]
        if all(isinstance(entry["files"], dict) for entry in results.values()):
            return dict(results)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise UsageError(f"{file} is not a record of this tool; move it away")


def _files(entry: dict[str, Any]) -> dict[str, str | None]:
    files: dict[str, str | None] = entry.get("files", {})
    return files
