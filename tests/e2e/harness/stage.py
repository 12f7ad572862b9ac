"""A node without a machine: what pods on it go through is played by the test, word by word as a kubelet says it."""

import json
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from harness.kubectl import Kubectl, Object, eventually


class Stage:
    """One node that no kubelet serves, and the pods that the scheduler puts there.

    Args:
        kubectl: The administrator's, in the namespace of the pods.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self.name = f"stage-{uuid.uuid4().hex[:6]}"
        self.taint = {"key": "stage", "value": self.name, "effect": "NoSchedule"}
        about = {
            "name": self.name,
            "labels": {"stage": self.name, "kubernetes.io/os": "linux"},
            # Volumes are attached to it by the cluster's controller, as to any node.
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        }
        body = {"apiVersion": "v1", "kind": "Node", "metadata": about}
        kubectl.create({**body, "spec": {"taints": [self.taint]}})
        room = {
            "cpu": "4",
            "memory": "16Gi",
            "ephemeral-storage": "100Gi",
            "pods": "50",
            "nvidia.com/gpu": "2",
        }
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        self._patch("node", self.name, {"capacity": room, "allocatable": room, "conditions": [ready]})
        self._silent = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    @property
    def settings(self) -> str:
        """What a step says to run there, as ``--with`` takes it, after other settings."""
        return (
            f'node_selector={{"stage": "{self.name}"}},tolerations=[{{"key": "stage", "operator": "Exists"}}]'
        )

    @property
    def chosen(self) -> Object:
        """The same as arguments of ``@kubernetes``."""
        return {
            "node_selector": {"stage": self.name},
            "tolerations": [{"key": "stage", "operator": "Exists"}],
        }

    def fill(self, labels: Mapping[str, str]) -> None:
        """Put a pod there that leaves next to no room for others."""
        takes = {"cpu": "3900m", "memory": "15Gi", "ephemeral-storage": "99Gi", "nvidia.com/gpu": "2"}
        container = {"name": "filler", "image": "python:3.11", "resources": {"limits": takes}}
        about = {"name": f"{self.name}-filler", "labels": dict(labels)}
        spec = {"nodeName": self.name, "containers": [container], "terminationGracePeriodSeconds": 0}
        self._kubectl.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec})

    def fall_silent(self) -> None:
        """From now on the node does not answer; its controller finds that out by itself."""
        self._silent.set()
        self._heart.join()

    def given_up_at(self) -> float:
        """When the cluster itself took note that the node does not answer, in seconds since the epoch."""
        conditions = json.loads(self._kubectl.run("get", "node", self.name, "-o", "json"))["status"][
            "conditions"
        ]
        (when,) = [
            each["lastTransitionTime"]
            for each in conditions
            if each["type"] == "Ready" and each["status"] == "Unknown"
        ]
        return datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()

    def _beat(self) -> None:
        """Renew the node's lease, as its kubelet would."""
        self._renew()
        while not self._silent.wait(5):
            self._renew()

    def _renew(self) -> None:
        now = _now()
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": now},
        }
        self._kubectl.run("apply", "--namespace", "kube-node-lease", "-f", "-", given=json.dumps(lease))

    def pod(self, selector: str, seconds: float = 120.0) -> str:
        """The name of the first pod with these labels that was put here."""

        def there() -> str:
            pods = self._kubectl.objects("pods", selector)
            return next(
                (pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") == self.name), ""
            )

        found = eventually(seconds, there)
        assert found, "no pod came to the stage"
        return found

    def play(
        self,
        pod: str,
        phase: str = "Pending",
        state: Mapping[str, Any] | None = None,
        conditions: list[Object] | None = None,
        **said: str,
    ) -> None:
        """Give a pod a status: its phase, the state of its container, conditions, its own reason and message."""
        container = self._kubectl.run("get", "pod", pod, "-o", "jsonpath={.spec.containers[0].name}")
        ready = phase == "Running"
        status: Object = {
            "phase": phase,
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Ready", "status": str(ready)},
                *(conditions or []),
            ],
            **said,
        }
        if state is not None:
            image = {"image": "python:3.11", "imageID": "", "restartCount": 0, "ready": ready}
            status["containerStatuses"] = [{"name": container, "state": state, **image}]
        self._patch("pod", pod, status)

    def event(self, pod: str, reason: str, message: str) -> None:
        """Write an event about a pod."""
        found = json.loads(self._kubectl.run("get", "pod", pod, "-o", "json"))["metadata"]
        now = _now()
        self._kubectl.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{pod}.{uuid.uuid4().hex[:8]}"},
                "involvedObject": {
                    "kind": "Pod",
                    **{key: found[key] for key in ("name", "namespace", "uid")},
                },
                "type": "Warning",
                "reason": reason,
                "message": message,
                "firstTimestamp": now[:19] + "Z",
                "lastTimestamp": now[:19] + "Z",
                "count": 1,
            }
        )

    def drive_out(self, pod: str) -> None:
        """Taint the node so that the cluster takes a pod away, and end the pod as the kubelet then would."""
        self._kubectl.run("taint", "node", self.name, "leave=now:NoExecute")

        def told() -> bool:
            said = self._kubectl.run("get", "pod", pod, "-o", "jsonpath={.status.conditions[*].type}")
            return "DisruptionTarget" in said

        assert eventually(120, told), f"{pod} may stay"
        self._patch("pod", pod, {"phase": "Failed"})

    def leave(self) -> None:
        """The node is taken out of the cluster, and its pods are not; the cluster finds them by itself."""
        self._kubectl.run("delete", "node", self.name, "--wait=false")

    def clear(self) -> None:
        """Take away the pods that stand here: nobody else would end them."""
        pods = f"--field-selector=spec.nodeName={self.name}"
        for pod in self._kubectl.run("get", "pods", pods, "-o", "name").split():
            # A Job holds on to its pods until they have ended, and no kubelet says that they have.
            self._patch("pod", pod.removeprefix("pod/"), {"phase": "Failed"})
        self._kubectl.run("delete", "pods", pods, "--force", "--grace-period=0", "--wait=false")

    def close(self) -> None:
        """Take the node away, and what still stands on it."""
        self.fall_silent()
        self.clear()
        self._kubectl.run("delete", "node", self.name, "--wait=false", "--ignore-not-found")
        self._kubectl.run(
            "delete", "lease", self.name, "--namespace", "kube-node-lease", "--ignore-not-found"
        )

    def _patch(self, kind: str, name: str, status: Mapping[str, Any]) -> None:
        patch = json.dumps({"status": status})
        self._kubectl.run("patch", kind, name, "--subresource=status", "--type=merge", "--patch", patch)


def _now() -> str:

    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
