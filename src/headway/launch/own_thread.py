"""A thread for calls that nothing else may hold up: the journal gates all decisions, the lease has to be kept in time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class OwnThread:
    """One thread, which asyncio's own, where everybody's calls stand in line, has no part in.

    It begins with the first call. Use it as a context, or close it.

    Args:
        name: For whom looks at threads.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)

    async def call(self, function: Callable[[], T]) -> T:
        """The answer of a blocking call; one at a time, in the order in which they were asked for."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Let go of it; a call under way is not waited for."""
        self._pool.shutdown(wait=False)

    def __enter__(self) -> "OwnThread":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
