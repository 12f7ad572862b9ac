"""When a cluster that nobody asked for by name has been without work for long enough to end."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Idleness:
    """Knows for how long nothing has been asked of the cluster and nothing has run in it.

    A context manager around every request: a watch or a followed log counts for as long as it is open.

    Args:
        now: A clock that never goes back, in seconds.
        works: Whether a pod runs or waits to run.
    """

    def __init__(self, now: Callable[[], float], works: Callable[[], bool]) -> None:
        self._now = now
        self._works = works
        self._asking = 0
        self._since = now()

    def __enter__(self) -> None:
        self._asking += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking -= 1
        self._since = self._now()

    def seconds(self) -> float:
        """For how long, as far as was looked; 0 while there is a request or work."""
        if self._asking or self._works():
            self._since = self._now()
        return self._now() - self._since
