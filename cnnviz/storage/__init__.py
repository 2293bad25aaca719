"""Files that are written whole or not at all, and never over what should stay."""

from cnnviz.storage.files import (
    STANDARD_STREAM,
    abandon,
    finished,
    locked,
    named_error,
    write_bytes,
    write_chunks,
    writing,
)
from cnnviz.storage.refusals import refuse_existing, refuse_filled, says_folder

__all__ = [
    "STANDARD_STREAM",
    "abandon",
    "finished",
    "locked",
    "named_error",
    "refuse_existing",
    "refuse_filled",
    "says_folder",
    "write_bytes",
    "write_chunks",
    "writing",
]
