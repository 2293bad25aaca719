"""Temporary files beside the final ones: their names, and what killed runs left of them."""

from __future__ import annotations

import os
import re
import zlib
from contextlib import suppress
from functools import cache
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY = re.compile(r"\.cnnviz-([0-9a-f]{8})-(\d+)-[0-9a-f]+(e\u0301|\u00e9)?\.tmp")
SECONDS_ABROAD = 86_400.0  # after which what another machine has not touched is given up


def temporary(folder: Path, ending: str = "") -> Path:
    """A name in ``folder`` that nobody else takes."""
    return folder / f".cnnviz-{here()}-{os.getpid()}-{os.urandom(6).hex()}{ending}.tmp"


@cache
def here() -> str:
    """Where a process number means something: this machine, and this container of it."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    with suppress(OSError):
        name += f" {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 (Linux alone has it)
    return f"{zlib.crc32(name.encode(errors='surrogateescape')):08x}"


@cache
def sweep(folder: Path) -> None:
    """Remove what a killed run left in ``folder``; once per folder and process."""
    for path in folder.glob(".cnnviz-*.tmp"):
        match = TEMPORARY.fullmatch(path.name)
        with suppress(OSError):  # gone, or another user's in a shared folder: theirs to remove
            if match and not (_alive(int(match[2])) if match[1] == here() else _fresh(path)):
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
