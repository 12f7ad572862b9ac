"""What of ours is in a cluster: the pods of a flow's runs, found by their labels, and how to end them."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import JOB, POD
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.types import Pod
from headway.executors.kubernetes.labels import FLOW, MANAGED_BY, RUN, STEP, USER, label_value

_ENDED = ("Succeeded", "Failed")


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
    """

    run: str
    step: str
    name: str
    namespace: str
    phase: str
    started: datetime | None

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.phase not in _ENDED


class Inventory:
    """A connection to the configured cluster; use it as an asynchronous context.

    Args:
        flow: The flow whose pods are looked for.
        namespaces: Where.
    """

    def __init__(self, flow: str, namespaces: Iterable[str]) -> None:
        self._flow = flow
        self._namespaces = sorted(set(namespaces))
        self._stack = AsyncExitStack()
        self._client: KubernetesClient

    async def __aenter__(self) -> "Inventory":
        self._client = await self._stack.enter_async_context(KubernetesClient(load_access()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def pods(self, run: str | None = None, user: str | None = None) -> list[PodLine]:
        """The flow's pods, the oldest first.

        Args:
            run: Only of this run.
            user: Only of this person's runs.
        """
        selector = self._selector(run, user)
        pages = await asyncio.gather(
            *(self._client.list(POD, each, label_selector=selector) for each in self._namespaces)
        )
        lines = [_line(pod) for page in pages for pod in page.items]
        return sorted(lines, key=lambda line: (line.run, line.started is None, line.started, line.name))

    async def end(self, run: str) -> None:
        """Delete the run's Jobs, and with them its pods, which get the grace that was promised to them."""
        selector = self._selector(run, None)
        for namespace in self._namespaces:
            # One by one: the Role that a launcher needs has no right to delete collections.
            jobs = await self._client.list(JOB, namespace, label_selector=selector)
            await asyncio.gather(
                *(self._client.delete(JOB, namespace, job.metadata.name) for job in jobs.items)
            )

    def _selector(self, run: str | None, user: str | None) -> str:
        parts = {FLOW: self._flow, RUN: run, USER: user, MANAGED_BY: "headway"}
        return ",".join(f"{key}={label_value(text)}" for key, text in parts.items() if text is not None)


def _line(pod: Pod) -> PodLine:
    meta = pod.metadata
    return PodLine(
        # What does not fit into a label stands whole in the annotation.
        run=meta.annotations.get(RUN) or meta.labels.get(RUN, ""),
        step=meta.annotations.get(STEP) or meta.labels.get(STEP, ""),
        name=meta.name,
        namespace=meta.namespace,
        phase=pod.status.phase or "Pending",
        started=pod.status.start_time or meta.creation_timestamp,
    )
