"""What happens to pods in the fake cluster, one line of a test each."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from headway.testing.fake_kubernetes.selectors import matches
from headway.testing.fake_kubernetes.state import ClusterState, Manifest


class PodLives:
    """Moves pods through their lives as a scheduler and a kubelet would.

    Every method takes the pod's name and finds its namespace by itself.

    Args:
        state: The cluster.
    """

    def __init__(self, state: ClusterState) -> None:
        self._state = state

    def pods(self, label_selector: str | None = None) -> list[Manifest]:
        """Return the pods with these labels, in the order of their names.

        Args:
            label_selector: As in kubectl's -l; None for all.
        """
        return [pod for pod in self._state.all("pods") if matches(pod, label_selector, None)]

    def pod_names(self, label_selector: str | None = None) -> list[str]:
        """Return the names of the pods with these labels, in order."""
        return [pod["metadata"]["name"] for pod in self.pods(label_selector)]

    def pod_scheduled(self, name: str, node: str = "node1") -> None:
        """Place a pod on a node; its containers are being made."""
        pod = self._pod(name)
        pod["spec"]["nodeName"] = node
        _condition(pod, "PodScheduled", "True")
        pod["status"]["hostIP"] = "192.0.2.1"
        pod["status"]["startTime"] = self._state.timestamp()
        self._containers(pod, {"waiting": {"reason": "ContainerCreating"}})

    def pod_unschedulable(
        self, name: str, message: str = "0/1 nodes are available: 1 Insufficient cpu."
    ) -> None:
        """Leave a pod waiting for a node, with the scheduler's words."""
        pod = self._pod(name)
        _condition(pod, "PodScheduled", "False", "Unschedulable", message)
        self._state.update("pods", pod)

    def pod_waiting(self, name: str, reason: str = "ImagePullBackOff", message: str = "") -> None:
        """Leave a placed pod's containers waiting for a reason."""
        self._placed(name)
        self._containers(self._pod(name), {"waiting": {"reason": reason, "message": message}})

    def pod_running(self, name: str, node: str = "node1") -> None:
        """Let a pod run."""
        self._placed(name, node)
        pod = self._pod(name)
        pod["status"].update(phase="Running", podIP="10.244.0.10")
        _condition(pod, "Ready", "True")
        self._containers(pod, {"running": {"startedAt": self._state.timestamp()}}, ready=True)

    def pod_succeeded(self, name: str, message: str = "") -> None:
        """Let a pod end well, with these last words."""
        self._ended(name, "Succeeded", 0, "Completed", message)

    def pod_failed(
        self, name: str, exit_code: int = 1, reason: str = "Error", message: str = "", signal: int = 0
    ) -> None:
        """Let a pod's containers end badly; "OOMKilled" with 137 is memory."""
        self._ended(name, "Failed", exit_code, reason, message, signal)

    def pod_evicted(self, name: str, message: str = "The node was low on resource: memory.") -> None:
        """Let the kubelet evict a pod."""
        self._disrupted(name, "TerminationByKubelet", message, status_reason="Evicted")

    def pod_overdue(self, name: str, message: str = "") -> None:
        """Let the kubelet end a pod at its deadline; its container left these last words."""
        said = "Pod was active on the node longer than the specified deadline"
        why = {"reason": "DeadlineExceeded", "message": said}
        self._ended(name, "Failed", 137, "Error", message, why=why)

    def pod_preempted(self, name: str, message: str = "preempted by a pod of higher priority") -> None:
        """Let the scheduler take a pod's place away."""
        self._disrupted(name, "PreemptionByScheduler", message)

    def pod_lost(self, name: str) -> None:
        """Let a pod's node vanish: the pod garbage collector marks the pod and removes it."""
        self._disrupted(name, "DeletionByPodGC", "PodGC: node no longer exists")
        self.pod_deleted(name)

    def pod_deleted(self, name: str) -> None:
        """Remove a pod."""
        self._state.remove("pods", self._pod(name)["metadata"]["namespace"], name)

    def event(
        self,
        resource: str,
        name: str,
        reason: str,
        message: str,
        *,
        type_: str = "Warning",
        namespace: str | None = None,
    ) -> None:
        """Write an event about an object.

        Args:
            resource: The plural of the object's kind.
            name: The object's name.
            reason: The event's reason ("FailedScheduling", "FailedCreate", …).
            message: The event's message.
            type_: "Warning" or "Normal".
            namespace: The object's namespace; found by the name if None.
        """
        obj = next(obj for obj in self._state.all(resource, namespace) if obj["metadata"]["name"] == name)
        about = {key: obj["metadata"].get(key, "") for key in ("name", "namespace", "uid")}
        space = about["namespace"]
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{name}."},
            "involvedObject": {"kind": obj.get("kind", ""), **about},
            "type": type_,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": self._state.timestamp(),
            "lastTimestamp": self._state.timestamp(),
        }
        self._state.add("events", space, body)

    def _pod(self, name: str) -> Manifest:
        for pod in self._state.all("pods"):
            if pod["metadata"]["name"] == name:
                return pod
        raise LookupError(f"the fake cluster has no pod {name}")

    def _placed(self, name: str, node: str = "node1") -> None:
        if not self._pod(name)["spec"].get("nodeName"):
            self.pod_scheduled(name, node)

    def _containers(self, pod: Manifest, state: dict[str, Any], *, ready: bool = False) -> None:
        pod["status"]["containerStatuses"] = [
            {"name": container["name"], "ready": ready, "restartCount": 0, "state": state, "lastState": {}}
            for container in _containers_of(pod)
        ]
        self._state.update("pods", pod)

    def _ended(
        self,
        name: str,
        phase: str,
        exit_code: int,
        reason: str,
        message: str = "",
        signal: int = 0,
        why: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._placed(name)
        pod = self._pod(name)
        pod["status"].update(why)
        now = self._state.timestamp()
        terminated = {"exitCode": exit_code, "reason": reason, "startedAt": now, "finishedAt": now}
        if message:
            terminated["message"] = message
        if signal:
            terminated["signal"] = signal
        pod["status"]["phase"] = phase
        _condition(pod, "Ready", "False", "PodCompleted" if phase == "Succeeded" else "PodFailed")
        self._containers(pod, {"terminated": terminated})

    def _disrupted(self, name: str, reason: str, message: str, *, status_reason: str = "") -> None:
        self._placed(name)
        pod = self._pod(name)
        pod["status"]["phase"] = "Failed"
        if status_reason:
            pod["status"].update(reason=status_reason, message=message)
        _condition(pod, "DisruptionTarget", "True", reason, message)
        terminated = {"exitCode": 137, "reason": "Error", "finishedAt": self._state.timestamp()}
        self._containers(pod, {"terminated": terminated})


def _containers_of(pod: Manifest) -> Sequence[Manifest]:
    return pod["spec"].get("containers") or [{"name": "main"}]


def _condition(pod: Manifest, type_: str, status: str, reason: str = "", message: str = "") -> None:
    others = [known for known in pod["status"].get("conditions", ()) if known["type"] != type_]
    pod["status"]["conditions"] = [
        *others,
        {"type": type_, "status": status, "reason": reason, "message": message},
    ]
