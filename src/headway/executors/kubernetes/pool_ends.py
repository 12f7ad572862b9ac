"""What becomes of the attempts that warm pods were given: how they are heard of, and how they end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from headway.errors import StoreError
from headway.executors.base import Ended, Output, Started, datastore_away
from headway.executors.kubernetes.feed import Report, texts
from headway.executors.kubernetes.tracked import Jobs, TrackedJob
from headway.executors.kubernetes.warm import Packed, Pool, PoolHooks, Worker
from headway.executors.kubernetes.warm_end import WarmEnd, is_gone_for_good
from headway.store.records import AttemptRef, Failure, Record

T = TypeVar("T")

#: Seconds between two tries while the datastore is in trouble.
_STORE_PAUSE = 5.0

#: Seconds between two looks at an order that is on its way.
_POLL = 0.05


class PoolEnds:
    """The attempts of all pools that have not ended.

    Args:
        end: Finds out how attempts ended whose pod is over.
        jobs: All Jobs in hand.
        hooks: What the executor does for pools.
        finished: Called with each attempt that has ended.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        end: WarmEnd,
        jobs: Jobs,
        hooks: PoolHooks,
        finished: Callable[[Packed], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._end = end
        self._jobs = jobs
        self._hooks = hooks
        self._finished = finished
        self._now = now
        self._attempts: dict[AttemptRef, tuple[Pool, Packed]] = {}
        #: Tasks whose last pod failed them: the next attempt gets a new one.
        self._want_new: set[tuple[str, str]] = set()

    def expect(self, pool: Pool, packed: Packed) -> bool:
        """An attempt is to come to its end; whether it wants a new pod, since the last one failed its task."""
        self._attempts[packed.ref] = pool, packed
        task = (packed.ref.step, packed.ref.task)
        new = task in self._want_new
        self._want_new.discard(task)
        return new

    def find(self, ref: AttemptRef) -> tuple[Pool, Packed] | None:
        """The attempt and its pool, None once it has ended."""
        return self._attempts.get(ref)

    def drop(self, pool: Pool, packed: Packed, failure: Failure) -> None:
        """End an attempt that no pod was told of."""
        packed.settling = True
        self._hooks.spawn(self._record_as_lost(pool, packed, failure, ""))

    def give_up(self, job: TrackedJob, packed: Packed, failure: Failure) -> None:
        """End an attempt that a pod has in hand which goes on: the pod meets the record, and leaves."""
        self._hooks.spawn(self._given_up(job, packed, failure))

    def heard(self, report: Report) -> bool:
        """What a pod reports; False where the attempt is not in these hands."""
        found = self._attempts.get(report.ref)
        if found is None:
            return False
        pool, packed = found
        if packed.settling:
            return True
        record = Record.decode(report.record) if report.record else None
        if packed.worker is not None:
            packed.began_at = packed.began_at or self._now()
            self._tell_started(packed, record.metadata if record else _pod_facts(packed.worker))
        if report.lines:
            packed.show(report.lines)
            self._hooks.sink(Output(packed.ref, texts(report.lines)))
        if record is not None:
            self._ended(pool, packed, record)
        return True

    def over(self, job: TrackedJob, worker: Worker, failure: Failure) -> None:
        """The pod has ended; what it had in hand ends with it."""
        if worker.settling:
            return
        worker.settling = True
        pool = worker.pool
        if pool is not None:
            pool.workers.remove(worker)
        self._hooks.spawn(self._settle_hand(job, worker, failure))

    async def _settle_hand(self, job: TrackedJob, worker: Worker, failure: Failure) -> None:
        while worker.writing:  # noqa: ASYNC110
            # What does not reach it is not lost.
            await asyncio.sleep(_POLL)
        settle = partial(self._end.settle_hand, worker, failure, job.namespace)
        settled = await self._insist(settle, job.batch.step) if worker.hand else []
        for packed, record in settled:
            found = self._attempts.get(packed.ref)
            if found is not None and not packed.settling:
                self._ended(found[0], packed, record)
        self._jobs.end(job, worker)
        self._hooks.ended(job, worker)

    def _ended(self, pool: Pool, packed: Packed, record: Record) -> None:
        """An attempt has this record; what it printed and nobody has seen, or why it was stopped, is still asked for."""
        packed.settling = True
        if self._end.is_whole(packed, record):
            self._finish(pool, packed, record)
        else:
            self._hooks.spawn(self._complete(pool, packed, record))

    async def _complete(self, pool: Pool, packed: Packed, record: Record) -> None:
        complete = partial(self._end.completed, packed, record)
        record, rest = await self._insist(complete, packed.ref.step, packed.ref)
        self._tell_started(packed, record.metadata)
        if rest:
            self._hooks.sink(Output(packed.ref, rest))
        self._finish(pool, packed, record)

    def _finish(self, pool: Pool, packed: Packed, record: Record) -> None:
        if is_gone_for_good(record):
            self._want_new.add((packed.ref.step, packed.ref.task))
        if record.metadata.get("python-version"):
            self._tell_started(packed, record.metadata)
        ran = max(0.001, record.ended - record.started) if record.failure is None else 0.0
        pool.ended(packed, ran)
        del self._attempts[packed.ref]
        self._hooks.sink(Ended(packed.ref, record))
        self._finished(packed)

    def _tell_started(self, packed: Packed, facts: Mapping[str, str]) -> None:
        if not packed.started:
            packed.started = True
            pod = facts.get("kubernetes-pod-name", "")
            self._hooks.sink(Started(packed.ref, f"pod {pod}", facts))

    async def _given_up(self, job: TrackedJob, packed: Packed, failure: Failure) -> None:
        found = self._attempts.get(packed.ref)
        if found is None or packed.settling or packed.worker is None:
            return
        packed.settling = True
        await self._record_as_lost(found[0], packed, failure, job.namespace)

    async def _record_as_lost(self, pool: Pool, packed: Packed, failure: Failure, namespace: str) -> None:
        settle = partial(self._end.settle, packed, packed.worker, failure, namespace)
        self._finish(pool, packed, await self._insist(settle, packed.ref.step, packed.ref))

    async def _insist(self, call: Callable[[], Awaitable[T]], step: str, ref: AttemptRef | None = None) -> T:
        """Make calls to the datastore, however long that is in trouble."""
        while True:
            try:
                return await call()
            except StoreError as error:
                self._hooks.sink(datastore_away(step, ref, error))
                await asyncio.sleep(_STORE_PAUSE)


def _pod_facts(worker: Worker) -> dict[str, str]:
    return {"kubernetes-pod-name": worker.pod} if worker.pod else {}
