"""A library's own threads, held back while ours are at work."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OneThread:
    """A context in which a library keeps to the threads that call it.

    Several threads may be in it at a time; the last to leave gives the library its own number
    of threads back.
    """

    def __init__(self, get: Callable[[], int], set_: Callable[[int], object]) -> None:
        self._get, self._set = get, set_
        self._lock = Lock()
        self._inside = 0
        self._before = 1

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """The context."""
        with self._lock:
            if not self._inside:
                self._before = self._get()
                self._set(1)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._set(self._before)
