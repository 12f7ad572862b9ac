"""Pods that were bound to a node by name (``nodeName``), past the scheduler, and that the node does not run: pure.

Nobody waits for such a node or looks for another, so what keeps it from taking the pod is mostly a wrong
configuration; only for room that it lacks now the next attempt may be luckier.
"""

import re
from collections.abc import Iterable

from headway.executors.kubernetes.api.types import Node, Pod
from headway.executors.kubernetes.standstill import Standstill
from headway.store.records import CONFIGURATION, Failure

#: The word for all of these.
_WRONG_NODE = "NodeName"

#: What a kubelet says of a pod that it never will run, as the pod and the node are what they are.
_NEVER = ("NodeAffinity", "TaintToleration", "PodOSNotSupported", "SysctlForbidden", "PodFeatureUnsupported")
_ROOM = re.compile(r"requested: (\d+), used: \d+, capacity: (\d+)")

#: What to do about it.
BOUND_HINT = (
    "nodeName, in additional_pod_spec_args, passes the scheduler over. Correct it, or let the scheduler choose and "
    'wait: node_selector={"kubernetes.io/hostname": …}.'
)


def nowhere(pod: Pod) -> Failure | None:
    """Why a pod was collected whose node the cluster never had; None where it had one.

    The scheduler's binding is a condition of the pod; where it is missing, and no kubelet ever spoke, the pod
    came with the node's name.
    """
    status = pod.status
    placed = any(item.type == "PodScheduled" for item in status.conditions)
    if placed or status.start_time or status.container_statuses or not pod.spec.node_name:
        return None
    words = f"The pod {pod.metadata.name} was taken away: {_no_node(pod.spec.node_name)}."
    return Failure(CONFIGURATION, _WRONG_NODE, words, BOUND_HINT)


def missing(node: str, nodes: Iterable[Node], patience: float) -> Standstill | None:
    """The same of a pod that is still there, held against the nodes that there are.

    Args:
        node: The node that the pod is bound to.
        nodes: Those of the cluster.
        patience: Seconds for which what looks like a wrong configuration is waited for.
    """
    if any(each.metadata.name == node for each in nodes):
        return None
    return Standstill(_WRONG_NODE, _no_node(node), patience, BOUND_HINT)


def rejected(pod: Pod, node: str) -> Failure | None:
    """Why the node that a person named will never take the pod; None where it may another time.

    Args:
        pod: The pod, which its node did not take.
        node: The node that was named, "" for none.
    """
    reason, said = pod.status.reason, pod.status.message.strip()
    room = _ROOM.search(said) if reason.startswith("OutOf") else None
    too_large = room is not None and int(room[1]) > int(room[2])
    if not node or not (reason in _NEVER or too_large):
        return None
    words = f"The node {node}, which nodeName asks for, never will take the pod {pod.metadata.name}: {said or reason}"
    return Failure(CONFIGURATION, _WRONG_NODE, words, BOUND_HINT)


def _no_node(name: str) -> str:
    return f"the cluster has no node {name}, which nodeName asks for"
