"""Objects follow their owners: background, foreground and orphaning deletion."""

from __future__ import annotations

import asyncio

from headway.localcluster.admission.deletion import FOREGROUND, ORPHAN, DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import KINDS, Kind
from headway.localcluster.objects.meta import Object, name_of, namespace_of, uid_of
from headway.localcluster.objects.store import Change

Key = tuple[Kind, str, str]


class GarbageCollector:
    """Deletes what lost its last owner.

    Args:
        registry: The way into the store.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._alive: set[str] = set()
        self._dependents: dict[str, set[Key]] = {}

    def begin(self) -> None:
        """Watch every kind from now on."""
        for kind in KINDS:
            self._store.subscribe(kind, self._changed)

    def _changed(self, change: Change) -> None:
        obj, kind = change.new, change.kind
        uid, key = uid_of(obj), (kind, namespace_of(obj), name_of(obj))
        loop = asyncio.get_running_loop()
        if change.old is not None:
            for owner in _owners(change.old):
                self._dependents.get(owner, set()).discard(key)
        if change.type == "DELETED":
            self._alive.discard(uid)
            for owner in _owners(change.old or obj):
                if owner in self._alive:
                    loop.call_soon(self._owner_may_go, owner)
            if uid in self._dependents:
                loop.call_soon(self._owner_gone, uid)
            return
        self._alive.add(uid)
        owners = _owners(obj)
        for owner in owners:
            self._dependents.setdefault(owner, set()).add(key)
        if owners and change.old is None and not any(owner in self._alive for owner in owners):
            loop.call_soon(self._delete, key)
        if obj["metadata"].get("deletionTimestamp") and obj["metadata"].get("finalizers"):
            loop.call_soon(self._finalize, key)

    def _owner_gone(self, uid: str) -> None:
        for key in sorted(self._dependents.pop(uid, set()), key=lambda key: (key[0].plural, *key[1:])):
            obj = self._store.find(*key)
            if obj is not None and not any(owner in self._alive for owner in _owners(obj)):
                self._delete(key)

    def _owner_may_go(self, uid: str) -> None:
        """A dependent went: an owner that waits for its dependents may be next."""
        for kind in KINDS:
            for obj in self._store.objects(kind):
                if uid_of(obj) == uid and obj["metadata"].get("deletionTimestamp"):
                    self._finalize((kind, namespace_of(obj), name_of(obj)))

    def _finalize(self, key: Key) -> None:
        obj = self._store.find(*key)
        if obj is None or not obj["metadata"].get("deletionTimestamp"):
            return
        finalizers = obj["metadata"].get("finalizers") or []
        dependents = set(self._dependents.get(uid_of(obj), set()))
        if ORPHAN in finalizers:
            for dependent in dependents:
                self._store.modify(*dependent, lambda draft: _disown(draft, uid_of(obj)))
            self._drop_finalizer(key, ORPHAN)
        elif FOREGROUND in finalizers:
            if not dependents:
                self._drop_finalizer(key, FOREGROUND)
            for dependent in dependents:
                self._delete(dependent, "Foreground")

    def _drop_finalizer(self, key: Key, name: str) -> None:
        obj = self._store.find(*key)
        if obj is None:
            return
        draft = dict(obj)
        draft["metadata"] = dict(obj["metadata"])
        draft["metadata"]["finalizers"] = [entry for entry in obj["metadata"]["finalizers"] if entry != name]
        if not draft["metadata"]["finalizers"]:
            del draft["metadata"]["finalizers"]
        self._registry.replace(key[0], draft)

    def _delete(self, key: Key, propagation: str = "Background") -> None:
        obj = self._store.find(*key)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return
        try:
            self._registry.delete(*key, DeleteOptions(propagation=propagation, uid=uid_of(obj)))
        except ApiError:
            # Somebody else was quicker.
            return


def _owners(obj: Object) -> list[str]:
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()]


def _disown(draft: Object, uid: str) -> None:
    kept = [entry for entry in draft["metadata"].get("ownerReferences") or () if entry["uid"] != uid]
    if kept:
        draft["metadata"]["ownerReferences"] = kept
    else:
        draft["metadata"].pop("ownerReferences", None)
