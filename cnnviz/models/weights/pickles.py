"""Files of ``torch.save``, read by a process that can do nothing but say where tensors lie."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.models.weights.places import Place, RefusedError, check_all

if TYPE_CHECKING:
    from typing import BinaryIO

SECONDS = 7  # in all, and one more for each of these:
BYTES_PER_SECOND = 20 << 20  # a slow network drive

# -I and -S: no site-packages, no settings of the user's, nothing from the current folder.
COMMAND = "import sys; sys.path.append(sys.argv.pop()); from {0} import main; main()"
PROCESS = "cnnviz.models.weights.sealed.process"


def read_places(file: BinaryIO) -> tuple[list[Place], list[str]]:
    """Where the tensors of an open file of ``torch.save`` lie, and notes on how they were found.

    The pickle in it is followed as data, by a child process with a limit on its memory, its time
    and what it may write. Nothing that it names is imported or called, there or here, and torch's
    own reader is not used: the names allowed are those of ``torch.load(weights_only=True)``.

    Raises:
        RefusedError: the file is not taken; says why.
    """
    end = os.fstat(file.fileno()).st_size
    answer = _asked(file, SECONDS + end / BYTES_PER_SECOND)
    file.seek(0, os.SEEK_END)  # the child moved what both read from: what is buffered is void
    if "refused" in answer:
        raise RefusedError(answer["refused"], is_usage=answer["usage"])
    places = [Place.from_row(row) for row in answer["places"]]
    check_all(places, end)
    return places, answer["notes"]


def _asked(file: BinaryIO, seconds: float) -> dict[str, Any]:
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-I", "-S", "-c", COMMAND.format(PROCESS), root]
    try:
        done = subprocess.run(  # noqa: S603 (our own program)
            command, stdin=file, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RefusedError(
            f"took over {seconds:.0f} s to read, which no file of its size needs"
        ) from None
    if done.returncode < 0:  # the system ended it
        raise RefusedError("needs more time or memory than a file of its size may take")
    if done.returncode:
        code = done.returncode
        raise RefusedError(f"cannot be read: the process that reads it ended with code {code}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
