"""Threads, and what they wait for, by the locks in C, without the tools with which any program could look after them.

For threads that run nothing of the user's: the first module that asks for the real ``threading`` must be loaded by
the main thread, since that is what it takes it for.
"""

__all__ = ["Condition", "Event", "Lock", "Thread"]

from _thread import RLock, allocate_lock, start_new_thread
from time import monotonic
from typing import Any, Callable, List, Optional

Lock = allocate_lock


class Condition:
    """A lock that one who holds it gives away until another one tells of a change."""

    def __init__(self) -> None:
        self._lock: Any = RLock()
        self._waiting: List[Any] = []
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    def __enter__(self) -> bool:
        return bool(self._lock.__enter__())

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Give the lock away until told, or for so many seconds; whether it was told."""
        if not self._lock._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        told = Lock()
        told.acquire()
        self._waiting.append(told)
        held = self._lock._release_save()
        heard = False
        try:
            heard = told.acquire(True, -1 if timeout is None else max(0.0, timeout))
        finally:
            self._lock._acquire_restore(held)
            if not heard and told in self._waiting:
                self._waiting.remove(told)
        return heard

    def wait_for(self, true: Callable[[], Any], timeout: Optional[float] = None) -> Any:
        """Wait until something is true, or for so many seconds; what it was in the end."""
        until = None if timeout is None else monotonic() + timeout
        while not (value := true()):
            left = None if until is None else until - monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
        return value

    def notify(self, count: int = 1) -> None:
        """Tell those who have waited longest."""
        for _ in range(min(count, len(self._waiting))):
            self._waiting.pop(0).release()

    def notify_all(self) -> None:
        """Tell all who wait."""
        self.notify(len(self._waiting))


class Event:
    """Something that happens once."""

    def __init__(self) -> None:
        self._change = Condition()
        self._happened = False

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._happened

    def set(self) -> None:
        """It has happened."""
        with self._change:
            self._happened = True
            self._change.notify_all()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait for it, or for so many seconds; whether it has happened."""
        with self._change:
            return bool(self._change.wait_for(self.is_set, timeout))


class Thread:
    """A thread that the process's end does not wait for.

    Args:
        target: What it does.
        name: For whoever reads the source.
        daemon: True.
    """

    def __init__(self, *, target: Callable[[], object], name: str = "", daemon: bool) -> None:
        if not daemon:
            raise ValueError("a lean thread is a daemon")
        self.name = name
        self._target = target
        self._ended = Lock()

    def start(self) -> None:
        """Begin; RuntimeError where the system allows no more threads."""
        self._ended.acquire()
        start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._ended.release()

    def join(self, timeout: Optional[float] = None) -> None:
        """Wait for its end, or for so many seconds."""
        if self._ended.acquire(True, -1 if timeout is None else max(0.0, timeout)):
            self._ended.release()
