"""The floor: the same chain of pods created bare, through one API connection, with `python -c pass` in them.

No tool that runs each step as a pod of its own and waits for Kubernetes to say that it ended can be faster.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import POD
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.watch import watch
from headway.executors.kubernetes.api.watch_view import Added, Modified, Synced

LABEL = "headway-benchmark"

#: What every pod of every contender asks for, so that a small node runs them side by side.
CPU, MEMORY, DISK = 0.02, 64, 50
IMAGE = "python:3.11"


def chain(levels: Sequence[int], namespace: str) -> float:
    """Create level after level of pods, each once the last of the level before has succeeded.

    Args:
        levels: How many pods each level has.
        namespace: Where.

    Returns:
        Seconds from the first create until the last success was heard of.
    """
    return asyncio.run(_chain(levels, namespace))


async def _chain(levels: Sequence[int], namespace: str) -> float:
    tag = f"{time.time_ns():x}"
    ended: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    synced = asyncio.Event()
    async with KubernetesClient(load_access()) as client:

        async def listen() -> None:
            async for event in watch(client, POD, namespace, label_selector=f"{LABEL}={tag}"):
                if isinstance(event, Synced):
                    synced.set()
                elif isinstance(event, Added | Modified) and event.object.status.phase in (
                    "Succeeded",
                    "Failed",
                ):
                    ended.put_nowait((event.object.metadata.name, event.object.status.phase))

        listener = asyncio.create_task(listen())
        await synced.wait()
        begun = time.monotonic()
        try:
            for number, width in enumerate(levels):
                names = {f"floor-{tag}-{number}-{index}" for index in range(width)}
                await asyncio.gather(*(client.create(POD, namespace, _pod(name, tag)) for name in names))
                while names:
                    name, phase = await ended.get()
                    if phase == "Failed":
                        raise RuntimeError(f"bare pod {name} failed")
                    names.discard(name)
            return time.monotonic() - begun
        finally:
            listener.cancel()
            await client.delete_collection(POD, namespace, label_selector=f"{LABEL}={tag}", grace_seconds=0)


def _pod(name: str, tag: str) -> dict[str, Any]:
    requests = {"cpu": str(CPU), "memory": f"{MEMORY}M", "ephemeral-storage": f"{DISK}M"}
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "pass"],
        "resources": {"requests": requests},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: tag}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
