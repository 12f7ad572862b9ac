"""Retries wait for their time; those that become due close together start together."""

import asyncio
from collections.abc import Callable

from headway.schedule.events import RetriesDue
from headway.store.records import AttemptRef

#: Retries that become due within this many seconds of each other go into one batch.
RETRY_WINDOW = 0.1


class Retries:
    """The retries that a run waits for.

    Args:
        due: Called with attempts whose wait is over.
    """

    def __init__(self, due: Callable[[RetriesDue], None]) -> None:
        self._tell = due
        self._due: list[AttemptRef] = []
        self._timers: set[asyncio.TimerHandle] = set()

    def wait(self, ref: AttemptRef, delay: float) -> None:
        """An attempt becomes due after so many seconds."""
        self._call_later(delay, lambda: self._one_due(ref))

    def forget(self) -> None:
        """Nothing becomes due any more."""
        for timer in self._timers:
            timer.cancel()

    def _one_due(self, ref: AttemptRef) -> None:
        if not self._due:
            self._call_later(RETRY_WINDOW, self._all_due)
        self._due.append(ref)

    def _all_due(self) -> None:
        refs, self._due = tuple(self._due), []
        self._tell(RetriesDue(refs))

    def _call_later(self, delay: float, call: Callable[[], None]) -> None:
        def over() -> None:
            # A run may retry for days: what is over is not kept.
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(delay, over)
        self._timers.add(timer)
