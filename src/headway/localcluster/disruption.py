"""Pods that end for reasons of the cluster: preempted, evicted, or on a node that is lost."""

from __future__ import annotations

from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.node.status import with_condition
from headway.localcluster.objects.kinds import NODE, POD
from headway.localcluster.objects.meta import Object, copied, name_of, namespace_of, timestamp

_UNREACHABLE = "node.kubernetes.io/unreachable"


def disrupt(
    registry: Registry, pod: Object, reason: str, message: str, options: DeleteOptions | None = None
) -> None:
    """Mark a pod as disrupted and delete it, as the scheduler and the eviction API do.

    Args:
        registry: The way into the store.
        pod: The pod.
        reason: The reason of its `DisruptionTarget` condition.
        message: The words to it.
        options: How to delete it.
    """
    _mark(registry, pod, reason, message)
    registry.delete(POD, namespace_of(pod), name_of(pod), options)


def _mark(registry: Registry, pod: Object, reason: str, message: str, *, failed: bool = False) -> None:
    current = registry.store.get(POD, namespace_of(pod), name_of(pod))
    status = with_condition(current["status"], "DisruptionTarget", reason, message, timestamp(registry.now()))
    if failed:
        status["phase"] = "Failed"
    registry.set_status(POD, current, status)


def mark_unreachable(registry: Registry, name: str) -> None:
    """Say of a node what the cluster says when it no longer hears from it."""
    now = timestamp(registry.now())

    def change(node: Object) -> None:
        for entry in node["status"]["conditions"]:
            entry.update(
                status="Unknown",
                reason="NodeStatusUnknown",
                message="Kubelet stopped posting node status.",
                lastTransitionTime=now,
            )
        taints = node["spec"].setdefault("taints", [])
        for effect in ("NoSchedule", "NoExecute"):
            taints.append({"key": _UNREACHABLE, "effect": effect, "timeAdded": now})

    registry.store.modify(NODE, "", name, change)
    for pod in _pods_on(registry, name):
        draft = copied(pod["status"])
        for entry in draft.get("conditions") or ():
            if entry["type"] == "Ready":
                entry.update(status="False", reason="NodeNotReady", lastTransitionTime=now)
        registry.set_status(POD, pod, draft)


def collect_pods_of_lost_node(registry: Registry, name: str) -> None:
    """Remove a node for good: its pods have failed and are deleted, as the pod collector does."""
    if registry.store.find(NODE, "", name) is not None:
        registry.store.remove(NODE, "", name)
    for pod in _pods_on(registry, name):
        if pod["status"].get("phase") not in ("Succeeded", "Failed"):
            _mark(registry, pod, "DeletionByPodGC", "PodGC: node no longer exists", failed=True)
        registry.delete(POD, namespace_of(pod), name_of(pod), DeleteOptions(grace_period=0))


def _pods_on(registry: Registry, name: str) -> list[Object]:
    return [pod for pod in registry.store.objects(POD) if pod["spec"].get("nodeName") == name]
