"""What runs leave in a namespace that nothing else takes away: lent credentials, and runtimes of older versions.

Jobs, and with them pods, services and the secrets that they own, go by themselves when their time is over.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from headway.config.connection import Connection
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import Forbidden, NotFound
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, JOB, SECRET, Kind
from headway.executors.kubernetes.api.types import KubernetesObject, Wire
from headway.executors.kubernetes.connecting import client_for
from headway.executors.kubernetes.labels import FLOW, MANAGED_BY, RUN, label_value
from headway.executors.kubernetes.names import RUNTIME_PREFIX, run_secret_name

OURS = f"{MANAGED_BY}=headway"

#: Secrets that are looked for at a time.
_AT_A_TIME = 8


class _Source(Wire, frozen=True, gc=False):
    name: str = ""


class _Volume(Wire, frozen=True, gc=False):
    config_map: _Source = _Source()


class _PodSpec(Wire, frozen=True, gc=False):
    volumes: tuple[_Volume, ...] = ()


class _Template(Wire, frozen=True, gc=False):
    spec: _PodSpec = _PodSpec()


class _Spec(Wire, frozen=True, gc=False):
    template: _Template = _Template()


class _Mounting(KubernetesObject, frozen=True, gc=False):
    """A Job, as far as what its pods mount."""

    spec: _Spec = _Spec()


_MOUNTING = Kind("Job", "jobs", _Mounting, group="batch")


@dataclass(frozen=True, slots=True)
class Leftover:
    """One object that nobody needs.

    Attributes:
        kind: Secret or ConfigMap, as Kubernetes calls it.
        namespace: Where it is.
        name: Its name.
        why: Why nobody needs it, for people.
    """

    kind: str
    namespace: str
    name: str
    why: str


@asynccontextmanager
async def sweeper(namespaces: Iterable[str], connection: Connection) -> AsyncIterator["Sweeper"]:
    """A sweeper that is connected to this cluster."""
    async with client_for(connection) as client:
        yield Sweeper(client, namespaces)


class Sweeper:
    """Finds leftovers, and takes them away.

    Args:
        client: The cluster.
        namespaces: Where to look, whatever is found elsewhere.
    """

    def __init__(self, client: KubernetesClient, namespaces: Iterable[str]) -> None:
        self._client = client
        self._namespaces = sorted(set(namespaces))
        self._wide = self._namespaces

    async def look_everywhere(self) -> bool:
        """Look for runs and their secrets in all namespaces where any ever was, as runtimes tell.

        Runtimes themselves are other people's too: elsewhere they stay.

        Returns:
            False where that is not allowed.
        """
        try:
            maps = await self._client.list(CONFIG_MAP, None, label_selector=OURS)
        except Forbidden:
            return False
        self._wide = sorted({*self._namespaces, *(each.metadata.namespace for each in maps.items)})
        return True

    async def active_runs(self, flow: str) -> set[str]:
        """The flow's runs with a Job that has not ended."""
        selector = f"{OURS},{FLOW}={label_value(flow)}"
        pages = await asyncio.gather(
            *(self._client.list(JOB, each, label_selector=selector) for each in self._wide)
        )
        return {
            job.metadata.annotations.get(RUN) or job.metadata.labels.get(RUN, "")
            for page in pages
            for job in page.items
            if not job.ended
        }

    async def secrets(self, flow: str, runs: Iterable[str]) -> list[Leftover]:
        """The secrets that these runs of a flow left.

        Nothing is read of them: a change that changes nothing tells whether there is one.
        """
        room = asyncio.Semaphore(_AT_A_TIME)

        async def look(namespace: str, run: str) -> Leftover | None:
            name = run_secret_name(flow, run)
            try:
                async with room:
                    await self._client.patch(SECRET, namespace, name, {}, dry_run=True)
            except (NotFound, Forbidden):
                return None
            return Leftover(SECRET.name, namespace, name, f"lent to run {run}, which is over")

        found = await asyncio.gather(*(look(each, run) for each in self._wide for run in runs))
        return [each for each in found if each is not None]

    async def runtimes(self, current: str) -> tuple[list[Leftover], list[str]]:
        """(Runtimes that no Job of anybody's mounts, the namespaces whose config maps may not be listed).

        Args:
            current: The name of this version's own, which stays.
        """
        found: list[Leftover] = []
        hidden: list[str] = []
        for namespace in self._namespaces:
            try:
                maps = await self._client.list(CONFIG_MAP, namespace, label_selector=OURS)
            except Forbidden:
                hidden.append(namespace)
                continue
            # Asked for after the config maps: whoever submits meanwhile has placed, or seen, the runtime before.
            jobs = await self._client.list(_MOUNTING, namespace, label_selector=OURS)
            used = {volume.config_map.name for job in jobs.items for volume in job.spec.template.spec.volumes}
            found += [
                Leftover(CONFIG_MAP.name, namespace, each.metadata.name, "a runtime that no Job mounts")
                for each in maps.items
                if each.metadata.name.startswith(RUNTIME_PREFIX)
                and each.metadata.name not in used
                and each.metadata.name != current
            ]
        return found, hidden

    async def remove(self, leftover: Leftover) -> bool:
        """Delete it; False where that is not allowed."""
        try:
            if leftover.kind == SECRET.name:
                await self._client.delete(SECRET, leftover.namespace, leftover.name)
            else:
                await self._client.delete(CONFIG_MAP, leftover.namespace, leftover.name)
        except Forbidden:
            return False
        return True
