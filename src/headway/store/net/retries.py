"""When a failed try is made again, and after how long."""

import os
import time
from typing import NamedTuple, Optional, Set

#: What is worth another try whatever the store.
RETRIED_STATUS = {429, 500, 502, 503, 504}


class RetryPolicy(NamedTuple):
    """How long to go on.

    Attributes:
        tries: At most so many tries of one call.
        seconds: No try starts later than this after the first one.
        first_contact: The same, before the store ever answered: a wrong address is told of soon.
        base: The longest pause after the first try, doubled with each one.
        cap: The longest pause of all.
    """

    tries: int = 10
    seconds: float = 120.0
    first_contact: float = 5.0
    base: float = 0.1
    cap: float = 10.0

    def pause(
        self, tries: int, elapsed: float, contact: bool, wanted: Optional[float] = None
    ) -> Optional[float]:
        """Seconds to wait before the next try, None to give up.

        Args:
            tries: Tries made so far.
            elapsed: Seconds since the first one began.
            contact: Whether the store ever answered.
            wanted: What the server asked for (Retry-After); never waited less, unless it is too long.
        """
        left = (self.seconds if contact else min(self.seconds, self.first_contact)) - elapsed
        pause = _random() * min(self.cap, self.base * 2.0 ** (tries - 1))
        if wanted is not None:
            pause += min(wanted, self.cap * 3)
        return None if tries >= self.tries or pause >= left else pause


class Effort:
    """What has been tried of one call so far.

    Args:
        doing: The operation in words, for errors.
        key: What it is about, for errors.

    Attributes:
        tries: How many were made.
        doubtful: Whether one of them got no answer and may have been carried out.
    """

    def __init__(self, doing: str, key: str) -> None:
        self.doing = doing
        self.key = key
        self.tries = 0
        self.doubtful = False
        self._started = time.monotonic()
        self._mended: Set[str] = set()

    @property
    def elapsed(self) -> float:
        """Seconds since the first try."""
        return time.monotonic() - self._started

    def is_first(self, remedy: str) -> bool:
        """Whether a remedy has not been applied before; from now on it has."""
        if remedy in self._mended:
            return False
        self._mended.add(remedy)
        return True


def retry_after(value: Optional[str]) -> Optional[float]:
    """The seconds in a Retry-After header; a date there is not worth reading."""
    return float(value) if value and value.strip().isdigit() else None


def _random() -> float:
    # Not the random module: its state is the user's, seeded by the user and shared by forked children.
    return int.from_bytes(os.urandom(4), "big") / 2**32
