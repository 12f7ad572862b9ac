"""The step's own time limit, kept by an alarm in the process that runs it."""

import signal
from types import FrameType, TracebackType
from typing import List, Optional, Type

from headway.errors import HeadwayError


class StepTimeoutError(HeadwayError):
    """The step ran longer than its ``@timeout`` allows; raised inside the step, so it can be caught there."""

    headline = "@timeout"


def duration(seconds: float) -> str:
    """Seconds in words: "2 hours, 1 minute", "0.5 seconds"."""
    left = seconds
    words: List[str] = []
    for unit, length in (("hour", 3600), ("minute", 60)):
        count, left = int(left // length), left % length
        if count:
            words.append(f"{count} {unit}{'s' if count != 1 else ''}")
    if left or not words:
        words.append(f"{left:g} second{'s' if left != 1 else ''}")
    return ", ".join(words)


class TimeLimit:
    """Raises :class:`StepTimeoutError` in the main thread once the step's time is up.

    Args:
        step: The step's name, for the words.
        seconds: The limit, None for none.
    """

    def __init__(self, step: str, seconds: Optional[float]) -> None:
        self._step = step
        self._seconds = seconds

    def __enter__(self) -> None:
        if self._seconds:
            signal.signal(signal.SIGALRM, self._expired)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self._seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _expired(self, number: int, frame: Optional[FrameType]) -> None:
        raise StepTimeoutError(
            f"Step {self._step} timed out after {duration(self._seconds or 0)}.",
            "Raise the limit in @timeout, or do less in this step.",
        )
