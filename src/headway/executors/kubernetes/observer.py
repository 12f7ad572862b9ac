"""Follows a run's pods and Jobs through one watch each, and says what they mean for the attempts."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Protocol

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.api.kinds import EVENT, JOB, POD
from headway.executors.kubernetes.api.types import Job, Pod
from headway.executors.kubernetes.api.watch import watch
from headway.executors.kubernetes.api.watch_contact import Recovered, Trouble
from headway.executors.kubernetes.api.watch_view import Deleted, Synced
from headway.executors.kubernetes.labels import run_selector
from headway.executors.kubernetes.outcome import (
    Standstill,
    failure_of,
    gone,
    is_over,
    is_running,
    standstill,
    stop_reason,
)
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, USER, Failure

JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"

#: Seconds after which a Job without a pod is asked about.
_NO_POD_YET = 2.0
#: Seconds between two such questions; a Job may wait for its pods for hours, as under a queue.
_ASK_AGAIN = 10.0
#: Seconds for which a Job may be refused its pods before that counts as a wrong configuration.
_REFUSED_PATIENCE = 20.0
#: Seconds for which the pods of an ended Job may still be unheard of.
_STRAGGLERS = 3.0
_TICK = 1.0


class Listener(Protocol):
    """Whom the observer tells."""

    def running(self, job: TrackedJob, attempt: Attempt, facts: Mapping[str, str]) -> None: ...

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None: ...

    def trouble(self, message: str) -> None: ...

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None: ...

    def insecure(self, job: TrackedJob) -> bool: ...


class Observer:
    """Watches one run's objects.

    Args:
        client: The cluster.
        flow: The flow's name.
        run: The run's id.
        jobs: All Jobs in hand.
        listener: Whom to tell.
    """

    def __init__(self, client: KubernetesClient, flow: str, run: str, jobs: Jobs, listener: Listener) -> None:
        self._client = client
        self._selector = run_selector(flow, run)
        self._jobs = jobs
        self._listener = listener
        #: Attempts whose pod cannot start, with the reason: they fail once patience is over.
        self._stuck: dict[str, tuple[TrackedJob, Attempt, Standstill]] = {}
        #: When a Job was first seen ended while attempts of it had not, and why.
        self._ended_jobs: dict[str, tuple[float, Failure]] = {}
        self._refused: dict[str, float] = {}
        #: When the events of a Job without pods were last asked for.
        self._asked: dict[str, float] = {}

    def services(self, namespaces: Iterable[str]) -> list[Coroutine[Any, Any, None]]:
        """The loops to run: both watches of each namespace, and the clock."""
        loops = [work for name in namespaces for work in (self._watch_pods(name), self._watch_jobs(name))]
        return [*loops, self._tick()]

    async def _watch_pods(self, namespace: str) -> None:
        async for event in watch(self._client, POD, namespace, label_selector=self._selector):
            match event:
                case Synced(objects):
                    for pod in objects:
                        self._pod_changed(pod)
                case Deleted(pod):
                    self._pod_deleted(pod)
                case Trouble(message):
                    self._listener.trouble(message)
                case Recovered():
                    self._listener.trouble("")
                case _:
                    self._pod_changed(event.object)

    async def _watch_jobs(self, namespace: str) -> None:
        async for event in watch(self._client, JOB, namespace, label_selector=self._selector):
            match event:
                case Synced(objects):
                    for job in objects:
                        self._job_changed(job)
                case Deleted(job):
                    self._job_deleted(job)
                case Trouble() | Recovered():
                    # The watch of pods says it already.
                    continue
                case _:
                    self._job_changed(event.object)

    def _find(self, pod: Pod) -> tuple[TrackedJob, Attempt | None] | None:
        labels = pod.metadata.labels
        name = next((labels[label] for label in JOB_NAME_LABELS if label in labels), "")
        job = self._jobs.get(name)
        if job is None:
            return None
        index = int(pod.metadata.annotations.get(INDEX_ANNOTATION, "0"))
        return job, job.attempts.get(index)

    def _pod_changed(self, pod: Pod) -> None:
        found = self._find(pod)
        if found is None:
            return
        job, attempt = found
        ended = is_over(pod, job.container)
        (job.live_pods.discard if ended else job.live_pods.add)(pod.metadata.name)
        if attempt is None:
            return
        attempt.pod, attempt.pod_uid = pod.metadata.name, pod.metadata.uid
        attempt.stopped = attempt.stopped or stop_reason(pod)
        if pod.spec.node_name and attempt.placed is None:
            attempt.placed = self._client.clock.monotonic()
        if is_running(pod, job.container):
            self._listener.running(job, attempt, _facts(pod))
        if ended:
            self._goes_on(job, attempt)
            self._listener.over(job, attempt, failure_of(pod, job.container, job.batch.step))
        else:
            self._note_standstill(job, attempt, standstill(pod, job.container, job.settings.image))

    def _pod_deleted(self, pod: Pod) -> None:
        found = self._find(pod)
        if found is None:
            return
        job, attempt = found
        job.live_pods.discard(pod.metadata.name)
        if attempt is not None and attempt.pod_uid in ("", pod.metadata.uid):
            attempt.stopped = attempt.stopped or stop_reason(pod)
            why = attempt.stopped or gone(pod.metadata.name, job.batch.step)
            self._listener.over(job, attempt, why)

    def _note_standstill(self, job: TrackedJob, attempt: Attempt, why: Standstill | None) -> None:
        if why is None:
            self._goes_on(job, attempt)
            return
        if attempt.standing != why.reason:
            if attempt.pod not in self._stuck:
                # A wait for a node, however long, takes nothing from the patience with what comes after it.
                attempt.standing_since = self._client.clock.monotonic()
            attempt.standing = why.reason
            self._listener.standing(job, attempt, why.reason, why.message)
        if why.patience is not None:
            self._stuck[attempt.pod] = (job, attempt, why)

    def _goes_on(self, job: TrackedJob, attempt: Attempt) -> None:
        self._stuck.pop(attempt.pod, None)
        if attempt.standing:
            attempt.standing = ""
            self._listener.standing(job, attempt, "", "")

    def _job_changed(self, job: Job) -> None:
        tracked = self._jobs.get(job.metadata.name)
        if tracked is None or not tracked.attempts or job.metadata.name in self._ended_jobs:
            return
        for condition in job.status.conditions:
            if condition.type in ("Failed", "Complete") and condition.status == "True":
                kind = USER if condition.reason == "DeadlineExceeded" else INFRASTRUCTURE
                words = f"The Job {job.metadata.name} ended ({condition.reason}): {condition.message}"
                failure = Failure(kind, condition.reason or condition.type, words)
                self._ended_jobs[job.metadata.name] = (self._client.clock.monotonic(), failure)

    def _job_deleted(self, job: Job) -> None:
        tracked = self._jobs.get(job.metadata.name)
        if tracked is not None:
            tracked.deleting = True
            words = Failure(INFRASTRUCTURE, "JobDeleted", f"The Job {job.metadata.name} was deleted.")
            self._ended_jobs.setdefault(job.metadata.name, (self._client.clock.monotonic(), words))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            now = self._client.clock.monotonic()
            self._lose_patience(now)
            self._end_stragglers(now)
            await self._ask_about_missing_pods(now)

    def _lose_patience(self, now: float) -> None:
        for job, attempt, why in list(self._stuck.values()):
            if now - attempt.standing_since >= (why.patience or 0.0):
                self._stuck.pop(attempt.pod, None)
                words = f"Step {job.batch.step} cannot start: {why.message}"
                self._listener.over(job, attempt, Failure(CONFIGURATION, why.reason, words, why.hint))

    def _end_stragglers(self, now: float) -> None:
        for name, (since, failure) in list(self._ended_jobs.items()):
            job = self._jobs.get(name)
            if job is None or not job.attempts:
                del self._ended_jobs[name]
            elif now - since > _STRAGGLERS:
                for attempt in list(job.attempts.values()):
                    if attempt.pod not in job.live_pods:
                        self._listener.over(job, attempt, failure)

    async def _ask_about_missing_pods(self, now: float) -> None:
        """A Job that is refused its pods says so in events only."""
        for job in self._jobs:
            if (
                job.created is None
                or job.deleting
                or now - job.created < _NO_POD_YET
                or any(a.pod for a in job.attempts.values())
                or now - self._asked.get(job.name, 0.0) < _ASK_AGAIN
            ):
                continue
            self._asked[job.name] = now
            message = await self._why_no_pod(job)
            if not message:
                continue
            if "violates PodSecurity" in message and self._listener.insecure(job):
                continue
            since = self._refused.setdefault(job.name, now)
            if since == now:
                self._listener.standing(job, None, "FailedCreate", f"the cluster refuses its pods: {message}")
            if now - since > _REFUSED_PATIENCE and "exceeded quota" not in message:
                failure = Failure(
                    CONFIGURATION,
                    "FailedCreate",
                    f"The cluster refuses the pods of step {job.batch.step}: {message}",
                )
                for attempt in list(job.attempts.values()):
                    self._listener.over(job, attempt, failure)

    async def _why_no_pod(self, job: TrackedJob) -> str:
        selector = f"involvedObject.kind=Job,involvedObject.name={job.name},reason=FailedCreate"
        try:
            listed = await self._client.list(EVENT, job.namespace, field_selector=selector)
        except ApiError:
            # Events are a courtesy; who may not read them waits without the reason.
            return ""
        events = sorted(listed.items, key=lambda event: str(event.last_seen))
        return events[-1].message if events else ""


def _facts(pod: Pod) -> dict[str, str]:
    return {
        "kubernetes-pod-name": pod.metadata.name,
        "kubernetes-pod-namespace": pod.metadata.namespace,
        "kubernetes-pod-id": pod.metadata.uid,
        "kubernetes-node-name": pod.spec.node_name,
        "kubernetes-node-ip": pod.status.host_ip,
    }
