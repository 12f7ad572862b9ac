"""When to try a request again, and how many may be under way: pure rules and two small gates."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from headway.executors.kubernetes.api.clock import Clock
from headway.executors.kubernetes.api.errors import ApiError, Conflict, NoCredentials, Unreachable

RETRIED = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on trying.

    Args:
        budget: Seconds from the first try after which no other is begun.
        first_contact: The same until the server has answered once; short, for it is a person who waits.
        base: Seconds before the second try, more or less.
        longest: The longest pause in seconds that is our own choice.
        most: How often it is tried again at most, None for as often as the time allows.
    """

    budget: float = 60.0
    first_contact: float = 3.0
    base: float = 0.2
    longest: float = 10.0
    most: int | None = None

    def pause(self, attempt: int, chance: float, wanted: float | None = None) -> float:
        """Return the seconds to wait before the next try.

        Args:
            attempt: How many tries failed so far, from 1.
            chance: A random number from 0 to 1, so that many clients do not come back at once.
            wanted: What the server asked for.
        """
        own = min(self.longest, self.base * 2.0 ** min(attempt - 1, 16)) * (0.5 + chance / 2)
        # Never sooner than asked, and spread even so: everybody was told the same number.
        return own if wanted is None else wanted + own


STANDARD_RETRY = RetryPolicy()
NO_RETRY = RetryPolicy(budget=0.0, first_contact=0.0)


def worth_retrying(error: ApiError, *, repeatable: bool) -> bool:
    """Tell whether the same request may be sent again and may then succeed.

    Args:
        error: What came of it.
        repeatable: Whether doing it twice does no harm.
    """
    if isinstance(error, Unreachable):
        return error.transient and (repeatable or not error.sent)
    if isinstance(error, NoCredentials):
        return error.transient
    if error.status == 429 or _is_quota_race(error):
        return True
    return repeatable and error.status in RETRIED


def _is_quota_race(error: ApiError) -> bool:
    """Two requests wanted to enter the same quota at once; ours was not carried out."""
    return (
        isinstance(error, Conflict) and error.details is not None and error.details.kind == "resourcequotas"
    )


class Throttle:
    """A token bucket: so many requests a second, with a burst.

    Args:
        rate: Requests a second.
        burst: How many may come at once after a pause.
        clock: Time.
    """

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._next: float | None = None

    async def admit(self) -> None:
        """Wait for this request's turn; turns are given in the order of asking."""
        now = self._clock.monotonic()
        turn = now - self._slack if self._next is None else max(self._next, now - self._slack)
        self._next = turn + self._interval
        if turn > now:
            await self._clock.sleep(turn - now)


class Gate:
    """At most so many requests under way, at most so many a second.

    Args:
        in_flight: The most at once.
        throttle: The pace, if any.
    """

    def __init__(self, in_flight: int, throttle: Throttle | None) -> None:
        self._slots = asyncio.Semaphore(in_flight)
        self._throttle = throttle

    async def __aenter__(self) -> None:
        if self._throttle is not None:
            await self._throttle.admit()
        await self._slots.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


Chance = Callable[[], float]
"""Where random numbers from 0 to 1 come from."""
