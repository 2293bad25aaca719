"""Names that are different and one file all the same, as some file systems have it."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from cnnviz.storage.temporary import temporary


class Finals:
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
    made = temporary(folder, ending="\u00e9")
    try:
        with made.open("xb"):
            other = made.with_name(made.name.replace("\u00e9", "e\u0301"))
            return made.with_name(made.name.upper()).exists(), other.exists()
    except (OSError, ValueError):  # of a locale that has no such letter
        return False, False
    finally:
        with suppress(OSError):
            made.unlink(missing_ok=True)
