"""A pod's status from the states of its containers; the rules of the kubelet, without effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from headway.localcluster.objects.meta import Object, condition


@dataclass
class ContainerState:
    """What the node knows of one container.

    Attributes:
        spec: The container's spec.
        state: `waiting`, `running` or `terminated`, as on the wire.
        last: The state before the latest restart.
        restarts: How often it was started again.
        container_id: The id of the latest start; empty before the first.
        finished: Whether it will not be started again.
    """

    spec: Object
    state: Object
    last: Object = field(default_factory=dict)
    restarts: int = 0
    container_id: str = ""
    finished: bool = False

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def exit_code(self) -> int | None:
        """How it ended; None unless it is over."""
        ended = self.state.get("terminated")
        return None if ended is None else int(ended["exitCode"])

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return "running" in self.state

    def on_wire(self) -> Object:
        """The entry of `containerStatuses`."""
        entry: Object = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last,
            "ready": self.is_running,
            "restartCount": self.restarts,
            "image": self.spec["image"],
            "imageID": "",
            "started": self.is_running,
        }
        if self.container_id:
            entry["containerID"] = self.container_id
            entry["resources"] = self.spec.get("resources") or {}
        return entry


def waiting(reason: str, message: str = "") -> Object:
    """A waiting state."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


@dataclass
class PodState:
    """What the node knows of one pod.

    Attributes:
        pod: The pod as it was bound.
        inits: Its init containers.
        mains: Its containers.
        host_ip: The node's address.
        pod_ip: The pod's address; empty before there is a sandbox.
        started: When the node accepted it, as on the wire.
        sandbox: Whether containers can be started.
        reason: The pod's own reason, such as `DeadlineExceeded` or `Evicted`.
        message: The words to it.
        failed: Whether the node decided that the pod has failed.
    """

    pod: Object
    inits: list[ContainerState]
    mains: list[ContainerState]
    host_ip: str
    started: str
    pod_ip: str = ""
    sandbox: bool = False
    reason: str = ""
    message: str = ""
    failed: bool = False

    @property
    def initialized(self) -> bool:
        """Whether every init container succeeded."""
        return all(entry.exit_code == 0 for entry in self.inits)


def phase(state: PodState) -> str:
    """The phase that the containers' states make."""
    if state.failed:
        return "Failed"
    policy = state.pod["spec"]["restartPolicy"]
    if not state.initialized:
        broken = any(entry.exit_code not in (None, 0) and entry.finished for entry in state.inits)
        return "Failed" if broken and policy == "Never" else "Pending"
    if any(entry.is_running for entry in state.mains):
        return "Running"
    if any("waiting" in entry.state and not entry.last for entry in state.mains):
        return "Pending"
    if all(entry.finished for entry in state.mains):
        return "Succeeded" if all(entry.exit_code == 0 for entry in state.mains) else "Failed"
    return "Running"


def pod_status(state: PodState, old: Object, now: str) -> Object:
    """The whole status of a pod.

    Args:
        state: What the node knows.
        old: The status before; kept are its conditions' times and the conditions of others.
        now: The time, as on the wire.
    """
    current = phase(state)
    status: Object = {
        "observedGeneration": state.pod["metadata"].get("generation", 1),
        "phase": current,
        "conditions": _conditions(state, current, old, now),
        "hostIP": state.host_ip,
        "hostIPs": [{"ip": state.host_ip}],
        "startTime": state.started,
        "qosClass": old.get("qosClass", "BestEffort"),
        "containerStatuses": [entry.on_wire() for entry in state.mains],
    }
    if state.inits:
        status["initContainerStatuses"] = [_as_init(entry) for entry in state.inits]
    if state.pod_ip:
        status["podIP"] = state.pod_ip
        status["podIPs"] = [{"ip": state.pod_ip}]
    if state.reason:
        status["reason"], status["message"] = state.reason, state.message
    return status


def _as_init(entry: ContainerState) -> Object:
    wire = entry.on_wire()
    wire["ready"] = entry.exit_code == 0
    return wire


def _conditions(state: PodState, current: str, old: Object, now: str) -> list[Object]:
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(current)
    unready = [entry.name for entry in state.mains if not entry.is_running]
    ready = not over and not unready
    why, words = "", ""
    if over:
        why = over
    elif unready:
        why = "ContainersNotReady"
        words = f"containers with unready status: [{' '.join(unready)}]"
    uninitialized = [entry.name for entry in state.inits if entry.exit_code != 0]
    wanted = [
        ("PodReadyToStartContainers", state.sandbox and not over, "", ""),
        (
            "Initialized",
            not uninitialized,
            "ContainersNotInitialized"
            if uninitialized
            else ("PodCompleted" if current == "Succeeded" else ""),
            f"containers with incomplete status: [{' '.join(uninitialized)}]" if uninitialized else "",
        ),
        ("Ready", ready, why, words),
        ("ContainersReady", ready, why, words),
        ("PodScheduled", True, "", ""),
    ]
    ours = {name for name, *_ in wanted}
    kept = [entry for entry in old.get("conditions") or () if entry["type"] not in ours]
    generation = state.pod["metadata"].get("generation", 1)
    return kept + [_condition(*entry, old, now, generation) for entry in wanted]


def _condition(
    name: str, value: bool, reason: str, message: str, old: Object, now: str, generation: int
) -> Object:
    text = "True" if value else "False"
    before = condition(old, name)
    since = before["lastTransitionTime"] if before is not None and before["status"] == text else now
    entry: Object = {
        "type": name,
        "observedGeneration": generation,
        "status": text,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    return entry


def with_condition(status: Object, name: str, reason: str, message: str, now: str) -> Object:
    """A status with one more condition that is true, as controllers add them."""
    kept = [entry for entry in status.get("conditions") or () if entry["type"] != name]
    added = {
        "type": name,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    return {**status, "conditions": [*kept, added]}


def all_over(states: Iterable[ContainerState]) -> bool:
    """Whether none of these containers will run again."""
    return all(entry.finished for entry in states)
