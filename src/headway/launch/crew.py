"""The executors of a run: which of them does what."""

from collections.abc import Mapping, Sequence

from headway.executors.base import Executor, Sink
from headway.schedule.instructions import StartBatch
from headway.store.records import AttemptRef, Failure


class Crew:
    """All executors of a run.

    Args:
        executors: By step.
        fallbacks: The executor of steps' fallbacks, None where it is the step's own.
    """

    def __init__(self, executors: Mapping[str, Executor], fallbacks: Executor | None = None) -> None:
        self._by_step = executors
        self._fallbacks = fallbacks
        every = dict.fromkeys(executors.values())
        if fallbacks is not None:
            every[fallbacks] = None
        self.every: tuple[Executor, ...] = tuple(every)

    async def open(self, sink: Sink) -> None:
        """Make them all ready; what happens is told to ``sink``."""
        for executor in self.every:
            await executor.open(sink)

    def of(self, batch: StartBatch) -> Executor:
        """Who runs a batch."""
        if batch.fallback and self._fallbacks is not None:
            return self._fallbacks
        return self._by_step[batch.step]

    async def cancel(self, refs: Sequence[AttemptRef], failure: Failure, *, now: bool) -> None:
        """Have attempts stopped by whoever runs them; each ignores the fallbacks and steps that are another's."""
        for executor in self.every:
            fallbacks = self._fallbacks is executor
            mine = tuple(ref for ref in refs if fallbacks or self._by_step[ref.step] is executor)
            if mine:
                await executor.cancel(mine, failure, now=now)
