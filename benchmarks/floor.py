"""The floor: the same chain of pods created bare, through one API connection, with `python -c pass` in them.

No tool that runs each step as a pod of its own, and takes its end from what Kubernetes says of the pod, can be
faster. One that hears of the end earlier, from elsewhere, can.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from timing import BenchmarkError

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import POD
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.watch import watch
from headway.executors.kubernetes.api.watch_view import Added, Modified, Synced

LABEL = "headway-benchmark"

#: What every pod of every contender asks for: cores (fewer where more stand side by side), MB.
CPU, MEMORY, DISK = 0.02, 64, 50
IMAGE = "python:3.11"


def cpu_for(width: int) -> float:
    """The cores that a pod asks for where so many stand side by side, so that a node of two runs them at once."""
    return min(CPU, round(1.5 / width, 3))


def chain(levels: Sequence[int], namespace: str, limit: float = 600.0) -> list[float]:
    """Create level after level of pods, each once the last of the level before has succeeded.

    Args:
        levels: How many pods each level has.
        namespace: Where.
        limit: Seconds it may take.

    Returns:
        Seconds of each level, from its first create until its last success was heard of.

    Raises:
        BenchmarkError: A pod failed, or the limit passed.
    """
    try:
        return asyncio.run(asyncio.wait_for(_chain(levels, namespace), limit))
    except asyncio.TimeoutError:
        raise BenchmarkError(f"{sum(levels)} bare pods took longer than {limit:.0f} s") from None


async def _chain(levels: Sequence[int], namespace: str) -> list[float]:
    tag, cpu = f"{time.time_ns():x}", cpu_for(max(levels))
    ended: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    synced = asyncio.Event()
    async with KubernetesClient(load_access()) as client:

        async def listen() -> None:
            async for event in watch(client, POD, namespace, label_selector=f"{LABEL}={tag}"):
                # A server that forgot our place is asked for all there is: what ended meanwhile stands there.
                seen = (
                    event.objects
                    if isinstance(event, Synced)
                    else [event.object]
                    if isinstance(event, Added | Modified)
                    else ()
                )
                for pod in seen:
                    if pod.status.phase in ("Succeeded", "Failed"):
                        ended.put_nowait((pod.metadata.name, pod.status.phase))
                if isinstance(event, Synced):
                    synced.set()

        listener = asyncio.create_task(listen())
        await synced.wait()
        seconds = []
        try:
            for number, width in enumerate(levels):
                begun = time.monotonic()
                names = {f"floor-{tag}-{number}-{index}" for index in range(width)}
                await asyncio.gather(
                    *(client.create(POD, namespace, bare_pod(name, tag, cpu)) for name in names)
                )
                while names:
                    name, phase = await ended.get()
                    if phase == "Failed":
                        raise BenchmarkError(f"bare pod {name} failed")
                    names.discard(name)
                seconds.append(time.monotonic() - begun)
            return seconds
        finally:
            listener.cancel()
            await client.delete_collection(POD, namespace, label_selector=f"{LABEL}={tag}", grace_seconds=0)


def bare_pod(name: str, tag: str, cpu: float, code: str = "pass", token: bool = False) -> dict[str, Any]:
    """A pod's manifest that runs this code in the image's Python, with its account's token mounted or nothing."""
    requests = {"cpu": str(cpu), "memory": f"{MEMORY}M", "ephemeral-storage": f"{DISK}M"}
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", code],
        "resources": {"requests": requests},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: tag}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            # As Headway's: a pod that needs neither the API nor others' addresses starts without them.
            "automountServiceAccountToken": token,
            "enableServiceLinks": False,
            "containers": [container],
        },
    }
