"""An event loop whose clock jumps over waiting: tests of time limits and pauses run at once.

Time passes only when nothing else can happen: no callback is ready, no socket has data, and no worker
thread of the loop's (`to_thread`, `run_in_executor`) is at work. A thread that is not done after a moment
of real time is taken to wait for the loop itself, and time passes until it is. A subprocess, or a thread that
was started otherwise, is not seen and would be overtaken by the clock.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE = 0.002
"""Real seconds given to the kernel to deliver what was sent over loopback, before the clock may jump."""

_PATIENCE = 2.0
"""Real seconds given to a worker thread, before it is taken to wait for what the loop does later."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets a moment only, then reports the time that the loop wanted to wait as gone."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        #: What worker threads are at work on, and what of that was waited for in vain.
        self.busy: set[object] = set()
        self.stuck: set[object] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        # A thread's result wakes the loop; the real time until then stands for none of the virtual.
        ready = super().select(_PATIENCE if self.busy - self.stuck else min(timeout, _GRACE))
        if not ready:
            self.stuck = set(self.busy)
            self.skipped += timeout
        return ready

    def done(self, work: object) -> None:
        """A worker thread is done with this."""
        self.busy.discard(work)
        self.stuck.discard(work)


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
        self._jumping.busy.add(future)
        future.add_done_callback(self._jumping.done)
        return future


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
