"""Attempts as pods: a batch becomes one Job; pods are watched for speed, records are the truth."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from headway.config.kubernetes import DEFAULT_UID, KubernetesSettings
from headway.errors import StoreError
from headway.executors.base import Adoption, Broken, ExecutorEvent, Sink, Started, StopAsked, Waiting
from headway.executors.guarded import guarded
from headway.executors.kubernetes.adopt import PODLESS, Adopter, ended_without_pod, take_inventory
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.assignment import Assignments
from headway.executors.kubernetes.cancelling import Canceller
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.departure import Departure
from headway.executors.kubernetes.ends import EndHooks, Ends, is_broken
from headway.executors.kubernetes.feed import FeedReader
from headway.executors.kubernetes.gathering import Gatherer
from headway.executors.kubernetes.labels import run_selector
from headway.executors.kubernetes.lost_nodes import LostNodes
from headway.executors.kubernetes.observer import Observer
from headway.executors.kubernetes.planned import with_lent
from headway.executors.kubernetes.pools import Pools
from headway.executors.kubernetes.reports import ReportHooks, Reports
from headway.executors.kubernetes.rivals import Rivals
from headway.executors.kubernetes.run_secret import RunSecret
from headway.executors.kubernetes.security import is_restricted
from headway.executors.kubernetes.settle import Settler
from headway.executors.kubernetes.submitter import Hooks, Submitter
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob, attempts_of
from headway.executors.kubernetes.warm import PoolHooks, Worker
from headway.executors.kubernetes.warm_end import WarmEnd
from headway.executors.kubernetes.warm_settings import is_warm
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.records import INFRASTRUCTURE, LOST, SUCCEEDED, AttemptRef, Failure, Record

#: Pods of one run at a time unless ``--max-workers`` says otherwise.
DEFAULT_LIMIT = 200

#: Datastore calls at a time.
_STORE_THREADS = 16


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
        find_credentials: Finds them anew, as a session may end before the run does; blocking.
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
        find_credentials: Callable[[], Mapping[str, str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = cluster.client
        self._selector = run_selector(flow, run)
        self._secret = RunSecret(cluster.client, flow, run, credentials or {}, find_credentials)
        settings = with_lent(settings, self._secret.name if self._secret else None)
        self._jobs = Jobs()
        self._settler = Settler(store, clock)
        self._feed = FeedReader(store, flow, run, int(clock() * 1000), clock)
        self._threads = ThreadPoolExecutor(_STORE_THREADS, "headway-store")
        self._tasks: set[asyncio.Task[None]] = set()
        self._services: list[asyncio.Task[None]] = []
        self._sink: Sink = lambda _: None
        hooks = Hooks(
            self._refused, self._job_waits, self._withdrawn, lambda error: self._sink(Broken(error))
        )
        self._submitter = Submitter(cluster, store, limit, pod_env, self._secret, hooks)
        self._assignments = Assignments(settings, self._jobs, self._submitter, self._spawn)
        self._adopter = Adopter(cluster.client, self._settler, self._assignments, self._submitter, self.over)
        rivals = Rivals(cluster.client, flow, run)
        self._gatherer = Gatherer(store, rivals, self._jobs, cluster.client.clock.monotonic, self)
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
        self._reports = Reports(
            self._feed,
            self._threads,
            self._jobs,
            cluster.client.clock.monotonic,
            ReportHooks(self._tell, self._pools.heard, self.over),
        )
        self._canceller = Canceller(self._jobs, self._pools, self._submitter, self.over, clock)
        self._departure = Departure(cluster.client, self._selector, self._jobs, self._submitter)
        self._observer = Observer(cluster.client, flow, run, self._jobs, self)
        self._lost_nodes = LostNodes(cluster.client, self._jobs, self, self._settler.beat)
        self._of = (flow, run)
        self._assignments.restrict(cluster.restricted)

    async def open(self, sink: Sink) -> None:
        self._sink = sink
        self._services = [
            *(
                guarded(work, self._broken)
                for work in self._observer.services(self._assignments.namespaces())
            ),
            guarded(self._lost_nodes.run(), self._broken),
            guarded(self._reports.listen(), self._broken),
            guarded(self._gatherer.watch(), self._broken),
            guarded(self._secret.keep_fresh(), self._broken),
        ]

    async def start(self, batch: Batch) -> None:
        settings = self._assignments.settings(batch)
        if is_warm(settings, batch):
            self._pools.take(batch, settings)
            return
        self._assignments.submit(batch, attempts_of(batch))

    def _begin(self, job: TrackedJob) -> None:
        """Create the Job of warm pods."""
        self._jobs.add(job)
        self._submitter.submit(job)

    async def adopt(self, adoptions: Sequence[Adoption]) -> None:
        namespaces = self._assignments.namespaces()
        found = await take_inventory(self._client, namespaces, self._selector, self.trouble)
        self._feed.rewind()
        self._secret.inherit(namespaces)
        adopted = [await self._adopter.adopt(each, found) for each in adoptions]
        # Pods that were heard of before their Jobs were known are heard of now.
        self._observer.saw(found.jobs.values(), found.pods)
        for tracked, job in adopted:
            for index in ended_without_pod(tracked, job) if job is not None else ():
                self.over(tracked, tracked.attempts[index], PODLESS)
        self._submitter.share()

    async def cancel(self, refs: tuple[AttemptRef, ...], failure: Failure, *, now: bool = False) -> None:
        self._canceller.cancel(refs, failure, now=now)

    async def close(self, *, now: bool = False) -> None:
        """Take away what still runs, wait until it is gone, and let go of everything."""
        await self._pools.leave()
        await self._departure.clear(self._assignments.every(), cancelled=self._canceller.used, now=now)
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
            attempt.settling, attempt.follows = True, is_broken(job)
            self._spawn(self._ends.settle(job, attempt, failure))

    def insecure(self, job: TrackedJob) -> bool:
        """The namespace refuses the Job's pods as not secure enough; tells whether it is tried again as it wants."""
        if job.settings.security_profile != "auto":
            return False
        self._pools.restrict((job.namespace,))
        uid = job.settings.restricted_uid
        user = f", as user {uid} (restricted_uid=0: as the image's own)" if uid else ""
        words = f"namespace {job.namespace} enforces Pod Security: its pods run as *restricted* asks from now on{user}"
        self.standing(job, None, "Restricted", words)
        self._assignments.submit_restricted(job)
        return True

    def pinned(self, job: TrackedJob) -> bool:
        """The platform refuses the Job's pods their uid; tells whether it is tried again without one.

        A uid that a person chose stays: the refusal is then theirs to read.
        """
        if not is_restricted(job.settings) or job.settings.restricted_uid != DEFAULT_UID:
            return False
        self._pools.unpin((job.namespace,))
        words = (
            f"the platform chooses uids in namespace {job.namespace} itself: its pods name none from now on"
        )
        self.standing(job, None, "Restricted", words)
        self._assignments.submit_unpinned(job)
        return True

    def try_restricted(self, job: TrackedJob) -> None:
        """The Job has no pod, and *restricted* is the only thing that can be tried."""
        self._assignments.submit_on_trial(job)

    def relax(self, job: TrackedJob) -> None:
        """It was not that."""
        self._assignments.submit_relaxed(job)

    def restrict(self, namespace: str) -> None:
        """It was that: from now on all pods of the namespace are so."""
        self._assignments.restrict((namespace,))
        self._pools.restrict((namespace,))

    def idle(self, job: TrackedJob) -> None:
        """The Job is suspended, and nothing in it is wanted any more: it would wait for its turn for ever."""
        if not job.deleting:
            self._submitter.withdraw(job, now=False)

    def lingering(self, job: TrackedJob, pod: str) -> None:
        """Only containers beside the step's go on in this pod: its attempt has ended, so nothing fails.

        The Job controller counts such a pod as failed: a Job that has nothing more to do goes as a whole.
        """
        if job.attempts:
            job.miscounted = True
            self._submitter.delete_pod(job, pod, now=False)
        else:
            self._submitter.withdraw(job, now=False)

    def stop_asked(self, who: str) -> None:
        """The run is to stop."""
        self._sink(StopAsked(who))

    def settled(self, job: TrackedJob) -> None:
        """Nothing of the Job is of interest any more.

        One that says *Failed* although no attempt in it did would mislead whoever looks at it, and there is no rule
        by which a Job could count a pod otherwise than its worst container: it goes.
        """
        if job.miscounted and not (job.failed or job.deleting):
            self._submitter.withdraw(job, now=False)
        self._jobs.forget(job)

    def gathered(self) -> None:
        """Another gang may have its turn."""
        self._submitter.share()

    def given_up(self, job: TrackedJob, delay: float) -> None:
        """No rank of the gang began: it is tried again, its attempts untouched, in another Job."""
        self._assignments.submit_again(job, delay)

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

    # How an attempt ends.

    def _ran(self, job: TrackedJob, attempt: Attempt, record: Record) -> None:
        if attempt.pod and record.outcome != LOST:
            self.running(job, attempt, record.metadata)

    def _ended(self, job: TrackedJob, attempt: Attempt, record: Record) -> None:
        self._freed()
        job.failed = job.failed or record.outcome != SUCCEEDED
        if record.outcome == LOST:
            self._clear_away(job, attempt)
        self._leave_queue(job)
        if job.settled:
            self.settled(job)

    def _pod_left(self, job: TrackedJob, worker: Worker) -> None:
        """A warm pod is over, or was given up."""
        self._clear_away(job, worker)
        self._freed()
        self._leave_queue(job)
        if job.settled:
            self.settled(job)

    def _leave_queue(self, job: TrackedJob) -> None:
        if job.suspended and not job.attempts:
            self.idle(job)

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
