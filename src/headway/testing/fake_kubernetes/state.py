"""The objects of the fake cluster: versions, history, and who wants to hear of changes."""

import copy
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

Manifest = dict[str, Any]
Key = tuple[str, str, str]
"""Resource, namespace, name."""


class Change(NamedTuple):
    """One change of one object.

    Args:
        version: The version of the cluster's state that it made.
        type: ADDED, MODIFIED or DELETED.
        resource: The plural of the kind.
        object: The object after the change, before it if it was deleted.
        previous: The object before the change.
    """

    version: int
    type: str
    resource: str
    object: Manifest
    previous: Manifest | None


class ClusterState:
    """Objects in memory; every write makes a new version and is told to all listeners at once.

    Args:
        now: The time, for the time stamps that a server sets.

    Attributes:
        version: The current version.
        forgotten: Changes up to this version are no longer in the history.
        history: The changes since then, in order.
        listeners: Called with each change.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.version = 1000
        self.forgotten = self.version
        self.history: list[Change] = []
        self.listeners: list[Callable[[Change], None]] = []
        self._now = now
        self._objects: dict[Key, Manifest] = {}
        self._uids = itertools.count(1)

    def timestamp(self) -> str:
        """Return the time now, as Kubernetes writes it."""
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def get(self, resource: str, namespace: str, name: str) -> Manifest | None:
        """Return a copy of an object, None if there is none."""
        found = self._objects.get((resource, namespace, name))
        return None if found is None else copy.deepcopy(found)

    def all(self, resource: str, namespace: str | None = None) -> Iterator[Manifest]:
        """Return copies of the objects of a resource in the order of their names."""
        for key in sorted(self._objects):
            if key[0] == resource and namespace in (None, key[1]):
                yield copy.deepcopy(self._objects[key])

    def completed(self, resource: str, namespace: str, manifest: Manifest) -> Manifest:
        """Return a new object as the server would keep it, without keeping it."""
        obj = copy.deepcopy(manifest)
        meta = obj.setdefault("metadata", {})
        if namespace:
            meta["namespace"] = namespace
        meta["uid"] = f"uid-{next(self._uids):06d}"
        meta["creationTimestamp"] = self.timestamp()
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = f"{meta['generateName']}{meta['uid'][-5:]}"
        if resource in ("pods", "jobs"):
            obj.setdefault("status", {"phase": "Pending"} if resource == "pods" else {})
        return obj

    def add(self, resource: str, namespace: str, manifest: Manifest) -> Manifest:
        """Create an object; the caller has checked that the name is free."""
        obj = self.completed(resource, namespace, manifest)
        return self._write("ADDED", resource, (resource, namespace, obj["metadata"]["name"]), obj, None)

    def update(self, resource: str, obj: Manifest) -> Manifest:
        """Replace an object, unless nothing would change."""
        key = (resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        previous = self._objects[key]
        if obj == previous:
            return copy.deepcopy(obj)
        return self._write("MODIFIED", resource, key, copy.deepcopy(obj), previous)

    def remove(self, resource: str, namespace: str, name: str, *, orphan: bool = False) -> Manifest | None:
        """Delete an object and, unless they are to be orphans, those it owns; None if there is none."""
        key = (resource, namespace, name)
        previous = self._objects.get(key)
        if previous is None:
            return None
        gone = self._write("DELETED", resource, key, copy.deepcopy(previous), previous)
        if orphan:
            return gone
        uid = previous["metadata"]["uid"]
        owned = [
            other
            for other, obj in self._objects.items()
            if any(owner.get("uid") == uid for owner in obj["metadata"].get("ownerReferences", ()))
        ]
        for other in owned:
            self.remove(*other)
        return gone

    def compact(self) -> None:
        """Forget the history, as etcd does: watches and pages of older versions are answered 410."""
        self.history.clear()
        self.forgotten = self.version

    def _write(
        self, type_: str, resource: str, key: Key, obj: Manifest, previous: Manifest | None
    ) -> Manifest:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        if type_ == "DELETED":
            del self._objects[key]
        else:
            self._objects[key] = obj
        change = Change(self.version, type_, resource, copy.deepcopy(obj), previous)
        self.history.append(change)
        for listener in tuple(self.listeners):
            listener(change)
        return copy.deepcopy(obj)
