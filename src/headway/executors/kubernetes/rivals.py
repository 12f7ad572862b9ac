"""Gangs that keep each other from being whole: each holds nodes that the other lacks, whoever started them.

All launchers see the same pods and draw the same conclusion from them: the gang of the oldest run stays, the
others make room. So no two make room for each other, and the oldest has all that any of them held.
"""

from collections.abc import Container, Iterable
from typing import NamedTuple

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden
from headway.executors.kubernetes.api.kinds import POD
from headway.executors.kubernetes.api.types import Pod
from headway.executors.kubernetes.labels import FLOW, GANG, JOB_NAME_LABELS, RUN, label_value

_NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed"


class Rival(NamedTuple):
    """A run with a gang that holds nodes and is not whole; the smaller, the older, as ids of runs grow.

    Attributes:
        length: Of the run's id: a longer one is a later one.
        run: The run's id, as labels have it.
        flow: Its flow, as labels have it.
    """

    length: int
    run: str
    flow: str

    @classmethod
    def of(cls, flow: str, run: str) -> "Rival":
        """From what labels say."""
        return cls(len(run), run, flow)

    @property
    def pathspec(self) -> str:
        """For people."""
        return f"{self.flow}/{self.run}"


class Rivals:
    """Finds the gangs that stand in the way of a run's own.

    Args:
        client: The cluster.
        flow: The flow's name.
        run: The run's id.
    """

    def __init__(self, client: KubernetesClient, flow: str, run: str) -> None:
        self._client = client
        self._own = Rival.of(label_value(flow), label_value(run))
        self._everywhere = True

    async def oldest(self, namespace: str, passed_over: Container[Rival]) -> Rival | None:
        """The oldest run before this one with a gang that holds nodes without being whole, None where there is none.

        Args:
            namespace: Where to look if not every namespace may be looked into.
            passed_over: Those that do not count.
        """
        older = [
            each
            for each in in_vain(await self._pods(namespace))
            if each < self._own and each not in passed_over
        ]
        return min(older, default=None)

    async def _pods(self, namespace: str) -> tuple[Pod, ...]:
        try:
            where = None if self._everywhere else namespace
            found = await self._client.list(POD, where, label_selector=GANG, field_selector=_NOT_ENDED)
        except Forbidden:
            if not self._everywhere:
                return ()
            self._everywhere = False
            return await self._pods(namespace)
        except ApiError:
            return ()
        return found.items


def in_vain(pods: Iterable[Pod]) -> set[Rival]:
    """The runs with a gang of which some ranks have a node, and others are told that none has room for them."""
    holds: set[tuple[str, Rival]] = set()
    lacks: set[tuple[str, Rival]] = set()
    for pod in pods:
        labels = pod.metadata.labels
        job = next((labels[label] for label in JOB_NAME_LABELS if label in labels), "")
        gang = (job, Rival.of(labels.get(FLOW, ""), labels.get(RUN, "")))
        if pod.metadata.deletion_timestamp is not None:
            continue
        if pod.spec.node_name:
            holds.add(gang)
        elif any(
            item.type == "PodScheduled" and item.status == "False" and item.reason == "Unschedulable"
            for item in pod.status.conditions
        ):
            lacks.add(gang)
    return {rival for _, rival in holds & lacks}
