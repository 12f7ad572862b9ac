"""Turns batches into Jobs within the run's limit of pods, and takes Jobs away again."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from headway.errors import StoreError
from headway.executors.guarded import guarded
from headway.executors.kubernetes.api.errors import AlreadyExists, ApiError, NotFound
from headway.executors.kubernetes.api.kinds import JOB, POD, SERVICE, Kind
from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.gangs import gang_service
from headway.executors.kubernetes.labels import BATCH, FLOW, JOB_NAME_LABELS, RUN
from headway.executors.kubernetes.planned import planned_job
from headway.executors.kubernetes.refusal import Refusal, job_refusal
from headway.executors.kubernetes.run_secret import RunSecret
from headway.executors.kubernetes.shares import Shares
from headway.executors.kubernetes.suspension import is_queued
from headway.executors.kubernetes.tracked import TrackedJob
from headway.store.base import ObjectStore
from headway.store.inbox import Inbox
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, Failure
from headway.store.stored_batch import store_batch

#: Seconds between tries while the cluster has no room for another Job, or does not answer.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_STORE_PAUSE = 5.0
#: Batches written at a time, and first orders of one Job.
_AT_ONCE = 16
#: Seconds within which a Job that waits is seen to be no longer wanted.
_LOOK = 0.5
#: How long a cluster in trouble is tried before the attempts fail as infrastructure's.
_GIVE_UP = 900.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom the submitter tells.

    Attributes:
        refused: A Job cannot be created: all its attempts end with this failure.
        waiting: (job, reason, message): why a Job is not created yet, "" once it is.
        withdrawn: A Job was taken away.
        broken: Something went wrong that must not go unheard.
    """

    refused: Callable[[TrackedJob, Failure], None]
    waiting: Callable[[TrackedJob, str, str], None]
    withdrawn: Callable[[TrackedJob], None]
    broken: Callable[[Exception], None]


