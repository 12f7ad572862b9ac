"""Attempts that wait for a pod: in one line for each step, so that what a pod is given next is of one step."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from headway.executors.kubernetes.tracked import Attempt

A = TypeVar("A", bound=Attempt)


class WarmQueue(Generic[A]):
    """Lines of attempts, the step first that has waited longest."""

    def __init__(self) -> None:
        #: No line is empty.
        self._lines: dict[str, deque[A]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[A]:
        for line in self._lines.values():
            yield from line

    def steps(self) -> list[str]:
        """The steps of which something waits."""
        return list(self._lines)

    def waiting(self, step: str) -> int:
        """How many attempts of a step wait."""
        return len(self._lines.get(step, ()))

    def add(self, attempt: A) -> None:
        """Put an attempt behind those of its step."""
        self._lines.setdefault(attempt.ref.step, deque()).append(attempt)

    def put_back(self, attempt: A) -> None:
        """Put an attempt before those of its step."""
        self._lines.setdefault(attempt.ref.step, deque()).appendleft(attempt)

    def take(self, step: str, size: int) -> list[A]:
        """The first attempts of a step, at most so many, which wait no longer."""
        line = self._lines[step]
        taken = [line.popleft() for _ in range(min(size, len(line)))]
        if not line:
            del self._lines[step]
        return taken

    def forget_cancelled(self) -> None:
        """Leave out what is to end."""
        kept = {
            step: deque(each for each in line if each.cancelled is None) for step, line in self._lines.items()
        }
        self._lines = {step: line for step, line in kept.items() if line}

    def clear(self) -> None:
        """Nothing waits."""
        self._lines.clear()
