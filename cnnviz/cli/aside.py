"""Standard output kept for results while code runs that is not ours."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def standard_output_aside() -> Iterator[None]:
    """Within, what is printed goes to standard error: by Python, C libraries and programs.

    What a user's model prints is no result, and would be in the middle of a JSON document.
    """
    with ExitStack() as stack:
        stack.enter_context(_descriptor_aside())
        stack.enter_context(redirect_stdout(sys.stderr))
        yield


@contextmanager
def _descriptor_aside() -> Iterator[None]:
    """The same for the system's own standard output, where there is one."""
    try:
        _flush()  # what is ours goes where it belongs
        kept = os.dup(1)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """Empty the buffer of Python's own standard output, which others may have written to."""
    if sys.__stdout__ is not None and not sys.__stdout__.closed:
        sys.__stdout__.flush()
