"""The threads of one call: files side by side, and where a place is free, the windows of one file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Semaphore
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Crew:
    """At most `threads` jobs at work at any moment, whatever they are; a context manager.

    A file's job takes a place of its own. A window is handed over only if a place is free; else whoever holds it
    scores it. So one long file alone uses all threads, and many files never more than there are.

    Args:
        threads: At least 1.
    """

    def __init__(self, threads: int) -> None:
        self._places = Semaphore(threads)
        self._files = ThreadPoolExecutor(threads, thread_name_prefix="glottis-file")
        self._windows = ThreadPoolExecutor(threads, thread_name_prefix="glottis-window")
        self._left = Event()

    @property
    def left(self) -> bool:
        """Whether the call is over and nobody waits for what its jobs still do."""
        return self._left.is_set()

    def do(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a job here, in a place of its own."""
        with self._places:
            return job(*args, **kwargs)

    def start(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do a job on another thread, as soon as a place is free."""
        return self._files.submit(lambda: self.do(job, *args, **kwargs))

    def offer(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T] | None:
        """Do a job on another thread if a place is free now; else None, and it is not done."""
        if not self._places.acquire(blocking=False):
            return None
        return self._windows.submit(lambda: self._finish(job, *args, **kwargs))

    def _finish(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return job(*args, **kwargs)
        finally:
            self._places.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._files.shutdown(cancel_futures=True)
        self._windows.shutdown()
