"""Whether a watch hears from its server, and when to tell that it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

from headway.executors.kubernetes.api.clock import Clock
from headway.executors.kubernetes.api.errors import ApiError, TooManyRequests, Unreachable


@dataclass(frozen=True, slots=True)
class Trouble:
    """The watch has been blind for a while and goes on trying; said once, and again if the cause changes.

    Args:
        message: What is wrong, for a person.
        seconds: How long it has been so.
    """

    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """The trouble told of is over; what happened meanwhile follows.

    Args:
        seconds: How long it lasted.
    """

    seconds: float


class Contact:
    """Keeps track of when the server was heard of.

    Args:
        clock: Time.
        patience: Seconds of failures after which to speak.

    Attributes:
        last: The clock's monotonic time of the last sign of life.
    """

    def __init__(self, clock: Clock, patience: float) -> None:
        self._clock = clock
        self._patience = patience
        self._lost_at: float | None = None
        self._told: str | None = None
        self.last = clock.monotonic()

    def heard(self) -> Sequence[Recovered]:
        """Note a sign of life; returns what to say if there was trouble before."""
        self.last = self._clock.monotonic()
        lost_at, told = self._lost_at, self._told
        self._lost_at = self._told = None
        return () if lost_at is None or told is None else (Recovered(self.last - lost_at),)

    def lost(self, error: ApiError) -> Sequence[Trouble]:
        """Note a failure; returns what to say, if it is time to.

        Args:
            error: What failed.
        """
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        seconds = now - self._lost_at
        if seconds < self._patience or error.message == self._told:
            return ()
        self._told = error.message
        silent = isinstance(error, Unreachable | TooManyRequests)
        what = "has not answered" if silent else "has refused to let us watch"
        return (Trouble(f"The API server {what} for {seconds:.0f} s. {error.message}", seconds),)
