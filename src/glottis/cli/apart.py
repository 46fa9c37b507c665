"""Results made on a thread of their own, so that the main thread can always be interrupted."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_LOOK_S = 0.1


def apart(results: Iterator[T]) -> Iterator[T]:
    """The same results in the same order, made on another thread, at most two ahead.

    Ctrl-C reaches the main thread only. There it would be lost while FFmpeg calls back for bytes (PyAV swallows what
    is raised in it), and it would wait for a read from a pipe that is silent. Here the main thread does nothing but
    wait for the next result, and leaves at once; the other thread stops after the result that it is making.

    Args:
        results: Iterated, and at the end closed if it is a generator, on the other thread.

    Raises:
        BaseException: Whatever `results` raises.
    """
    made: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(1)
    left = Event()
    Thread(target=_make, args=(results, made, left), name="glottis-results", daemon=True).start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        left.set()


def _make(results: Iterator[T], made: queue.Queue[tuple[T] | BaseException | None], left: Event) -> None:
    end: BaseException | None = None
    try:
        for result in results:
            if not _put((result,), made, left):
                break
    except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
        end = error
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()
    _put(end, made, left)


def _put(
    item: tuple[T] | BaseException | None, made: queue.Queue[tuple[T] | BaseException | None], left: Event
) -> bool:
    """Hand one over; False if nobody takes it any more."""
    while not left.is_set():
        try:
            made.put(item, timeout=_LOOK_S)
        except queue.Full:
            continue
        return True
    return False
