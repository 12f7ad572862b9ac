"""The clock the client and the watch live by; passed in, so that tests need not wait."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the API client sees it."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for durations."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970, for expiry dates that others wrote."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock, read through the running event loop so that both never disagree."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
