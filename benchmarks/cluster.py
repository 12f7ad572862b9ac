"""What benchmarks ask of the cluster besides running flows: logs, cleaning up, what is created, how many run."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from floor import bare_pod, cpu_for

from headway.executors.kubernetes.api.calls import Limits
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, JOB, NODE, POD, SECRET, SERVICE, Kind
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.watch import WatchEvent, watch
from headway.executors.kubernetes.api.watch_view import Added, Synced

#: Every object carries no such label; a selector that says nothing is refused.
_ALL = "!headway-bench-spares"


def bare_output(code: str, namespace: str, token: bool = False, limit: float = 120.0) -> str:
    """What a bare pod prints that runs this code and nothing else."""
    return asyncio.run(asyncio.wait_for(_bare_output(code, namespace, token), limit))


async def _bare_output(code: str, namespace: str, token: bool) -> str:
    name = f"floor-{time.time_ns():x}"
    async with KubernetesClient(load_access()) as client:
        await client.create(POD, namespace, bare_pod(name, name, cpu_for(1), code, token))
        while (await client.get(POD, namespace, name)).status.phase not in ("Succeeded", "Failed"):  # noqa: ASYNC110  (another machine ends it)
            await asyncio.sleep(0.1)
        printed = await _text(client.logs(namespace, name))
        await client.delete(POD, namespace, name, grace_seconds=0)
        return printed


def log_of(pod: str, namespace: str) -> str:
    """What the node kept of a pod's output; also once it has ended."""

    async def read() -> str:
        async with KubernetesClient(load_access()) as client:
            return await _text(client.logs(namespace, pod))

    return asyncio.run(read())


async def _text(lines: AsyncIterator[bytes]) -> str:
    return "\n".join([line.decode(errors="replace") async for line in lines])


def sweep(namespace: str, limit: float = 120.0) -> None:
    """Delete every Job and pod of a namespace and wait until they are gone, so that the next contender starts equal."""

    async def delete() -> None:
        # The server deletes a collection's objects one by one within the one request: a thousand Jobs take it a while.
        async with KubernetesClient(load_access(), limits=Limits(request_timeout=limit)) as client:
            for kind in (JOB, POD):
                await client.delete_collection(kind, namespace, label_selector=_ALL, grace_seconds=0)
            end = time.monotonic() + limit
            while (await client.list(POD, namespace)).items and time.monotonic() < end:  # noqa: ASYNC110  (as above)
                await asyncio.sleep(0.3)

    asyncio.run(delete())


def running(namespace: str) -> int:
    """How many pods run."""

    async def count() -> int:
        async with KubernetesClient(load_access()) as client:
            return len((await client.list(POD, namespace, field_selector="status.phase=Running")).items)

    return asyncio.run(count())


class Listener:
    """Hears what happens to a namespace's objects, in a thread of its own; a context.

    Args:
        namespace: Where.
        kinds: Of what.
        hear: Called with the kind's name and each event that comes after those that were there.
    """

    def __init__(
        self, namespace: str, kinds: Sequence[Kind[Any]], hear: Callable[[str, WatchEvent[Any]], None]
    ) -> None:
        self._namespace = namespace
        self._kinds = kinds
        self._hear = hear
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        self._ready.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._listen())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _listen(self) -> None:
        waiting = {kind.name for kind in self._kinds}
        async with KubernetesClient(load_access()) as client:

            async def one(kind: Kind[Any]) -> None:
                async for event in watch(client, kind, self._namespace):
                    if isinstance(event, Synced):
                        waiting.discard(kind.name)
                        if not waiting:
                            self._ready.set()
                    elif kind.name not in waiting:
                        self._hear(kind.name, event)

            await asyncio.gather(*(one(kind) for kind in self._kinds))


class Created(Listener):
    """Counts the objects that come into a namespace and that no Job's controller made.

    Attributes:
        names: What was counted, as kind/name.
    """

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace, (JOB, POD, SECRET, CONFIG_MAP, SERVICE), self._count)
        self.names: set[str] = set()

    def __enter__(self) -> "Created":
        super().__enter__()
        return self

    def _count(self, kind: str, event: WatchEvent[Any]) -> None:
        if isinstance(event, Added):
            metadata = event.object.metadata
            if not any(owner.kind == "Job" for owner in metadata.owner_references):
                self.names.add(f"{kind}/{metadata.name}")


def fleet_size() -> int:
    """How many simulated nodes there are."""

    async def count() -> int:
        async with KubernetesClient(load_access()) as client:
            return len((await client.list(NODE, None, label_selector="pool=fleet")).items)

    return asyncio.run(count())
