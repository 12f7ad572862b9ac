"""Gives attempts to warm pods: shares them out, and makes new pods where they are worth it."""

import asyncio
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor

from headway.config.fields import replace
from headway.config.kubernetes import DEFAULT_UID, KubernetesSettings
from headway.executors.kubernetes.courier import Courier
from headway.executors.kubernetes.feed import Report
from headway.executors.kubernetes.pool_ends import PoolEnds
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.executors.kubernetes.warm import Packed, Pool, PoolHooks, Worker
from headway.executors.kubernetes.warm_end import WarmEnd
from headway.executors.kubernetes.warm_jobs import warm_job
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.inbox import Inbox
from headway.store.records import AttemptRef, Failure

#: Kubernetes' word for a pod that no node takes.
_NO_ROOM = "Unschedulable"


class Pools:
    """All warm pods of a run.

    Args:
        store: The datastore.
        threads: For calls to it.
        jobs: All Jobs in hand.
        limit: Pods at a time over all Jobs of the run.
        end: Finds out how attempts ended whose pod is over.
        hooks: What the executor does for them.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: ObjectStore,
        threads: ThreadPoolExecutor,
        jobs: Jobs,
        limit: int,
        end: WarmEnd,
        hooks: PoolHooks,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._limit = limit
        self._end = end
        self._hooks = hooks
        self._clock = clock
        self._courier = Courier(threads, hooks, self._brought)
        self._ends = PoolEnds(end, jobs, hooks, self._finished)
        self._pools: list[Pool] = []
        self._made = 0
        self._dispatching = False
        self._closed = False

    def take(self, batch: Batch, settings: KubernetesSettings) -> None:
        """Take over a batch's attempts."""
        pool = next((pool for pool in self._pools if pool.takes(settings, batch)), None)
        if pool is None:
            pool = Pool.of(settings, batch)
            self._pools.append(pool)
        pool.expect(batch, settings)
        for index, task in enumerate(batch.tasks):
            packed = Packed(AttemptRef(batch.step, task.task, task.attempt), index, batch=batch)
            (pool.fresh.append if self._ends.expect(pool, packed) else pool.queue.add)(packed)
        self.dispatch()

    def restrict(self, namespaces: Container[str]) -> None:
        """From now on pods in these namespaces have the restricted profile, unless a person fixed another."""
        for pool in self._pools:
            if pool.settings.namespace in namespaces and pool.settings.security_profile == "auto":
                pool.settings = replace(pool.settings, security_profile="restricted")

    def unpin(self, namespaces: Container[str]) -> None:
        """From now on pods of the restricted profile in these namespaces leave their uid to the platform."""
        for pool in self._pools:
            if pool.settings.namespace in namespaces and pool.settings.restricted_uid == DEFAULT_UID:
                pool.settings = replace(pool.settings, restricted_uid=0)

    def cancel(self, refs: Iterable[AttemptRef], failure: Failure) -> list[TrackedJob]:
        """End these attempts.

        Returns:
            The Jobs in which nothing is wanted any more.
        """
        known = [found for ref in refs if (found := self._ends.find(ref)) is not None]
        touched: dict[str, TrackedJob] = {}
        for pool, packed in known:
            packed.cancelled = packed.cancelled or failure
            if packed.settling:
                # Its end is on its way.
                continue
            if packed.worker is None:
                self._ends.drop(pool, packed, failure)
            elif (job := self._job_of(packed.worker)) is not None:
                touched[job.name] = job
        for pool in {id(pool): pool for pool, _ in known}.values():
            pool.queue.forget_cancelled()
            pool.fresh = type(pool.fresh)(each for each in pool.fresh if each.cancelled is None)
        over: list[TrackedJob] = []
        for job in touched.values():
            hands = [each for worker in _workers(job) for each in worker.hand.values()]
            if all(each.cancelled for each in hands):
                over.append(job)
            else:
                for each in hands:
                    if each.cancelled is not None:
                        self._ends.give_up(job, each, each.cancelled)
        return over

    # Who does what.

    def dispatch(self) -> None:
        """Share out what waits, once all that has just happened is known; a run without warm pods costs it nothing."""
        if self._pools and not self._dispatching:
            self._dispatching = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._dispatching = False
        if self._closed:
            return
        for pool in self._pools:
            self._feed(pool)
        for pool in self._pools:
            self._grow(pool)
        self._make_room()

    def _feed(self, pool: Pool) -> None:
        """Give the pods that are there their next tasks."""
        for worker in sorted(pool.staying(), key=lambda each: len(each.hand)):
            if not pool.queue:
                return
            if not worker.writing and pool.wants_more(worker):
                chunk = pool.next_chunk(max(len(pool.staying()), pool.wanted()), worker)
                if chunk:
                    self._give(worker, chunk)

    def _give(self, worker: Worker, chunk: list[Packed]) -> None:
        for packed in chunk:
            worker.take(packed)
        if worker.placed is not None:
            # Its news is soon to come.
            worker.placed = self._clock()
        self._courier.send(worker, chunk)

    def _brought(self, worker: Worker, chunk: list[Packed], taken: bool) -> None:
        if not taken:
            # It has left; what it was never told of is for others, under the same numbers.
            worker.leaving = True
            pool = worker.pool
            for packed in reversed([each for each in chunk if not each.settling]):
                worker.let_go(packed)
                packed.worker = None
                if pool is not None and packed.cancelled is None:
                    pool.queue.put_back(packed)
                elif pool is not None and packed.cancelled is not None:
                    self._ends.drop(pool, packed, packed.cancelled)
        self.dispatch()

    def _grow(self, pool: Pool) -> None:
        """Make the pods that are missing, as far as there is room."""
        chunks = pool.new_chunks(self._room())
        if chunks:
            self._make(pool, chunks)

    def _make(self, pool: Pool, chunks: list[list[Packed]]) -> None:
        """One Job whose pods begin with these chunks."""
        self._made += 1
        job = warm_job(pool, chunks, self._made)
        for worker in _workers(job):
            worker.inbox = Inbox(self._store, f"{job.inbox}{worker.index}/", 1)
        self._hooks.submit(job)

    def _room(self) -> int:
        """How many more pods there may be."""
        return self._limit - sum(
            len(job.attempts) if job.inbox else min(len(job.attempts), job.parallelism) for job in self._jobs
        )

    def _make_room(self) -> None:
        """Idle pods leave where somebody waits for their place; where all work, one is given nothing more."""
        waiting = sum(any(_has_no_node(each) for each in job.attempts.values()) for job in self._jobs) + (
            sum(len(job.attempts) for job in self._jobs) > self._limit
        )
        hungry = [pool for pool in self._pools if pool.fresh or (pool.queue and not pool.staying())]
        if self._room() > 0:
            hungry = []
        need = waiting + len(hungry)
        if not need:
            return
        leaving = sum(each.leaving and not each.settling for pool in self._pools for each in pool.workers)
        for pool in self._pools:
            for worker in pool.staying():
                if leaving < need and worker.idle:
                    leaving += 1
                    self._courier.farewell(worker)
        if leaving < need and hungry:
            busy = [worker for pool in self._pools for worker in pool.staying() if not worker.writing]
            if busy:
                min(busy, key=lambda each: len(each.hand)).leaving = True

    async def leave(self) -> None:
        """Nothing more is given out, and all pods without work leave; returns once they are told."""
        self._closed = True
        idle = [each for pool in self._pools for each in pool.workers if each.idle]
        for worker in idle:
            worker.leaving = True
        await asyncio.gather(*(self._courier.say_farewell(worker) for worker in idle))

    # What becomes of it.

    def heard(self, report: Report) -> bool:
        """What a pod reports; False where the attempt is not in these hands."""
        return self._ends.heard(report)

    def over(self, job: TrackedJob, worker: Worker, failure: Failure) -> None:
        """The pod has ended; what it had in hand ends with it."""
        self._ends.over(job, worker, failure)

    def _finished(self, packed: Packed) -> None:
        worker = packed.worker
        if worker is not None and worker.leaving and not worker.hand and not worker.settling:
            self._courier.farewell(worker)
        self.dispatch()

    def _job_of(self, worker: Worker) -> TrackedJob | None:
        return next((job for job in self._jobs if job.attempts.get(worker.index) is worker), None)


def _workers(job: TrackedJob) -> list[Worker]:
    return [each for each in job.attempts.values() if isinstance(each, Worker)]


def _has_no_node(attempt: Attempt) -> bool:
    return attempt.standing is not None and attempt.standing.reason == _NO_ROOM
