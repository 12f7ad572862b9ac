"""The launcher's credentials for the datastore, lent to the pods of one run through a Secret of its own."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headway.errors import HeadwayError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import AlreadyExists, ApiError
from headway.executors.kubernetes.api.kinds import SECRET
from headway.executors.kubernetes.api.types import Job
from headway.executors.kubernetes.labels import COMMON, FLOW, RUN, label_value
from headway.executors.kubernetes.names import run_secret_name

#: The newest Jobs that own it: with thousands it would outgrow what an object may be, and every patch with it.
_MOST_OWNERS = 100

#: Seconds for which what was found on this machine counts as the newest there is; and seconds between two looks
#: while no Job asks for one. Temporary credentials hold for a quarter of an hour at least.
_FRESH, _LOOK = 20.0, 120.0


class RunSecret:
    """One Secret in each namespace where the run has pods.

    It is made right before the first Job that needs it, belongs to the run's newest Jobs, so that
    Kubernetes collects it with the last of them, and is deleted by the launcher when the run ends.
    What it holds follows what the launcher itself has, for a run may last longer than a session: a pod
    gets what is there when it starts.

    Args:
        client: The cluster.
        flow: The flow's name.
        run: The run's id.
        values: Variable to value; nothing is made where there are none.
        find: Finds the values anew; blocking. None where they stay as they are.
    """

    def __init__(
        self,
        client: KubernetesClient,
        flow: str,
        run: str,
        values: Mapping[str, str],
        find: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._client = client
        self._find = find
        self._found_at = client.clock.monotonic()
        self._of = (flow, run)
        self._values = dict(values)
        self._owners: dict[str, list[dict[str, Any]]] = {}
        self._inherited: set[str] = set()
        self._lock = asyncio.Lock()
        self.name = run_secret_name(flow, run)

    def __bool__(self) -> bool:
        return bool(self._values)

    async def ensure(self, namespace: str) -> None:
        """Make the Secret in this namespace, unless it is there."""
        if not self._values:
            return
        async with self._lock:
            await self._renew()
            if namespace in self._owners:
                return
            try:
                manifest = run_secret_manifest(*self._of, namespace, self._values)
                await self._client.create(SECRET, namespace, manifest)
                self._owners[namespace] = []
            except AlreadyExists:
                # Another launcher of this run made it; what it lent may have expired.
                body = {"stringData": self._values}
                found = await self._client.patch(SECRET, namespace, self.name, body)
                self._owners[namespace] = [
                    {"apiVersion": "batch/v1", "kind": each.kind, "name": each.name, "uid": each.uid}
                    for each in found.metadata.owner_references
                ]

    async def keep_fresh(self) -> None:
        """For as long as the run goes on: pods of a Job may start hours after it was made."""
        while self._values and self._find is not None:
            await asyncio.sleep(_LOOK)
            with contextlib.suppress(ApiError):
                # The next Job, or look, tries again.
                async with self._lock:
                    await self._renew()

    async def _renew(self) -> None:
        """Find the values anew, if that was a while ago, and lend those."""
        now = self._client.clock.monotonic()
        if self._find is None or now - self._found_at < _FRESH:
            return
        try:
            found = dict(await asyncio.to_thread(self._find))
        except HeadwayError:
            # What is lent may hold for a while; if not, the pod says so.
            found = {}
        if found and found != self._values:
            # A session's token must not stay beside keys of another kind.
            gone = dict.fromkeys(self._values.keys() - found.keys())
            for namespace in self._owners:
                await self._client.patch(SECRET, namespace, self.name, {"data": gone, "stringData": found})
            self._values = found
        self._found_at = now

    def inherit(self, namespaces: Iterable[str]) -> None:
        """A run that is taken over may have the Secret already: it goes with the run's end."""
        self._inherited.update(namespaces)

    async def give_to(self, job: Job) -> None:
        """Let the Secret live as long as this Job does, if not a hundred come after it."""
        namespace = job.metadata.namespace
        if namespace not in self._owners:
            return
        async with self._lock:
            owner = {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": job.metadata.name,
                "uid": job.metadata.uid,
            }
            self._owners[namespace] = [*self._owners[namespace], owner][-_MOST_OWNERS:]
            patch = {"metadata": {"ownerReferences": self._owners[namespace]}}
            await self._client.patch(SECRET, namespace, self.name, patch)

    async def remove(self) -> None:
        """Delete it everywhere; for a run that has ended.

        Raises:
            ApiError: It is still in one of the namespaces; the call may be repeated.
        """
        failed: ApiError | None = None
        for namespace in sorted({*self._owners, *self._inherited}):
            try:
                await self._client.delete(SECRET, namespace, self.name)
            except ApiError as error:
                failed = error
            else:
                self._owners.pop(namespace, None)
                self._inherited.discard(namespace)
        if failed is not None:
            raise failed


def run_secret_manifest(flow: str, run: str, namespace: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The Secret of one run in one namespace.

    Args:
        flow: The flow's name.
        run: The run's id.
        namespace: Where it is to be.
        values: Variable to value.
    """
    labels = {FLOW: label_value(flow), RUN: label_value(run), **COMMON}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": run_secret_name(flow, run), "namespace": namespace, "labels": labels},
        "type": "Opaque",
        "stringData": dict(values),
    }
