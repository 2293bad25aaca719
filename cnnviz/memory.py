"""Memory that is freed and wanted again a moment later."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# From malloc.h: from which size on blocks are mapped one by one, and how much may lie idle.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGEST_BLOCK = 1 << 30


def keep_freed_memory() -> None:
    """Let the process keep what it frees; for a command, not for somebody else's program.

    glibc hands large blocks back at once, and each new band of an image would pay for fresh
    pages: a third of a second for every 100 megapixels. Other systems are left as they are.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(M_ARENA_MAX, 1)
            mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
            mallopt(M_TRIM_THRESHOLD, LARGEST_BLOCK)
