"""Pods in the states that Kubernetes reports, in few words."""

from typing import Any

import msgspec

from headway.executors.kubernetes.api.types import Pod


def pod(phase: str = "Running", **said: Any) -> Pod:
    """A pod of step ``train`` whose container is called ``train``.

    Args:
        phase: The pod's phase.
        **said: ``terminated``, ``waiting`` or ``running``: the container's state. ``conditions``: by type,
            (status, reason, message). ``reason``, ``message``: the pod's own. ``init``: an init container's state.
            ``limits``: the container's.
    """
    state = {name: said[name] for name in ("terminated", "waiting", "running") if name in said}
    raw = {
        "metadata": {"name": "sample-train-x", "namespace": "default", "uid": "uid-1"},
        "spec": {
            "nodeName": "node1",
            "containers": [{"name": "train", "resources": {"limits": said.get("limits", {})}}],
        },
        "status": {
            "phase": phase,
            "reason": said.get("reason", ""),
            "message": said.get("message", ""),
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "message": message}
                for kind, (status, reason, message) in said.get("conditions", {}).items()
            ],
            "containerStatuses": [
                {"name": "sidecar", "state": {"running": {}}},
                *([{"name": "train", "state": state}] if state else []),
            ],
            "initContainerStatuses": [{"name": "prepare", "state": said["init"]}] if "init" in said else [],
        },
    }
    return msgspec.convert(raw, Pod)


def disrupted(reason: str, message: str = "") -> dict[str, tuple[str, str, str]]:
    """The condition of a pod that was disrupted."""
    return {"DisruptionTarget": ("True", reason, message)}


def unscheduled(reason: str, message: str) -> dict[str, tuple[str, str, str]]:
    """The condition of a pod that has no node."""
    return {"PodScheduled": ("False", reason, message)}
