"""Follows a run's pods and Jobs through one watch each, and says what they mean for the attempts."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Protocol

from headway.config.spec_args import extra_text
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import JOB, POD
from headway.executors.kubernetes.api.types import Job, Pod
from headway.executors.kubernetes.api.watch import watch
from headway.executors.kubernetes.api.watch_contact import Recovered, Trouble
from headway.executors.kubernetes.api.watch_view import Deleted, Synced
from headway.executors.kubernetes.deadlines import deadline_advice
from headway.executors.kubernetes.inquiry import Inquirer
from headway.executors.kubernetes.labels import JOB_NAME_LABELS, STOPPED_BY, run_selector
from headway.executors.kubernetes.outcome import failure_of, gone, noted_task, overdue, stop_reason, suspended
from headway.executors.kubernetes.pod_events import INITIALIZING, PULLING
from headway.executors.kubernetes.pod_states import (
    began_at,
    ended_at,
    has_company,
    has_run,
    init_in_the_way,
    is_finished,
    is_miscounted,
    is_over,
    lingers,
    node_is_silent,
)
from headway.executors.kubernetes.refusal import Refusal
from headway.executors.kubernetes.refusals import Listener as RefusalListener
from headway.executors.kubernetes.refusals import Refusals
from headway.executors.kubernetes.standstill import Standstill, standstill
from headway.executors.kubernetes.suspension import Suspensions, Vanished
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.runtime.limits import duration
from headway.store.records import INFRASTRUCTURE, Failure

INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"

#: Seconds for which the pods of an ended Job may still be unheard of.
_STRAGGLERS = 3.0
#: Seconds after which what still stands is told again.
_TELL_AGAIN = 300.0
#: Seconds for which other containers of a pod may go on once the step's has ended.
_COMPANY_LEAVES = 5.0
_TICK = 1.0


class Listener(RefusalListener, Protocol):
    """Whom the observer tells."""

    def running(self, job: TrackedJob, attempt: Attempt, facts: Mapping[str, str]) -> None: ...

    def trouble(self, message: str) -> None: ...

    def idle(self, job: TrackedJob) -> None: ...

    def lingering(self, job: TrackedJob, pod: str) -> None: ...

    def stop_asked(self, who: str) -> None: ...

    def settled(self, job: TrackedJob) -> None: ...


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
        self._inquirer = Inquirer(client, jobs, self)
        self._stop_asked = False
        #: Attempts whose pods stand still, by pod: they are told of again, and fail once patience is over.
        self._stuck: dict[str, tuple[TrackedJob, Attempt]] = {}
        #: When a Job was first seen ended while attempts of it had not, and why.
        self._ended_jobs: dict[str, tuple[float, Failure]] = {}
        self._refusals = Refusals(client.clock.monotonic, listener, _TELL_AGAIN)
        self._vanished = Vanished(client.clock.monotonic, listener.over, self._goes_on)
        self._suspensions = Suspensions(
            lambda job, reason, message: self._listener.standing(job, None, reason, message), _TELL_AGAIN
        )

    def services(self, namespaces: Iterable[str]) -> list[Coroutine[Any, Any, None]]:
        """The loops to run: both watches of each namespace, and the clock."""
        loops = [work for name in namespaces for work in (self._watch_pods(name), self._watch_jobs(name))]
        return [*loops, self._tick(), self._inquirer.run()]

    def saw(self, jobs: Iterable[Job], pods: Iterable[Pod]) -> None:
        """Take in what was found otherwise than by watching."""
        for pod in pods:
            self._pod_changed(pod)
        for job in jobs:
            self._job_changed(job)

    async def _watch_pods(self, namespace: str) -> None:
        pods = watch(self._client, POD, namespace, self._selector, matters=lambda pod: not is_finished(pod))
        async for event in pods:
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
        jobs = watch(self._client, JOB, namespace, self._selector, matters=lambda job: not job.ended)
        async for event in jobs:
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
        self._refusals.has_pod(job)
        name, ended = pod.metadata.name, is_over(pod, job.container)
        (job.live_pods.discard if ended else job.live_pods.add)(name)
        self._note_company(job, pod)
        job.miscounted = job.miscounted or is_miscounted(pod, job.container)
        if attempt is None:
            self._forget_if_settled(job)
            return
        now = self._client.clock.monotonic()
        advice = _advice(job, pod)
        if attempt.pod != name:
            attempt.pod, attempt.pod_uid, attempt.seen = name, pod.metadata.uid, now
        attempt.node, attempt.unready = pod.spec.node_name, node_is_silent(pod, job.container)
        self._note_init(attempt, pod)
        attempt.stopped = attempt.stopped or stop_reason(pod, job.container, advice)
        attempt.began_at = attempt.began_at or began_at(pod, job.container)
        attempt.ended_at = attempt.ended_at or ended_at(pod, job.container)
        if pod.spec.node_name and attempt.placed is None:
            attempt.placed, attempt.noted = now, None
        if has_run(pod, job.container):
            self._listener.running(job, attempt, _facts(pod))
        if ended:
            why = failure_of(pod, job.container, job.batch.step, advice, extra_text(job.settings, "nodeName"))
            self._ended(job, attempt, pod, why)
        else:
            patience = float(job.settings.start_failure_timeout)
            at_once = job.settings.fail_on_container_waiting_reasons
            state = standstill(pod, job.container, job.settings.image, patience, at_once)
            attempt.shown_by_state = state
            # What its events said stands until it runs, or until they say something else.
            noted = attempt.noted if not has_run(pod, job.container) else None
            self._note_standstill(job, attempt, _weightier(state, noted))

    def _ended(self, job: TrackedJob, attempt: Attempt, pod: Pod, why: Failure) -> None:
        if pod.metadata.deletion_timestamp and not has_run(pod, job.container):
            # It was deleted, and its node says so first.
            self._vanished.saw(job, attempt, pod.metadata.uid, why)
            return
        self._goes_on(job, attempt)
        attempt.ran_last = noted_task(pod, job.container)
        self._listener.over(job, attempt, why)

    def _note_init(self, attempt: Attempt, pod: Pod) -> None:
        """What runs before the step's container; what was said of one that is done by now is over."""
        init = init_in_the_way(pod)
        attempt.init = init.name if init is not None and init.state and init.state.running else ""
        if not attempt.init and attempt.noted is not None and attempt.noted.reason == INITIALIZING:
            attempt.noted = None

    def _note_company(self, job: TrackedJob, pod: Pod) -> None:
        name = pod.metadata.name
        if not has_company(pod, job.container):
            job.company.pop(name, None)
        elif job.company.get(name) is None:
            alone = lingers(pod, job.container)
            job.company[name] = self._client.clock.monotonic() if alone else None

    def _pod_deleted(self, pod: Pod) -> None:
        found = self._find(pod)
        if found is None:
            return
        job, attempt = found
        job.live_pods.discard(pod.metadata.name)
        job.company.pop(pod.metadata.name, None)
        if attempt is not None and attempt.pod_uid in ("", pod.metadata.uid):
            advice = _advice(job, pod)
            attempt.stopped = attempt.stopped or stop_reason(pod, job.container, advice)
            why = attempt.stopped or gone(pod, job.container, job.batch.step)
            self._vanished.saw(job, attempt, pod.metadata.uid, why)
        self._forget_if_settled(job)

    def _forget_if_settled(self, job: TrackedJob) -> None:
        if job.settled:
            self._listener.settled(job)

    def _note_standstill(self, job: TrackedJob, attempt: Attempt, why: Standstill | None) -> None:
        if why is None:
            self._goes_on(job, attempt)
            return
        known = attempt.standing
        if known is not None and known.reason == why.reason and why.vague:
            return
        now = self._client.clock.monotonic()
        if known is None or _begins(known, why):
            attempt.standing_since = now
        attempt.standing = why
        self._stuck[attempt.pod] = (job, attempt)
        if known is None or known.reason != why.reason:
            self._tell(job, attempt, why, now)

    def _tell(
        self, job: TrackedJob, attempt: Attempt, why: Standstill, now: float, since: float = 0.0
    ) -> None:
        attempt.told = now
        still = f" (for {duration(round(since))} now)" if since else ""
        # No failure will say it.
        hint = f". {why.hint}" if why.patience is None and why.hint else ""
        self._listener.standing(job, attempt, why.reason, f"{why.in_full}{still}{hint}")

    def _goes_on(self, job: TrackedJob, attempt: Attempt) -> None:
        self._stuck.pop(attempt.pod, None)
        if attempt.standing is not None:
            attempt.standing = None
            self._listener.standing(job, attempt, "", "")

    # What was asked for.

    def noted(self, job: TrackedJob, attempt: Attempt, why: Standstill | None) -> None:
        """The events of a pod that does not run were read."""
        attempt.noted = why
        self._note_standstill(job, attempt, _weightier(attempt.shown_by_state, why))

    def refused(self, job: TrackedJob, why: Refusal) -> None:
        """The cluster refuses the Job its pods."""
        self._refusals.refused(job, why)

    def unexplained(self, job: TrackedJob) -> None:
        """It has no pod, and the events that would say why may not be read."""
        self._refusals.unexplained(job)

    def _job_changed(self, job: Job) -> None:
        if job.metadata.deletion_timestamp is None:
            self._heed(job)
        tracked = self._jobs.get(job.metadata.name)
        if tracked is None or job.metadata.name in self._ended_jobs:
            return
        if not tracked.attempts:
            if job.spec.suspend:
                self._listener.idle(tracked)
            return
        self._suspensions.seen(tracked, job, self._client.clock.monotonic())
        if tracked.suspended:
            # Said before its pods are deleted, which by itself would tell nothing.
            for attempt in tracked.attempts.values():
                if attempt.started:
                    attempt.stopped = attempt.stopped or suspended(job.metadata.name, tracked.batch.step)
        for condition in job.status.conditions:
            if condition.status != "True":
                continue
            words = f"The Job {job.metadata.name} ended ({condition.reason}): {condition.message}"
            failure = Failure(INFRASTRUCTURE, condition.reason or condition.type, words)
            if condition.reason == "DeadlineExceeded":
                failure = overdue(job.metadata.name, tracked.batch.step)
                # Said before its pods are deleted, which by itself would tell nothing.
                for attempt in tracked.attempts.values():
                    attempt.stopped = attempt.stopped or failure
            if condition.type in ("Failed", "Complete"):
                self._ended_jobs[job.metadata.name] = (self._client.clock.monotonic(), failure)

    def _heed(self, job: Job) -> None:
        """Somebody who does not know the run's datastore may have left word on one of its Jobs."""
        who = job.metadata.annotations.get(STOPPED_BY)
        if who and not self._stop_asked:
            self._stop_asked = True
            self._listener.stop_asked(who)

    def _job_deleted(self, job: Job) -> None:
        self._heed(job)
        tracked = self._jobs.get(job.metadata.name)
        if tracked is not None:
            tracked.deleting = True
            words = Failure(INFRASTRUCTURE, "JobDeleted", f"The Job {job.metadata.name} was deleted.")
            self._ended_jobs.setdefault(job.metadata.name, (self._client.clock.monotonic(), words))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.look(self._client.clock.monotonic())

    def look(self, now: float) -> None:
        """Do what time brings: lose patience, tell again, end what was missed."""
        self._vanished.look(now)
        self._lose_patience(now)
        self._refusals.look(now)
        self._end_stragglers(now)
        self._send_company_away(now)
        self._suspensions.look(now)

    def _lose_patience(self, now: float) -> None:
        for job, attempt in list(self._stuck.values()):
            why, since = attempt.standing, now - attempt.standing_since
            if why is None or attempt.settling:
                self._stuck.pop(attempt.pod, None)
            elif why.patience is not None and since >= why.patience:
                self._stuck.pop(attempt.pod, None)
                words = f"Step {job.batch.step} cannot start: {why.message}"
                self._listener.over(job, attempt, Failure(why.kind, why.reason, words, why.advice))
            elif now - attempt.told >= _TELL_AGAIN:
                self._tell(job, attempt, why, now, since)

    def _send_company_away(self, now: float) -> None:
        """A sidecar that never ends must not keep its pod, nor the pod's room, once the step is done."""
        for job in self._jobs:
            for pod, since in list(job.company.items()):
                if since is not None and now - since >= _COMPANY_LEAVES:
                    # Asked for once; again much later, should it still be there.
                    job.company[pod] = now + _TELL_AGAIN
                    self._listener.lingering(job, pod)

    def _end_stragglers(self, now: float) -> None:
        for name, (since, failure) in list(self._ended_jobs.items()):
            job = self._jobs.get(name)
            if job is None or not job.attempts:
                del self._ended_jobs[name]
            elif now - since > _STRAGGLERS:
                for attempt in list(job.attempts.values()):
                    if attempt.pod not in job.live_pods:
                        self._listener.over(job, attempt, failure)


def _begins(known: Standstill, why: Standstill) -> bool:
    """Whether another wait begins: one for a node, however long, takes nothing from the patience with what follows."""
    if why.patience is None:
        return known.patience is not None or known.reason != why.reason
    return known.patience is None


def _weightier(state: Standstill | None, noted: Standstill | None) -> Standstill | None:
    """Of what the pod's state and its events say, what tells more: a wait without an end gives way."""
    if state is None or noted is None:
        return state or noted
    # An image that is pulled again tells less than why the last time failed.
    return state if state.patience is not None or noted.reason == PULLING else noted


def _facts(pod: Pod) -> dict[str, str]:
    return {
        "kubernetes-pod-name": pod.metadata.name,
        "kubernetes-pod-namespace": pod.metadata.namespace,
        "kubernetes-pod-id": pod.metadata.uid,
        "kubernetes-node-name": pod.spec.node_name,
        "kubernetes-node-ip": pod.status.host_ip,
    }


def _advice(job: TrackedJob, pod: Pod) -> str:
    """What to raise, where the pod was stopped at its deadline; pods by the thousand are not."""
    return deadline_advice(job.settings, job.batch) if pod.status.reason == "DeadlineExceeded" else ""
