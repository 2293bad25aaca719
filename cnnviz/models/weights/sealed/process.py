"""What runs in the sealed process: the file is its standard input, JSON its only output."""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import suppress

from cnnviz.models.weights.places import RefusedError
from cnnviz.models.weights.sealed.archives import read_archive
from cnnviz.models.weights.sealed.choice import choose

MEMORY = 512 << 20  # bytes beyond which the process gets none; a good file needs 40 MB
SECONDS = 5  # of computing, and one more for each of these:
BYTES_PER_SECOND = 200 << 20


def main() -> None:
    """Print where the tensors of the file on standard input lie, or why it is refused.

    ``{"places": [...], "notes": [...]}`` or ``{"refused": sentence, "usage": bool}``.
    """
    with open(0, "rb", closefd=False) as file:
        gc.disable()  # searching a million small objects for cycles takes longer than making them
        size = os.fstat(0).st_size
        limit_to(MEMORY, SECONDS + size // BYTES_PER_SECOND)
        answer: dict[str, object]
        try:
            places, notes = choose(read_archive(file), size)
            answer = {"places": [place.row() for place in places], "notes": notes}
        except RefusedError as error:
            answer = {"refused": str(error), "usage": error.is_usage}
        except (MemoryError, RecursionError):
            answer = {"refused": "asks for more memory than reading it may take", "usage": False}
        json.dump(answer, sys.stdout)


def limit_to(memory: int, seconds: int) -> None:
    """Let the system end this process beyond ``memory`` bytes or ``seconds`` of computing.

    Windows has no such limits, and macOS does not keep to the one of memory.
    """
    try:
        import resource
    except ImportError:
        return
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))
