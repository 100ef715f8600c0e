"""Threads joined by bounded queues: each is a few items ahead of the one that takes them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from configs.errors import StalledError, StopRequestedError

POLL_S = 0.2

END_TIMEOUT_S = 30.0
"""For a thread to end what it is at."""

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Iterates over what a generator yields, which runs in a thread of its own.

    An error of the generator is raised once all that came before it has been taken. The thread ends
    with the generator, or soon after ``close``; one that hangs does not keep the program alive.

    Args:
        items: a generator, which is closed in its thread.
        most: number of items that may wait.
        stop: ends the iteration once it is set.
        timeout_s: how long to wait for an item.

    Raises:
        StopRequestedError: while iterating, ``stop`` was set, or ``close`` was called.
        StalledError: while iterating, no item came in time.
    """

    def __init__(
        self, name: str, items: Generator[T, None, None], most: int, stop: Event, timeout_s: float
    ) -> None:
        self.name = name
        self._items, self._stop, self._timeout_s = items, stop, timeout_s
        self._waiting: Queue[T | _End] = Queue(most)
        self._closed = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._next()
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error

    def close(self) -> None:
        self._closed.set()

    def ends(self, timeout_s: float) -> bool:
        """Whether the thread ends in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _next(self) -> T | _End:
        deadline_s = monotonic() + self._timeout_s
        while monotonic() < deadline_s:
            if self._stop.is_set() or self._closed.is_set():
                raise StopRequestedError
            try:
                return self._waiting.get(timeout=min(POLL_S, self._timeout_s))
            except Empty:
                continue
        raise StalledError(f"no progress for {self._timeout_s:g} s")

    def _run(self) -> None:
        end = _End()
        try:
            with closing(self._items):
                for item in self._items:
                    self._put(item)
                    if self._closed.is_set():
                        return
        except BaseException as error:  # Whatever it is, the one who takes the items is told.
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> None:
        while not self._closed.is_set():
            try:
                self._waiting.put(item, timeout=POLL_S)
                return
            except Full:
                continue


class Prefetchers:
    """Threads that take their items from one another; they end with the ``with`` block.

    Attributes:
        hanging: names of those that did not end.
    """

    def __init__(self, most: int, stop: Event, timeout_s: float) -> None:
        self.hanging: list[str] = []
        self._most, self._stop, self._timeout_s = most, stop, timeout_s
        self._threads: list[Prefetch[Any]] = []

    def start(self, name: str, items: Generator[T, None, None]) -> Prefetch[T]:
        thread = Prefetch(name, items, self._most, self._stop, self._timeout_s)
        self._threads.append(thread)
        return thread

    def __enter__(self) -> Prefetchers:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.close()
        end_timeout_s = min(END_TIMEOUT_S, self._timeout_s)
        self.hanging = [each.name for each in self._threads if not each.ends(end_timeout_s)]


class _End:
    """Stands for the end of the items, and the error that brought it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
