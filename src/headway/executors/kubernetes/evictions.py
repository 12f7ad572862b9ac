"""Pods that were evicted for what they themselves took: more than they may hold, or asked for. Pure."""

import re

from headway.config.quantities import quantity, shown
from headway.executors.kubernetes.api.types import Pod
from headway.runtime.usage import rounded_up
from headway.store.records import OUT_OF_MEMORY, RESOURCES, Failure

#: What the kubelet says where a pod outgrew its own limits, and not its node.
_OWN_DISK = (
    "ephemeral local storage usage exceeds",
    "exceeded its local ephemeral storage limit",
)
_FULL_VOLUME = re.compile(r'Usage of EmptyDir volume "([^"]+)" exceeds the limit "([^"]+)"')
#: Said of each container that held more than it had asked for when its node ran short; kubelets before 1.28 in
#: other words.
_LARGER = re.compile(
    r"Container (\S+) was using (\S+?), (?:request is|which exceeds its request of) ([^\s,]+)"
)
_SHORT_OF = re.compile(r"low on resource: ([\w.-]*\w)")

#: What is asked for should be so much more than what was held.
_HEADROOM = 1.1


def own_doing(pod: Pod, container: str) -> Failure | None:
    """Why the pod was evicted, where it took too much itself; None where its node ran short without it.

    Args:
        pod: The pod.
        container: The name of its container that runs the step.
    """
    if pod.status.reason != "Evicted":
        return None
    said = pod.status.message.strip()
    volume = _FULL_VOLUME.search(said)
    if volume:
        name, limit = volume.groups()
        return Failure(
            RESOURCES,
            "DiskFull",
            f"The pod {pod.metadata.name} put more into its volume {name} than the {limit} that it may hold.",
            "Raise emptyDir.sizeLimit of that volume (volumes=), or leave less in it at a time.",
        )
    if any(words in said for words in _OWN_DISK):
        return Failure(
            RESOURCES,
            "DiskFull",
            f"The pod {pod.metadata.name} used more disk than it may: {said}",
            "Ask for more with @kubernetes(disk=…) or @resources(disk=…), or leave less on disk at a time.",
        )
    return _over_its_request(pod, container, said)


def _over_its_request(pod: Pod, container: str, said: str) -> Failure | None:
    """Its node ran short, and the step's container held more than it had asked for: it would again."""
    short = _SHORT_OF.search(said)
    resource = short.group(1) if short else ""
    for name, used, request in _LARGER.findall(said):
        held, asked = quantity(used), quantity(request.rstrip("."))
        if name != container or held is None or asked is None or held <= asked:
            continue
        enough = rounded_up(float(held) / 1e6 * _HEADROOM)
        took = f"held {shown('memory', held)}, where it had asked for {shown('memory', asked)}"
        if resource == "memory":
            return Failure(
                RESOURCES,
                OUT_OF_MEMORY,
                f"The node of the pod {pod.metadata.name} ran out of memory and evicted it, as its container {took}.",
                f"Ask for what it needs with @kubernetes(memory={enough}) or @resources(memory={enough}), or in "
                "resources= where that says it, or hold less at a time; @retry(on_oom=2) raises memory= by itself.",
            )
        if resource == "ephemeral-storage":
            return Failure(
                RESOURCES,
                "DiskFull",
                f"The node of the pod {pod.metadata.name} ran out of disk and evicted it, as its container {took}.",
                f"Ask for what it needs with @kubernetes(disk={enough}) or @resources(disk={enough}), or leave less "
                "on disk at a time.",
            )
    return None
