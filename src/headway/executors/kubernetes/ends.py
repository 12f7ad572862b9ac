"""How an attempt ends: its record settled, what it printed last shown, the reason of its end found."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from headway.errors import StoreError
from headway.executors.base import Ended, Output, Sink, datastore_away
from headway.executors.kubernetes.outcome import POD_DELETED
from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.runtime.commit import STREAMS
from headway.store.records import RESOURCES, USER, Failure, Record

#: Seconds between two tries to settle an attempt while the datastore is in trouble.
_STORE_PAUSE = 5.0
#: Seconds for which the state of a pod that was asked to stop is waited for.
_REASON_PATIENCE = 3.0
#: The same while the pod is not known to have ended.
_END_PATIENCE = 20.0
_POLL = 0.1
_ENDED_WITH_GANG = Failure(USER, "Cancelled", "Stopped: another rank of the same gang ended.")


class EndHooks(NamedTuple):
    """What else happens when an attempt ends.

    Attributes:
        tell: Takes events for the launcher.
        ran: Called where the attempt's pod ran, as its record shows, with the facts of it.
        ended: Called once the attempt is over and told of, with its record.
    """

    tell: Sink
    ran: Callable[[TrackedJob, Attempt, Record], None]
    ended: Callable[[TrackedJob, Attempt, Record], None]


class Ends:
    """Brings attempts to their end.

    Args:
        settler: Reads or writes records.
        threads: For the datastore.
        jobs: All Jobs in hand.
        clock: Seconds of a clock that never jumps.
        hooks: What else happens.
    """

    def __init__(
        self,
        settler: Settler,
        threads: ThreadPoolExecutor,
        jobs: Jobs,
        clock: Callable[[], float],
        hooks: EndHooks,
    ) -> None:
        self._settler = settler
        self._threads = threads
        self._jobs = jobs
        self._clock = clock
        self._hooks = hooks

    async def settle(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None:
        """End an attempt that can have no further result.

        Args:
            job: Its Job.
            attempt: The attempt.
            failure: What counts where it left no record.
        """
        record, rest = await self._settled(job, attempt, cause(job, attempt, failure))
        if record.failure is not None and record.failure.reason == "Terminated" and attempt.cancelled is None:
            record = await self._with_reason(job, attempt, record, record.failure)
        if record.failure == _ENDED_WITH_GANG:
            await self._after_the_first(job)
        self._hooks.ran(job, attempt, record)
        if rest:
            self._hooks.tell(Output(attempt.ref, rest))
        self._jobs.end(job, attempt)
        self._hooks.tell(Ended(attempt.ref, record))
        self._hooks.ended(job, attempt, record)

    async def _after_the_first(self, job: TrackedJob) -> None:
        """Wait until it is told how the rank ended that the others followed, whose end may take longer to find out."""
        while any(each.settling and not each.follows for each in job.attempts.values()):  # noqa: ASYNC110
            await asyncio.sleep(_POLL)

    async def _settled(
        self, job: TrackedJob, attempt: Attempt, failure: Failure
    ) -> tuple[Record, tuple[tuple[str, float, str], ...]]:
        """The record that is true, and what was not shown yet; however long the datastore is in trouble."""
        facts = {}
        if attempt.pod:
            facts = {"kubernetes-pod-name": attempt.pod, "kubernetes-pod-namespace": job.namespace}
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(
                    self._threads, self._record_and_rest, job, attempt, failure, facts
                )
            except StoreError as error:
                self._hooks.tell(datastore_away(job.batch.step, attempt.ref, error))
                await asyncio.sleep(_STORE_PAUSE)

    def _record_and_rest(
        self, job: TrackedJob, attempt: Attempt, failure: Failure, facts: Mapping[str, str]
    ) -> tuple[Record, tuple[tuple[str, float, str], ...]]:
        """Both in one visit to a thread, as there is seldom anything that was not shown. Blocking."""
        record = self._settler.settle(
            job.batch, job.task(attempt), failure, facts, attempt.ended_at, began=attempt.began_at
        )
        return record, self._unshown(job, attempt, record)

    async def _with_reason(
        self, job: TrackedJob, attempt: Attempt, record: Record, failure: Failure
    ) -> Record:
        """The pod knows that it was asked to stop, and its state, a moment later, why; that is kept."""
        begun = self._clock()
        while attempt.stopped is None and self._clock() - begun < (  # noqa: ASYNC110
            # A node that evicts a pod says so only with its end, and a busy one says that late.
            _END_PATIENCE if attempt.pod in job.live_pods else _REASON_PATIENCE
        ):
            await asyncio.sleep(_POLL)
        if attempt.stopped is None:
            return record
        told = attempt.stopped._replace(traceback=failure.traceback, type=failure.type)
        better = record._replace(failure=told)
        with contextlib.suppress(StoreError):
            # For who reads it later; whose budget it spends is decided by what is told now.
            await asyncio.get_running_loop().run_in_executor(
                self._threads, self._settler.explain, job.batch, better
            )
        return better

    def _unshown(
        self, job: TrackedJob, attempt: Attempt, record: Record
    ) -> tuple[tuple[str, float, str], ...]:
        """What the attempt printed that was not shown yet."""
        rest: list[tuple[str, float, str]] = []
        for stream in STREAMS:
            shown = attempt.shown.get(stream, 0)
            if record.log_lines.get(stream, 0) > shown:
                rest += self._settler.log_after(job.batch, attempt.ref, stream, shown)
        return tuple(sorted(rest, key=lambda line: line[1]))


def is_broken(job: TrackedJob) -> bool:
    """Whether a rank of the gang has come to its end; those that do later may have done so for that."""
    return len(job.attempts) < len(job.batch.tasks) or any(each.settling for each in job.attempts.values())


def cause(job: TrackedJob, attempt: Attempt, failure: Failure) -> Failure:
    """Why an attempt ends that leaves no record; of a gang's ranks all may end at about the same time."""
    if job.batch.gang is None:
        return attempt.cancelled or failure
    if attempt.stopped is not None:
        return failure
    if attempt.cancelled is None:
        # The Job controller ends the others of a gang by itself.
        return _ENDED_WITH_GANG if attempt.follows and failure.reason == POD_DELETED else failure
    before = attempt.ended_at is not None and attempt.ended_at <= attempt.cancelled_at
    return failure if before and failure.kind in (USER, RESOURCES) else attempt.cancelled
