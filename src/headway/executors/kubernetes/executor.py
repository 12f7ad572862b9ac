"""Attempts as pods: a batch becomes one Job; pods are watched for speed, records are the truth."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Container, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.errors import StoreError
from headway.executors.base import Adoption, Broken, ExecutorEvent, Output, Sink, Started, Waiting
from headway.executors.guarded import guarded
from headway.executors.kubernetes.adopt import (
    DELETED,
    PODLESS,
    RECORDED,
    RESTRICTED,
    Inventory,
    all_recorded,
    ended_without_pod,
    is_going,
    take_inventory,
)
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.departure import Departure
from headway.executors.kubernetes.ends import EndHooks, Ends
from headway.executors.kubernetes.feed import FeedReader, Report, next_pause, texts
from headway.executors.kubernetes.gathering import Gatherer
from headway.executors.kubernetes.labels import run_selector
from headway.executors.kubernetes.lost_nodes import LostNodes
from headway.executors.kubernetes.names import container_name, job_name
from headway.executors.kubernetes.observer import Observer
from headway.executors.kubernetes.pools import PoolHooks, Pools
from headway.executors.kubernetes.run_secret import RunSecret
from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.submitter import Hooks, Submitter
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.executors.kubernetes.warm import ORPHANED, Worker, is_warm
from headway.executors.kubernetes.warm_end import WarmEnd
from headway.store.base import ObjectStore
from headway.store.records import INFRASTRUCTURE, LOST, AttemptRef, Batch, Failure, Record

#: Pods of one run at a time unless ``--max-workers`` says otherwise.
DEFAULT_LIMIT = 200

#: Datastore calls at a time.
_STORE_THREADS = 16
#: Seconds between two looks into the feed while the datastore is in trouble.
_STORE_PAUSE = 5.0
_POLL = 0.1


class KubernetesExecutor:
    """Runs attempts as pods of one cluster.

    Args:
        cluster: The cluster, checked and connected; closed by whom connected it.
        store: The datastore.
        flow: The flow's name.
        run: The run's id.
        settings: By step.
        pod_env: Environment that pods need to reach the datastore.
        limit: Pods at a time.
        credentials: Variables with the launcher's own access to the datastore, to be lent to the pods.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        cluster: Prepared,
        store: ObjectStore,
        flow: str,
        run: str,
        settings: Mapping[str, KubernetesSettings],
        pod_env: Mapping[str, str],
        limit: int = DEFAULT_LIMIT,
        credentials: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = cluster.client
        self._selector = run_selector(flow, run)
        self._secret = RunSecret(cluster.client, flow, run, credentials or {})
        lent = (self._secret.name,) if self._secret else ()
        self._settings = {step: replace(own, secrets=(*own.secrets, *lent)) for step, own in settings.items()}
        self._jobs = Jobs()
        self._settler = Settler(store, clock)
        self._feed = FeedReader(store, flow, run, int(clock() * 1000), clock)
        self._threads = ThreadPoolExecutor(_STORE_THREADS, "headway-store")
        self._tasks: set[asyncio.Task[None]] = set()
        self._services: list[asyncio.Task[None]] = []
        self._sink: Sink = lambda _: None
        self._cancelled = False
        hooks = Hooks(
            self._refused, self._job_waits, self._withdrawn, lambda error: self._sink(Broken(error))
        )
        self._clock = clock
        self._submitter = Submitter(cluster, store, self._jobs, limit, pod_env, self._secret, hooks)
        self._gatherer = Gatherer(store, self._jobs, cluster.client.clock.monotonic, self)
        self._pools = Pools(
            store,
            self._threads,
            self._jobs,
            limit,
            WarmEnd(self._settler, self._threads),
            PoolHooks(self._begin, self._tell, self._spawn, self._pod_left),
            cluster.client.clock.monotonic,
        )
        self._ends = Ends(
            self._settler,
            self._threads,
            self._jobs,
            cluster.client.clock.monotonic,
            EndHooks(self._tell, self._ran, self._ended),
        )
        self._departure = Departure(cluster.client, self._selector, self._jobs, self._submitter)
        self._observer = Observer(cluster.client, flow, run, self._jobs, self)
        self._lost_nodes = LostNodes(cluster.client, self._jobs, self, self._settler.beat, clock)
        self._of = (flow, run)
        self._restrict(cluster.restricted)

    async def open(self, sink: Sink) -> None:
        self._sink = sink
        self._services = [
            *(guarded(work, self._broken) for work in self._observer.services(self._namespaces())),
            guarded(self._lost_nodes.run(), self._broken),
            guarded(self._listen(), self._broken),
            guarded(self._gatherer.watch(), self._broken),
        ]

    async def start(self, batch: Batch) -> None:
        settings = self._settings[batch.step]
        if is_warm(settings, batch):
            if batch.memory is not None:
                settings = replace(settings, memory=batch.memory)
            self._pools.take(batch, settings)
            return
        attempts = {
            index: Attempt(AttemptRef(batch.step, task.task, task.attempt), index)
            for index, task in enumerate(batch.tasks)
        }
        self._submit(batch, attempts)

    def _submit(
        self,
        batch: Batch,
        attempts: dict[int, Attempt],
        delay: float = 0.0,
        tries: int = 0,
        before: TrackedJob | None = None,
    ) -> TrackedJob:
        """Make a Job of a batch; it goes on with the orders of the one before it, if there was one."""
        job = self._track(batch, attempts, tries, before)
        self._submitter.submit(job, delay)
        return job

    def _track(
        self,
        batch: Batch,
        attempts: dict[int, Attempt],
        tries: int = 0,
        before: TrackedJob | None = None,
    ) -> TrackedJob:
        settings = self._settings[batch.step]
        if batch.memory is not None:
            settings = replace(settings, memory=batch.memory)
        job = TrackedJob(
            name=job_name(batch.flow, batch.step, batch.run, batch.name),
            namespace=settings.namespace,
            batch=batch,
            settings=settings,
            container=container_name(batch.step),
            attempts=attempts,
            tries=tries,
            inbox=before.inbox if before else "",
            idle_timeout=before.idle_timeout if before else 0,
        )
        self._jobs.add(job)
        return job

    def _begin(self, job: TrackedJob) -> None:
        """Create the Job of warm pods."""
        self._jobs.add(job)
        self._submitter.submit(job)

    async def adopt(self, adoptions: Sequence[Adoption]) -> None:
        found = await take_inventory(self._client, self._namespaces(), self._selector, self.trouble)
        self._feed.rewind()
        self._secret.inherit(self._namespaces())
        adopted = [await self._adopt(each, found) for each in adoptions]
        # Pods that were heard of before their Jobs were known are heard of now.
        self._observer.saw(found.jobs.values(), found.pods)
        for tracked, job in adopted:
            for index in ended_without_pod(tracked, job) if job is not None else ():
                self.over(tracked, tracked.attempts[index], PODLESS)
        self._submitter.share()

    async def _adopt(self, adoption: Adoption, found: Inventory) -> tuple[TrackedJob, Job | None]:
        """Take a batch in hand: with its Job, where there is one, else with a new one, where it needs one."""
        running = found.job_of(adoption.batch)
        job, name = running or (None, adoption.batch.name)
        given = adoption.batch._replace(name=name)
        batch = await asyncio.to_thread(self._settler.batch, given) or given
        refs = [AttemptRef(batch.step, task.task, task.attempt) for task in batch.tasks]
        attempts = {index: Attempt(ref, index) for index, ref in enumerate(refs) if ref in adoption.refs}
        tracked = self._track(batch, attempts)
        if is_warm(self._settings[batch.step], batch):
            for attempt in list(attempts.values()):
                self.over(tracked, attempt, RECORDED if attempt.ref in adoption.recorded else ORPHANED)
            return tracked, None
        for attempt in list(attempts.values()):
            if attempt.ref in adoption.recorded:
                self.over(tracked, attempt, RECORDED)
            elif job is not None and is_going(job):
                self.over(tracked, attempt, DELETED)
        if job is not None:
            tracked.parallelism = job.spec.parallelism or 0
            tracked.created = self._client.clock.monotonic()
            tracked.deleting = is_going(job)
            self._submitter.adopt(tracked)
        elif not all_recorded(adoption):
            self._submitter.submit(tracked)
        return tracked, job

    def _namespaces(self) -> list[str]:
        return sorted({settings.namespace for settings in self._settings.values()})

    def _restrict(self, namespaces: Container[str]) -> None:
        """From now on pods in these namespaces have the restricted profile, unless a person fixed another."""
        for step, own in self._settings.items():
            if own.namespace in namespaces and own.security_profile == "auto":
                self._settings[step] = replace(own, security_profile="restricted")
        self._pools.restrict(namespaces)

    async def cancel(self, refs: tuple[AttemptRef, ...], failure: Failure, *, now: bool = False) -> None:
        self._cancelled = True
        for job in self._pools.cancel(refs, failure):
            self._submitter.withdraw(job, now=now)
        touched: dict[str, TrackedJob] = {}
        for ref in refs:
            found = self._jobs.find(ref)
            if found is not None:
                job, attempt = found
                attempt.cancelled_at = attempt.cancelled_at or self._clock()
                attempt.cancelled = attempt.cancelled or failure
                touched[job.name] = job
                if attempt.pod and not attempt.started:
                    # A container whose Python has not begun is deaf to SIGTERM: it finds a record and refuses.
                    self.over(job, attempt, failure)
        for job in touched.values():
            broken = job.batch.gang is not None and len(job.attempts) < len(job.batch.tasks)
            if all(attempt.cancelled for attempt in job.attempts.values()) and not broken:
                self._submitter.withdraw(job, now=now)
            else:
                for attempt in [each for each in job.attempts.values() if each.cancelled]:
                    if attempt.pod:
                        self._submitter.delete_pod(job, attempt.pod, now=now)
                    else:
                        # Its turn may still come; by then it has a record, and its pod refuses to begin.
                        self.over(job, attempt, failure)

    async def close(self, *, now: bool = False) -> None:
        """Take away what still runs, wait until it is gone, and let go of everything."""
        await self._pools.leave()
        await self._departure.clear(self._settings, cancelled=self._cancelled, now=now)
        await self._clear_feed()
        await self.let_go()
        with contextlib.suppress(ApiError):
            # What cannot be deleted now goes with the run's Jobs.
            await self._secret.remove()

    async def let_go(self) -> None:
        for task in (*self._services, *self._tasks):
            task.cancel()
        await self._submitter.stop()
        await asyncio.gather(*self._services, *self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _clear_feed(self) -> None:
        if any(job.busy for job in self._jobs):
            return
        with contextlib.suppress(StoreError):
            # What stays behind is only a little space.
            await asyncio.to_thread(self._feed.clear)
            await asyncio.to_thread(self._settler.forget_beats, *self._of)

    # What the observer tells.

    def running(self, job: TrackedJob, attempt: Attempt, facts: Mapping[str, str]) -> None:
        """The attempt's container runs."""
        if not attempt.started:
            attempt.started = True
            if not isinstance(attempt, Worker):
                self._sink(Started(attempt.ref, f"pod {attempt.pod}", facts))

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None:
        """Something stands still, or goes on again (no reason)."""
        ref = attempt.ref if attempt else None
        if isinstance(attempt, Worker):
            ref = next(iter(attempt.hand), None)
            self._pools.dispatch()
        self._sink(Waiting(job.batch.step, ref, reason, message))

    def trouble(self, message: str) -> None:
        """The cluster does not answer, or answers again (no message)."""
        self._sink(Waiting("", None, "ApiServer" if message else "", message))

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None:
        """The attempt can have no further result; the failure counts where it left no record."""
        if isinstance(attempt, Worker):
            self._pools.over(job, attempt, failure)
        elif not attempt.settling:
            attempt.settling = True
            self._spawn(self._ends.settle(job, attempt, failure))

    def insecure(self, job: TrackedJob) -> bool:
        """The namespace refuses the Job's pods as not secure enough; tells whether it is tried again as it wants."""
        if job.settings.security_profile != "auto":
            return False
        self._restrict((job.namespace,))
        words = f"namespace {job.namespace} enforces Pod Security restricted; its pods run as that asks from now on"
        self.standing(job, None, "Restricted", words)
        attempts, job.attempts = job.attempts, {}
        # Another name, and so another Job: the first one may take its time to go.
        batch = job.batch._replace(name=f"{job.batch.name}{RESTRICTED}")
        successor = self._submit(batch, attempts, before=job)
        self._spawn(self._withdraw_after(job, successor))
        return True

    async def _withdraw_after(self, job: TrackedJob, successor: TrackedJob) -> None:
        """Delete a Job once its successor is there: what both own must not be collected in between."""
        while successor.created is None and not successor.deleting and successor.attempts:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        self._submitter.withdraw(job, now=False)

    def lingering(self, job: TrackedJob, pod: str) -> None:
        """Only containers beside the step's go on in this pod: its attempt has ended, so nothing fails.

        The Job controller would count the pod as failed: a Job that has nothing more to do goes as a whole.
        """
        if job.attempts:
            self._submitter.delete_pod(job, pod, now=False)
        else:
            self._submitter.withdraw(job, now=False)

    def gathered(self) -> None:
        """Another gang may have its turn."""
        self._submitter.share()

    def given_up(self, job: TrackedJob, delay: float) -> None:
        """No rank of the gang began: it is tried again, its attempts untouched, in another Job."""
        attempts = {
            index: Attempt(attempt.ref, index, cancelled=attempt.cancelled)
            for index, attempt in job.attempts.items()
        }
        job.attempts = {}
        self._submitter.withdraw(job, now=False)
        name = job.batch.name.partition("-again-")[0]
        tries = job.tries + 1
        self._submit(job.batch._replace(name=f"{name}-again-{tries}"), attempts, delay, tries)

    # What the submitter tells.

    def _refused(self, job: TrackedJob, failure: Failure) -> None:
        for attempt in list(job.attempts.values()):
            self.over(job, attempt, failure)

    def _job_waits(self, job: TrackedJob, reason: str, message: str) -> None:
        self.standing(job, None, reason, message)

    def _withdrawn(self, job: TrackedJob) -> None:
        """Attempts without a pod are over now; the others end with their pods."""
        for attempt in list(job.attempts.values()):
            if not attempt.pod:
                self.over(
                    job, attempt, Failure(INFRASTRUCTURE, "JobDeleted", f"The Job {job.name} was deleted.")
                )

    # What pods report through the datastore.

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        troubled = False
        while True:
            placed = [attempt.placed for _, attempt in self._jobs.attempts() if attempt.placed is not None]
            youngest = self._client.clock.monotonic() - max(placed) if placed else None
            if youngest is not None:
                try:
                    for report in await loop.run_in_executor(
                        self._threads, self._feed.poll, self._threads, self._jobs.find
                    ):
                        self._heard(report)
                    if troubled:
                        troubled = False
                        self._sink(Waiting("", None, "", ""))
                except StoreError as error:
                    troubled = True
                    self._sink(Waiting("", None, "Datastore", error.message))
                    await asyncio.sleep(_STORE_PAUSE)
            await asyncio.sleep(next_pause(youngest) if youngest is not None else 0.1)

    def _heard(self, report: Report) -> None:
        if self._pools.heard(report):
            return
        found = self._jobs.find(report.ref)
        if found is None:
            return
        job, attempt = found
        # Once its end is being settled, what is not shown yet comes from its log.
        if report.lines and not attempt.settling:
            for line in report.lines:
                attempt.shown[line.stream] = attempt.shown.get(line.stream, 0) + (not line.continues)
            self._sink(Output(attempt.ref, texts(report.lines)))
        if report.ended:
            missing = Failure(
                INFRASTRUCTURE, "RecordMissing", "The pod reported a record that is not in the datastore."
            )
            self.over(job, attempt, missing)

    # How an attempt ends.

    def _ran(self, job: TrackedJob, attempt: Attempt, record: Record) -> None:
        if attempt.pod and record.outcome != LOST:
            self.running(job, attempt, record.metadata)

    def _ended(self, job: TrackedJob, attempt: Attempt, record: Record) -> None:
        self._freed()
        if record.outcome == LOST:
            self._clear_away(job, attempt)
        if job.settled:
            self._jobs.forget(job)

    def _pod_left(self, job: TrackedJob, worker: Worker) -> None:
        """A warm pod is over, or was given up."""
        self._clear_away(job, worker)
        self._freed()
        if job.settled:
            self._jobs.forget(job)

    def _tell(self, event: ExecutorEvent) -> None:
        self._sink(event)

    def _freed(self) -> None:
        """A pod's place may be free."""
        self._submitter.share()
        self._pools.dispatch()

    def _clear_away(self, job: TrackedJob, attempt: Attempt) -> None:
        """A lost attempt must not begin, or go on, behind our back; a pod that has ended stays to be looked at."""
        if attempt.pod in job.live_pods:
            self._submitter.delete_pod(job, attempt.pod, now=False)
        elif not attempt.pod and not job.attempts:
            self._submitter.withdraw(job, now=False)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = guarded(work, self._broken)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _broken(self, error: Exception) -> None:
        self._sink(Broken(error))
