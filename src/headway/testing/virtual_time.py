"""An event loop whose clock jumps over waiting: tests of time limits and pauses run at once.

Time passes only when nothing else can happen: no callback is ready, no socket has data, and no worker
thread of the loop's (`to_thread`, `run_in_executor`) is at work. A subprocess, or a thread that was
started otherwise, is not seen and would be overtaken by the clock.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE = 0.002
"""Real seconds given to the kernel to deliver what was sent over loopback, before the clock may jump."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets a moment only, then reports the time that the loop wanted to wait as gone."""

    skipped = 0.0
    busy_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        if timeout > 0 and self.busy_threads:
            # The thread's result wakes the loop; real time stands for none of the virtual.
            return super().select(None)
        ready = super().select(min(timeout, _GRACE) if timeout > 0 else timeout)
        if not ready and timeout > 0:
            self.skipped += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with virtual time, from 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped

    # The supertype ties the arguments to the function by a TypeVarTuple, which Python 3.10 lacks.
    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.busy_threads += 1
        future.add_done_callback(self._thread_is_done)
        return future

    def _thread_is_done(self, _: object) -> None:
        self._jumping.busy_threads -= 1


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time.

    Args:
        main: What to run.
    """
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
