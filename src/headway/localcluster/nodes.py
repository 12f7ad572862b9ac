"""The nodes this cluster pretends to have."""

from __future__ import annotations

import os
import platform

from headway.localcluster.admission.registry import Registry
from headway.localcluster.api.discovery import VERSION
from headway.localcluster.node.host import HOST_ADDRESS
from headway.localcluster.objects import quantity
from headway.localcluster.objects.kinds import NODE
from headway.localcluster.objects.meta import Object, new_uid, timestamp
from headway.localcluster.options import Options

_GPU = "nvidia.com/gpu"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node_names(options: Options) -> list[str]:
    """The names of the nodes that options declare."""
    return [f"node-{number}" for number in range(1, options.nodes + 1)]


def register(registry: Registry, options: Options, name: str) -> None:
    """Add one node, ready to take pods."""
    stored = registry.create(NODE, "", {"apiVersion": "v1", "kind": "Node", **_node(options, name)})
    now = timestamp(registry.now())
    registry.set_status(NODE, stored, _status(options, name, now))


def _node(options: Options, name: str) -> Object:
    system = platform.system().lower()
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    labels = {
        "kubernetes.io/arch": machine,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": system,
        **options.labels,
    }
    spec: Object = {"podCIDR": "127.0.0.0/8", "podCIDRs": ["127.0.0.0/8"]}
    if options.taints:
        spec["taints"] = [dict(taint) for taint in options.taints]
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def _status(options: Options, name: str, now: str) -> Object:
    capacity = {
        "cpu": quantity.canonical(options.cpu or str(os.cpu_count() or 1)),
        "memory": quantity.canonical(options.memory or _machine_memory()),
        "ephemeral-storage": quantity.canonical(options.disk),
        "pods": str(options.pods),
    }
    if options.gpu:
        capacity[_GPU] = str(options.gpu)
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": message, **times}
        for kind, status, reason, message in _CONDITIONS
    ]
    addresses = [{"address": HOST_ADDRESS, "type": "InternalIP"}, {"address": name, "type": "Hostname"}]
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    info = {
        "architecture": machine,
        "bootID": new_uid(),
        "containerRuntimeVersion": "headway://processes",
        "kernelVersion": platform.release(),
        "kubeProxyVersion": "",
        "kubeletVersion": VERSION,
        "machineID": "",
        "operatingSystem": platform.system().lower(),
        "osImage": f"this machine ({platform.system()})",
        "systemUUID": "",
    }
    return {
        "addresses": addresses,
        "allocatable": capacity,
        "capacity": capacity,
        "conditions": conditions,
        "nodeInfo": info,
    }


def _machine_memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1024}Ki"