class Submitter:
    """Creates, widens and deletes Jobs; every call returns at once, the work goes on in tasks.

    Args:
        cluster: The cluster.
        store: The datastore.
        limit: Pods at a time over all Jobs of the run.
        pod_env: Environment that pods need to reach the datastore.
        secret: The credentials lent to the run's pods, if any.
        hooks: Whom to tell.
    """

    def __init__(
        self,
        cluster: Prepared,
        store: ObjectStore,
        limit: int,
        pod_env: Mapping[str, str],
        secret: RunSecret,
        hooks: Hooks,
    ) -> None:
        self._client = cluster.client
        self._runtime_config_map = cluster.runtime_config_map
        self._runtime = cluster.runtime
        self._store = store
        self._pod_env = pod_env
        self._secret = secret
        self._hooks = hooks
        self._shares = Shares(limit, cluster.client.clock.monotonic)
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        # Of their own: a thousand writes in line elsewhere would hold up what everybody else asks of the datastore.
        self._threads = ThreadPoolExecutor(_AT_ONCE, "headway-batches")

    def submit(self, job: TrackedJob, delay: float = 0.0) -> None:
        """Create the Job once there is room for at least one of its pods; for all of them, if it is a gang.

        Args:
            job: The Job.
            delay: Seconds before which it is not created.
        """
        self._spawn(self._store_batch(job, delay))

    def adopt(self, job: TrackedJob) -> None:
        """Take over a Job that another launcher created."""
        self._shares.admit(job)

    def share(self) -> None:
        """Give free room to the Jobs that wait for it."""
        for job, parallelism in self._shares.give(self._busy):
            self._busy.add(job.name)
            job.parallelism, before = parallelism, job.parallelism
            self._spawn(self._widen(job, before))

    def withdraw(self, job: TrackedJob, *, now: bool) -> None:
        """Delete the Job and its pods, with the grace they were promised unless ``now``."""
        again = job.deleting
        job.deleting = True
        if job.created is None and job.name not in self._busy:
            self._hooks.withdrawn(job)
        elif job.created is not None and (now or not again):
            self._spawn(self._delete(job, now=now))

    async def settled(self) -> None:
        """Until every call under way has returned."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Give up every call under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def delete_pod(self, job: TrackedJob, pod: str, *, now: bool) -> None:
        """Delete one pod of a Job whose other attempts go on."""
        self._spawn(self._delete_pod(job, pod, now=now))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = guarded(work, self._hooks.broken)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store_batch(self, job: TrackedJob, delay: float) -> None:
        await self._pause(job, delay)
        while not job.deleting:
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._write, job)
                break
            except StoreError as error:
                self._hooks.waiting(job, "Datastore", error.message)
                await self._pause(job, _STORE_PAUSE)
        self._shares.admit(job)
        self.share()

    def _write(self, job: TrackedJob) -> None:
        """What its pods are to do. Blocking."""
        if job.inbox:
            self._write_orders(job)
        else:
            store_batch(self._store, job.batch)

    def _write_orders(self, job: TrackedJob) -> None:
        """The first order of each warm pod. Blocking."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            writes = [
                pool.submit(Inbox(self._store, f"{job.inbox}{index}/").write, order)
                for index, order in enumerate(job.orders)
            ]
        for write in writes:
            write.result()
        job.orders = ()

    async def _widen(self, job: TrackedJob, before: int) -> None:
        try:
            if job.created is None:
                await self._create(job)
            else:
                body = {"spec": {"parallelism": job.parallelism}}
                await self._client.patch(JOB, job.namespace, job.name, body)
        except ApiError as error:
            job.parallelism = before
            if not isinstance(error, NotFound):
                self._hooks.waiting(job, error.reason or "ApiError", error.message)
            # Of a Job that is gone the watch tells; the others are asked again.
            await self._pause(job, _FIRST_PAUSE)
        finally:
            self._busy.discard(job.name)
        if job.deleting:
            self.withdraw(job, now=False) if job.created is None else self._spawn(
                self._delete(job, now=False)
            )
        else:
            self.share()

    async def _create(self, job: TrackedJob) -> None:
        manifest = planned_job(job, self._runtime_config_map, self._store.url, self._pod_env)
        pause, begun = _FIRST_PAUSE, self._client.clock.monotonic()
        while not job.deleting:
            error = await self._try_to_create(job, manifest)
            if error is None:
                job.created = self._client.clock.monotonic()
                self._hooks.waiting(job, "", "")
                return
            why = job_refusal(error)
            failure = _refusal(error, why, waited=self._client.clock.monotonic() - begun)
            if failure is not None:
                self._hooks.refused(job, failure)
                return
            if why is not None:
                self._hooks.waiting(job, why.reason, f"the cluster refuses the Job: {why.words}. {why.hint}")
            else:
                self._hooks.waiting(job, error.reason or "ApiError", error.message)
            await self._pause(job, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _pause(self, job: TrackedJob, seconds: float) -> None:
        """Wait, but not for a Job that is no longer wanted."""
        until = self._client.clock.monotonic() + seconds
        while not job.deleting and (left := until - self._client.clock.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _LOOK))

    async def _try_to_create(self, job: TrackedJob, manifest: Mapping[str, Any]) -> ApiError | None:
        try:
            await self._secret.ensure(job.namespace)
            created = await self._create_or_find(job, manifest)
        except ApiError as error:
            return error
        if self._runtime is not None:
            # Beside all else: it is there but for who swept.
            self._spawn(self._runtime.keep(job.namespace))
        job.queued = is_queued(created)
        if job.batch.gang is not None:
            service = gang_service(job.settings, job.batch, job.batch.gang, created.metadata.uid)
            try:
                await self._client.create(SERVICE, job.namespace, service)
            except AlreadyExists:
                pass
            except ApiError as failed:
                # The ranks find each other without it; only their names are missing.
                self._hooks.waiting(job, "Service", f"its ranks have no names: {failed.message}")
        with contextlib.suppress(ApiError):
            # Without this owner the Secret still goes at the run's end, by the launcher's hand.
            await self._secret.give_to(created)
        return None

    async def _create_or_find(self, job: TrackedJob, manifest: Mapping[str, Any]) -> Job:
        try:
            return await self._client.create(JOB, job.namespace, manifest)
        except AlreadyExists:
            # The last call of a launcher that died while this one took stock may have arrived since.
            found = await self._client.get(JOB, job.namespace, job.name)
            labels = manifest["metadata"]["labels"]
            if any(found.metadata.labels.get(key) != labels[key] for key in (FLOW, RUN, BATCH)):
                raise
            return found

    async def _delete(self, job: TrackedJob, *, now: bool) -> None:
        pods = await self._pods_of(job) if now else set()
        await self._insist(job, "Job", JOB, job.name, None)
        if now:
            for pod in pods | job.live_pods:
                self.delete_pod(job, pod, now=True)
        self._hooks.withdrawn(job)

    async def _pods_of(self, job: TrackedJob) -> set[str]:
        """The pods of a Job that may still run, those that the watch has not told of yet among them."""
        if len(job.live_pods) >= job.parallelism:
            return set(job.live_pods)
        selector = f"{JOB_NAME_LABELS[0]}={job.name}"
        with contextlib.suppress(ApiError):  # what is known will have to do
            listed = await self._client.list(POD, job.namespace, label_selector=selector)
            return {*job.live_pods, *(pod.metadata.name for pod in listed.items)}
        return set(job.live_pods)

    async def _delete_pod(self, job: TrackedJob, pod: str, *, now: bool) -> None:
        await self._insist(job, f"pod {pod}", POD, pod, 0 if now else None)

    async def _insist(
        self, job: TrackedJob, what: str, kind: Kind[Any], name: str, grace_seconds: int | None
    ) -> None:
        """Delete an object, however often that takes."""
        while True:
            try:
                await self._client.delete(kind, job.namespace, name, grace_seconds=grace_seconds)
                return
            except ApiError as error:
                words = f"its {what} cannot be deleted: {error.message}"
                self._hooks.waiting(job, error.reason or "ApiError", words)
                await asyncio.sleep(_FIRST_PAUSE)


def _refusal(error: ApiError, why: Refusal | None, waited: float) -> Failure | None:
    """The failure of attempts whose Job cannot be created, None while trying again may help."""
    if why is not None:
        words = f"The cluster refuses the Job: {why.words}"
        return None if why.waits else Failure(CONFIGURATION, why.reason, words, why.hint)
    reason = error.reason or "ApiError"
    if not getattr(error, "transient", False):
        return Failure(
            CONFIGURATION, reason, f"The cluster refuses the Job: {error.message}", error.hint or ""
        )
    if waited > _GIVE_UP:
        return Failure(INFRASTRUCTURE, reason, error.message, error.hint or "")
    return None
