"""Asks why what stands still does: the events of Jobs without pods and of pods that do not run, and the nodes.

A loop of its own, with few questions at a time: neither a slow answer nor many pods that wait delay
what the watches tell. Events and nodes are a courtesy of the cluster: who may not read them waits
without the reason.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from headway.config.spec_args import extra_text
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden
from headway.executors.kubernetes.api.kinds import NODE
from headway.executors.kubernetes.api.types import Event, Node
from headway.executors.kubernetes.bound import missing
from headway.executors.kubernetes.event_lists import About, EventLists
from headway.executors.kubernetes.fitting import Fit, fit
from headway.executors.kubernetes.needs import ASKING_POD
from headway.executors.kubernetes.pod_events import (
    in_order,
    initializing,
    scaling,
    setting_up,
    unbound,
)
from headway.executors.kubernetes.refusal import Refusal, refusal
from headway.executors.kubernetes.standstill import Standstill
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.executors.kubernetes.unplaced import NEVER, TOO_LARGE, unplaced
from headway.executors.kubernetes.volumes import claims

#: Seconds after which a Job without a pod, and a pod that does not run, are asked about.
_NO_POD_YET = 2.0
_NOT_RUNNING = 6.0
#: Seconds between two questions about the same thing: at first, and at most. A pod may wait for days.
_ASK_AGAIN, _ASK_RARELY = 10.0, 60.0
#: Questions at a time, and pods of one Job that are asked about in a round: what holds for three holds for all.
_AT_A_TIME, _PER_JOB = 8, 3
#: Things that are asked about; when there are more, those are forgotten that nobody asked about for long.
_MOST_DUE = 1000
#: Seconds for which the list of nodes is good.
_NODES_KEPT = 60.0
#: Nodes beyond which a list of them costs more than it tells.
_MOST_NODES = 500
_ROUND = 1.0


class Answers(Protocol):
    """Whom the answers are told."""

    def refused(self, job: TrackedJob, why: Refusal) -> None:
        """The cluster refuses the Job its pods."""
        ...

    def unexplained(self, job: TrackedJob) -> None:
        """The Job has no pod, and why may not be read."""
        ...

    def noted(self, job: TrackedJob, attempt: Attempt, why: Standstill | None) -> None:
        """Why a pod does not run, beyond what its state shows; None where nothing says so."""
        ...


class Inquirer:
    """Asks about what stands still.

    Args:
        client: The cluster.
        jobs: All Jobs in hand.
        answers: Whom to tell.
    """

    def __init__(self, client: KubernetesClient, jobs: Jobs, answers: Answers) -> None:
        self._client = client
        self._jobs = jobs
        self._answers = answers
        #: When each Job and pod is asked about next, and the pause after that.
        self._due: dict[str, tuple[float, float]] = {}
        self._nodes: tuple[Node, ...] | None = None
        self._nodes_at = 0.0
        self._may_see_nodes = True
        self._room = asyncio.Semaphore(_AT_A_TIME)
        self._events = EventLists(client, self._room)

    async def run(self) -> None:
        """The loop; until it is cancelled."""
        while True:
            await asyncio.sleep(_ROUND)
            now = self._client.clock.monotonic()
            self._forget(now)
            lacking = [job for job in self._jobs if self._lacks_pods(job, now)]
            for job in lacking:
                if job.namespace in self._events.closed and not any(
                    each.pod for each in job.attempts.values()
                ):
                    self._answers.unexplained(job)
            jobs = [job for job in lacking if job.attempts and self._is_due(job.name, now)]
            pods = self._standing(now)
            await self._events.expect([*map(_creating, jobs), *(_running(job) for job, _ in pods)])
            questions = [
                *(self._ask_about_job(job) for job in jobs),
                *(self._ask_about_pod(*pod) for pod in pods),
            ]
            await asyncio.gather(*questions)

    def _lacks_pods(self, job: TrackedJob, now: float) -> bool:
        if job.created is None or job.deleting or job.suspended or not job.attempts:
            return False
        if now - job.created < _NO_POD_YET:
            return False
        if len(job.live_pods) >= min(job.parallelism, len(job.attempts)):
            self._due.pop(job.name, None)
            return False
        return True

    def _standing(self, now: float) -> list[tuple[TrackedJob, Attempt]]:
        chosen: list[tuple[TrackedJob, Attempt]] = []
        for job in self._jobs:
            waiting = [
                attempt
                for attempt in job.attempts.values()
                if attempt.pod
                and not (attempt.started or attempt.settling)
                and now - attempt.seen >= _NOT_RUNNING
            ]
            chosen += [(job, each) for each in waiting[:_PER_JOB] if self._is_due(each.pod, now)]
        return chosen

    def _is_due(self, name: str, now: float) -> bool:
        at, pause = self._due.get(name, (0.0, _ASK_AGAIN))
        if now < at:
            return False
        self._due[name] = (now + pause, min(pause * 1.5, _ASK_RARELY))
        return True

    def _forget(self, now: float) -> None:
        """What was not asked about for long runs by now, or is gone: a run may have very many pods."""
        if len(self._due) > _MOST_DUE:
            self._due = {name: due for name, due in self._due.items() if due[0] + _ASK_RARELY > now}

    async def _ask_about_job(self, job: TrackedJob) -> None:
        events = await self._events.of(_creating(job), job.name)
        if events and job.attempts and not job.deleting:
            self._answers.refused(job, refusal(in_order(events)[-1].message))

    async def _ask_about_pod(self, job: TrackedJob, attempt: Attempt) -> None:
        patience = float(job.settings.start_failure_timeout)
        events = await self._events.of(_running(job), attempt.pod)
        if attempt.started or attempt.settling:
            return
        if attempt.node:
            why = setting_up(events or (), job.settings.image, patience)
            if why is None and attempt.init:
                why = initializing(attempt.pod, attempt.init)
            elif why is None and extra_text(job.settings, "nodeName") == attempt.node:
                nodes = await self._readable_nodes()
                why = missing(attempt.node, nodes, patience) if nodes is not None else None
            self._answers.noted(job, attempt, why)
        elif (known := attempt.shown_by_state) is None:
            # Of a pod that has a node but for its volume, which is being made, the scheduler says nothing at all.
            self._answers.noted(job, attempt, await self._unbound(job) or attempt.noted)
        elif known.reason == "Unschedulable":
            # Asked every time: an autoscaler may act late, or fail at last.
            why = await self._unbound(job) if known.unbound else None
            self._answers.noted(job, attempt, why or await self._unscheduled(job, attempt.pod, known, events))

    async def _unbound(self, job: TrackedJob) -> Standstill | None:
        """Why one of the pod's volume claims has no volume."""
        for claim in claims(job.settings):
            events = await self._events.of(About(job.namespace, "PersistentVolumeClaim"), claim)
            if why := unbound(claim, events or ()):
                return why
        return None

    async def _unscheduled(
        self, job: TrackedJob, pod: str, known: Standstill, events: Sequence[Event] | None
    ) -> Standstill | None:
        """What is known of a pod without a node beyond the scheduler's words."""
        if known.patience is not None:
            return None
        scaler = scaling(events or ())
        found = None if scaler.makes else await self._fit(job.namespace, pod)
        ranks = 1 if job.batch.gang is None else len(job.batch.tasks)
        limit = float(job.settings.unschedulable_timeout)
        # Without events an autoscaler may be at work unseen.
        sure = known if events is not None else replace(known, fixed=False)
        why = unplaced(sure, scaler, found, ranks, limit, job.unfit_for)
        if why is None or why.reason not in (NEVER, TOO_LARGE):
            job.unfit_since, job.unfit_for = None, 0.0
        elif job.unfit_since is None:
            job.unfit_since = self._client.clock.monotonic()
        return why

    async def _fit(self, namespace: str, pod: str) -> Fit | None:
        """What the nodes are to the pod as admission left it, None where it or they cannot be read."""
        nodes = await self._readable_nodes()
        if nodes is None:
            return None
        try:
            async with self._room:
                # A list of one: the documented Role lets a launcher list pods, and not get them.
                found = await self._client.list(ASKING_POD, namespace, field_selector=f"metadata.name={pod}")
        except ApiError:
            return None
        return fit(found.items[0].spec, nodes) if found.items else None

    async def _readable_nodes(self) -> tuple[Node, ...] | None:
        now = self._client.clock.monotonic()
        if self._may_see_nodes and (self._nodes is None or now - self._nodes_at > _NODES_KEPT):
            try:
                listed = tuple((await self._client.list(NODE, None)).items)
            except Forbidden:
                self._may_see_nodes = False
            except ApiError:
                return self._nodes
            else:
                self._nodes, self._nodes_at = listed, now
                self._may_see_nodes = len(listed) <= _MOST_NODES
        return self._nodes if self._may_see_nodes else None


def _creating(job: TrackedJob) -> About:
    """What is told of Jobs whose pods are refused."""
    return About(job.namespace, "Job", "FailedCreate")


def _running(job: TrackedJob) -> About:
    """What is told of pods."""
    return About(job.namespace, "Pod")
