"""What of ours is in a cluster: pods and Jobs of a flow's runs, found by their labels, and how to end them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import TypeVar

from headway.config.connection import AS_CONFIGURED, Connection
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden
from headway.executors.kubernetes.api.kinds import JOB, POD, Kind
from headway.executors.kubernetes.api.types import Job, KubernetesObject, Pod
from headway.executors.kubernetes.connecting import client_for
from headway.executors.kubernetes.labels import (
    FLOW,
    JOB_NAME_LABELS,
    MANAGED_BY,
    RUN,
    STEP,
    STOPPED_BY,
    USER,
    label_value,
)
from headway.executors.kubernetes.telling import why_jobs_wait, why_pods_wait

_ENDED = ("Succeeded", "Failed")

T = TypeVar("T", bound=KubernetesObject)


@dataclass(frozen=True, slots=True)
class PodLine:
    """One pod of a run, as a person sees it.

    Attributes:
        run: The run's id.
        step: The step.
        name: The pod's name.
        namespace: Where it is.
        phase: Pending, Running, Succeeded, Failed or Unknown.
        started: When it began to run, or was created.
        why: Why it waits, or how it failed, in words; "" where nothing is to be told, or it was not asked for.
    """

    run: str
    step: str
    name: str
    namespace: str
    phase: str
    started: datetime | None
    why: str = ""

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.phase not in _ENDED


@dataclass(frozen=True, slots=True)
class JobLine:
    """One Job of a run that is not over and has no active pod: suspended, or its pods are refused.

    Attributes:
        run: The run's id.
        step: The step.
        name: The Job's name.
        namespace: Where it is.
        suspended: Whether somebody, such as a queue, holds it back.
        created: When it was.
        why: Why it has no pods, in words; "" where nobody tells, or it was not asked for.
    """

    run: str
    step: str
    name: str
    namespace: str
    suspended: bool
    created: datetime | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What of a flow is in the cluster.

    Attributes:
        pods: Its pods, the oldest of each run first.
        jobs: Its Jobs that are not over and have no active pod, likewise.
        hidden: All that was looked into, where not every namespace may be; else nothing.
    """

    pods: tuple[PodLine, ...] = ()
    jobs: tuple[JobLine, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def runs(self) -> list[str]:
        """The runs of all of it."""
        return sorted({pod.run for pod in self.pods} | {job.run for job in self.jobs})

    @property
    def active(self) -> "Found":
        """Without the pods that have ended."""
        return Found(tuple(pod for pod in self.pods if pod.active), self.jobs, self.hidden)


class Inventory:
    """A look into a cluster; use it as an asynchronous context.

    All namespaces are looked into where that is allowed, for a flow's pods are where it was started from,
    and that may have been configured otherwise.

    Args:
        flow: The flow whose pods are looked for.
        namespaces: Where they are looked for if not everywhere.
        connection: Which cluster.
        client: The cluster, if it is connected already.
    """

    def __init__(
        self,
        flow: str,
        namespaces: Iterable[str],
        connection: Connection = AS_CONFIGURED,
        client: KubernetesClient | None = None,
    ) -> None:
        self._connection = connection
        self._flow = flow
        self._namespaces = sorted(set(namespaces))
        self._everywhere = True
        self._stack = AsyncExitStack()
        if client is not None:
            self._client = client

    async def __aenter__(self) -> "Inventory":
        self._client = await self._stack.enter_async_context(client_for(self._connection))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def look(self, run: str | None = None, user: str | None = None, *, why: bool = False) -> Found:
        """What of the flow there is.

        Args:
            run: Only of this run.
            user: Only of this person's runs.
            why: Whether to say why pods wait or failed, and why Jobs have none, which may take further questions.
        """
        selector = self._selector(run, user)
        # The Jobs first: what has a pod by then is not told to have none.
        jobs = [job for job in await self._list(JOB, selector) if not _is_over(job)]
        pods = await self._list(POD, selector)
        lines = [_line(pod) for pod in pods]
        busy = {_job_of(pod) for pod, line in zip(pods, lines, strict=True) if line.active}
        had = Counter(map(_job_of, pods))
        waiting = [job for job in jobs if (at := _place(job)) not in busy and _lacks_pods(job, had[at])]
        idle = [_idle(job) for job in waiting]
        if why:
            told = await why_pods_wait(self._client, [(pod, _told(pod, STEP)) for pod in pods])
            lines = [replace(line, why=words) for line, words in zip(lines, told, strict=True)]
            told = await why_jobs_wait(self._client, waiting)
            idle = [replace(line, why=words) for line, words in zip(idle, told, strict=True)]
        return Found(
            tuple(sorted(lines, key=lambda line: (line.run, line.started is None, line.started, line.name))),
            tuple(sorted(idle, key=lambda line: (line.run, line.created is None, line.created, line.name))),
            () if self._everywhere else tuple(self._namespaces),
        )

    async def end(self, run: str, who: str) -> None:
        """Delete the run's Jobs, and with them its pods, which get the grace that was promised to them.

        A launcher that goes on somewhere is told by a mark on them: else it would try again what is taken from it.

        Args:
            run: The run.
            who: Who asks, for words.

        Raises:
            Forbidden: Some may not be deleted; all others are.
        """
        # One by one: the Role that a launcher needs has no right to delete collections.
        jobs = await self._list(JOB, self._selector(run, None))
        done = await asyncio.gather(
            *(self._end(job.metadata.namespace, job.metadata.name, who) for job in jobs),
            return_exceptions=True,
        )
        for each in done:
            if isinstance(each, BaseException):
                raise each

    async def _end(self, namespace: str, name: str, who: str) -> None:
        with contextlib.suppress(ApiError):
            mark = {"metadata": {"annotations": {STOPPED_BY: who}}}
            await self._client.patch(JOB, namespace, name, mark)
        await self._client.delete(JOB, namespace, name)

    async def _list(self, kind: Kind[T], selector: str) -> list[T]:
        if self._everywhere:
            try:
                return list((await self._client.list(kind, None, label_selector=selector)).items)
            except Forbidden:
                self._everywhere = False
        pages = await asyncio.gather(
            *(self._client.list(kind, each, label_selector=selector) for each in self._namespaces)
        )
        return [item for page in pages for item in page.items]

    def _selector(self, run: str | None, user: str | None) -> str:
        parts = {FLOW: self._flow, RUN: run, USER: user, MANAGED_BY: "headway"}
        return ",".join(f"{key}={label_value(text)}" for key, text in parts.items() if text is not None)


def _line(pod: Pod) -> PodLine:
    meta = pod.metadata
    return PodLine(
        run=_told(pod, RUN),
        step=_told(pod, STEP),
        name=meta.name,
        namespace=meta.namespace,
        phase=pod.status.phase or "Pending",
        started=pod.status.start_time or meta.creation_timestamp,
    )


def _told(each: KubernetesObject, key: str) -> str:
    """What does not fit into a label stands whole in the annotation."""
    return each.metadata.annotations.get(key) or each.metadata.labels.get(key, "")


def _is_over(job: Job) -> bool:
    return job.metadata.deletion_timestamp is not None or job.ended


def _place(job: Job) -> tuple[str, str]:
    return job.metadata.namespace, job.metadata.name


def _lacks_pods(job: Job, ended: int) -> bool:
    """Whether more is to come than so many pods that have ended; if not, the Job is about to be over."""
    return job.spec.suspend or ended < (job.spec.completions or 1)


def _job_of(pod: Pod) -> tuple[str, str]:
    labels = pod.metadata.labels
    name = next((labels[key] for key in JOB_NAME_LABELS if key in labels), "")
    return pod.metadata.namespace, name


def _idle(job: Job) -> JobLine:
    about = job.metadata
    return JobLine(
        run=_told(job, RUN),
        step=_told(job, STEP),
        name=about.name,
        namespace=about.namespace,
        suspended=job.spec.suspend,
        created=about.creation_timestamp,
    )
