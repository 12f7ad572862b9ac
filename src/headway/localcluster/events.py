"""The events that controllers, the scheduler and nodes leave on objects."""

from __future__ import annotations

from headway.localcluster.admission.registry import Registry
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import EVENT
from headway.localcluster.objects.meta import (
    Object,
    copied,
    name_of,
    namespace_of,
    new_uid,
    timestamp,
    uid_of,
)

_KEPT = 2000


class Recorder:
    """Writes events; one that repeats counts up instead.

    Args:
        registry: The way into the store.
        component: Who speaks: `kubelet`, `default-scheduler`, `job-controller`.
        host: The node it speaks from, if it is one.
    """

    def __init__(self, registry: Registry, component: str, host: str = "") -> None:
        self._registry = registry
        self._component = component
        self._host = host
        self._known: dict[tuple[str, str, str], str] = {}

    def __call__(
        self, obj: Object, reason: str, message: str, *, warning: bool = False, path: str = ""
    ) -> None:
        """Record one event on an object.

        Args:
            obj: What it is about.
            reason: Its short machine-readable reason.
            message: What people read.
            warning: Whether it is a warning.
            path: The part of the object it concerns, such as `spec.containers{main}`.
        """
        namespace = namespace_of(obj) or "default"
        key = (uid_of(obj), reason, message)
        if key in self._known and self._count_up(namespace, self._known[key]):
            return
        name = f"{name_of(obj)}.{new_uid()[:16].replace('-', '')}"
        now = timestamp(self._registry.now())
        event: Object = {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.name,
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": self._reference(obj, path),
            "reason": reason,
            "message": message,
            "source": {"component": self._component, **({"host": self._host} if self._host else {})},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        try:
            self._registry.create(EVENT, namespace, event)
        except ApiError:
            # The namespace is gone or going; nobody is left to read this.
            return
        self._known[key] = name
        if len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))

    def _count_up(self, namespace: str, name: str) -> bool:
        old = self._registry.store.find(EVENT, namespace, name)
        if old is None:
            return False
        event = copied(old)
        event["count"] += 1
        event["lastTimestamp"] = timestamp(self._registry.now())
        self._registry.store.update(EVENT, event)
        return True

    @staticmethod
    def _reference(obj: Object, path: str) -> Object:
        reference: Object = {
            "kind": obj["kind"],
            "namespace": namespace_of(obj),
            "name": name_of(obj),
            "uid": uid_of(obj),
            "apiVersion": obj["apiVersion"],
            "resourceVersion": obj["metadata"].get("resourceVersion", ""),
        }
        if path:
            reference["fieldPath"] = path
        return {key: value for key, value in reference.items() if value}
