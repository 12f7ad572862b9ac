"""The columns that kubectl prints for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headway.localcluster.objects.meta import Object, condition, is_true, parse_timestamp

_NONE = "<none>"


@dataclass(frozen=True)
class Column:
    """One printed column.

    Attributes:
        name: Its heading.
        cell: The text for an object at a time.
        priority: 0 is always shown, 1 only in wide output.
    """

    name: str
    cell: Callable[[Object, float], Any]
    priority: int = 0


def short_duration(seconds: float) -> str:
    """A duration as kubectl prints it: `45s`, `3m20s`, `5h`, `3d4h`."""
    total = max(int(seconds), 0)
    if total < 120:
        return f"{total}s"
    minutes = total // 60
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    return f"{days}d{hours % 24}h" if days < 8 and hours % 24 else f"{days}d"


def age(obj: Object, now: float) -> str:
    """How old an object is."""
    created = obj["metadata"].get("creationTimestamp")
    return "<unknown>" if created is None else short_duration(now - parse_timestamp(created))


def pod_status(pod: Object) -> str:
    """The one word that sums a pod up."""
    status = pod.get("status", {})
    reason = str(status.get("reason") or status.get("phase", "Unknown"))
    total = len(pod["spec"].get("initContainers") or ())
    for i, container in enumerate(status.get("initContainerStatuses") or ()):
        state = container.get("state", {})
        if (state.get("terminated") or {}).get("exitCode") == 0 or container.get("started"):
            continue
        if "terminated" in state:
            reason = f"Init:{_terminated(state['terminated'])}"
        elif (state.get("waiting") or {}).get("reason") not in (None, "PodInitializing"):
            reason = f"Init:{state['waiting']['reason']}"
        else:
            reason = f"Init:{i}/{total}"
        break
    else:
        reason = _from_containers(status, reason)
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _from_containers(status: Object, reason: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state", {})
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _terminated(state["terminated"])
        elif container.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        return "Running" if is_true(status, "Ready") else "NotReady"
    return reason


def _terminated(state: Object) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode')}"


def _ready(pod: Object, _: float) -> str:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return f"{sum(1 for entry in statuses if entry['ready'])}/{len(pod['spec']['containers'])}"


def _restarts(pod: Object, now: float) -> Any:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    count = sum(entry["restartCount"] for entry in statuses)
    last = [entry.get("lastState", {}).get("terminated") for entry in statuses]
    ended: list[str] = [entry["finishedAt"] for entry in last if entry]
    if not count or not ended:
        return str(count)
    return f"{count} ({short_duration(now - max(parse_timestamp(text) for text in ended))} ago)"


def _job_status(job: Object, _: float) -> str:
    status = job.get("status", {})
    for name, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if is_true(status, name):
            return word
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if is_true(status, "Suspended"):
        return "Suspended"
    if is_true(status, "FailureTarget"):
        return "FailureTarget"
    return "SuccessCriteriaMet" if is_true(status, "SuccessCriteriaMet") else "Running"


def _completions(job: Object, _: float) -> str:
    done, wanted = job.get("status", {}).get("succeeded", 0), job["spec"].get("completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallelism = job["spec"].get("parallelism", 1)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _job_duration(job: Object, now: float) -> str:
    status = job.get("status", {})
    started = status.get("startTime")
    if started is None:
        return ""
    failed = condition(status, "Failed")
    ended = status.get("completionTime") or (failed or {}).get("lastTransitionTime")
    return short_duration((parse_timestamp(ended) if ended else now) - parse_timestamp(started))


def _template_list(field: str) -> Callable[[Object, float], str]:
    return lambda job, _: ",".join(
        entry.get(field, "") for entry in job["spec"]["template"]["spec"]["containers"]
    )


def _labels(values: Object | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or _NONE


def _ports(service: Object, _: float) -> str:
    ports = service["spec"].get("ports") or ()
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or _NONE


def _node_status(node: Object, _: float) -> str:
    words = "Ready" if is_true(node.get("status", {}), "Ready") else "NotReady"
    return words + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")


def _node_address(node: Object, _: float) -> str:
    found = (entry for entry in node["status"].get("addresses") or () if entry["type"] == "InternalIP")
    return str(next((entry["address"] for entry in found), _NONE))


def _event_seen(event: Object, now: float) -> str:
    text = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return "<unknown>" if text is None else short_duration(now - parse_timestamp(text))


def _event_source(event: Object, _: float) -> str:
    source = event.get("source") or {}
    name = source.get("component") or event.get("reportingComponent") or ""
    return f"{name}, {source['host']}" if source.get("host") else name


def _path(*keys: str, default: str = _NONE) -> Callable[[Object, float], Any]:
    def cell(obj: Object, _: float) -> Any:
        value: Any = obj
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return default if value in (None, "") else value

    return cell


def _size(*fields: str) -> Callable[[Object, float], int]:
    return lambda obj, _: sum(len(obj.get(field) or ()) for field in fields)


AGE = Column("Age", age)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        Column("Ready", _ready),
        Column("Status", lambda pod, _: pod_status(pod)),
        Column("Restarts", _restarts),
        AGE,
        Column("IP", _path("status", "podIP"), 1),
        Column("Node", _path("spec", "nodeName"), 1),
        Column("Nominated Node", _path("status", "nominatedNodeName"), 1),
        Column("Readiness Gates", lambda *_: _NONE, 1),
    ),
    "jobs": (
        Column("Status", _job_status),
        Column("Completions", _completions),
        Column("Duration", _job_duration),
        AGE,
        Column("Containers", _template_list("name"), 1),
        Column("Images", _template_list("image"), 1),
        Column("Selector", lambda job, _: _labels(job["spec"].get("selector", {}).get("matchLabels")), 1),
    ),
    "services": (
        Column("Type", _path("spec", "type")),
        Column("Cluster-IP", _path("spec", "clusterIP")),
        Column("External-IP", lambda *_: _NONE),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", lambda service, _: _labels(service["spec"].get("selector")), 1),
    ),
    "configmaps": (Column("Data", _size("data", "binaryData")), AGE),
    "secrets": (Column("Type", _path("type")), Column("Data", _size("data")), AGE),
    "serviceaccounts": (AGE,),
    "namespaces": (Column("Status", _path("status", "phase")), AGE),
    "nodes": (
        Column("Status", _node_status),
        Column("Roles", lambda *_: _NONE),
        AGE,
        Column("Version", _path("status", "nodeInfo", "kubeletVersion")),
        Column("Internal-IP", _node_address, 1),
        Column("External-IP", lambda *_: _NONE, 1),
        Column("OS-Image", _path("status", "nodeInfo", "osImage"), 1),
        Column("Kernel-Version", _path("status", "nodeInfo", "kernelVersion"), 1),
        Column("Container-Runtime", _path("status", "nodeInfo", "containerRuntimeVersion"), 1),
    ),
    "persistentvolumeclaims": (
        Column("Status", _path("status", "phase")),
        Column("Volume", _path("spec", "volumeName", default="")),
        Column("Capacity", _path("status", "capacity", "storage", default="")),
        Column("Access Modes", lambda claim, _: ",".join(claim["status"].get("accessModes") or ())),
        Column("StorageClass", _path("spec", "storageClassName", default="")),
        AGE,
    ),
    "events": (
        Column("Last Seen", _event_seen),
        Column("Type", _path("type")),
        Column("Reason", _path("reason")),
        Column("Object", lambda e, _: f"{e['involvedObject']['kind'].lower()}/{e['involvedObject']['name']}"),
        Column("Subobject", _path("involvedObject", "fieldPath", default=""), 1),
        Column("Source", _event_source, 1),
        Column("Message", lambda event, _: str(event.get("message", "")).strip()),
        Column("Count", _path("count", default="1"), 1),
        Column("Age", age, 1),
    ),
    "priorityclasses": (Column("Value", _path("value")), AGE),
    "storageclasses": (Column("Provisioner", _path("provisioner")), AGE),
}
