"""Files that are drawn and written by threads while the network goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from cnnviz.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable

WAITING = 2  # layers per thread whose values are held


class Sheets:
    """Within, ``add`` has work done beside the caller; at the end all of it is done.

    A caller waits while too much is under way, so that only a few layers' values are held. The
    first failure is raised by the next ``add``, or at the end.
    """

    def __init__(self) -> None:
        threads = cores()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sheet")
        self._free = BoundedSemaphore(threads * WAITING)
        self._running: list[Future[Any]] = []

    def __enter__(self) -> Sheets:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            for done in self._running:
                done.result()

    def add(self, work: Callable[[], Any]) -> Future[Any]:
        """Have ``work`` done; its result is the future's."""
        for done in self._running:
            if done.done():
                done.result()
        self._free.acquire()
        future = self._pool.submit(self._do, work)
        self._running = [one for one in self._running if not one.done() or one.exception()]
        self._running.append(future)
        return future

    def _do(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            self._free.release()
