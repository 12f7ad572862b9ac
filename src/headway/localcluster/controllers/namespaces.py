"""What a namespace begins with, and its end; claims that become bound."""

from __future__ import annotations

import asyncio

from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.objects.kinds import (
    CLAIM,
    CONFIG_MAP,
    KINDS,
    NAMESPACE,
    SERVICE_ACCOUNT,
    VOLUME,
)
from headway.localcluster.objects.meta import Object, name_of, namespace_of, uid_of
from headway.localcluster.objects.store import Change

_CA = "kube-root-ca.crt"
_CA_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as "
    "the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
    "Kubernetes clusters."
)


class NamespaceController:
    """Furnishes and clears namespaces.

    Args:
        registry: The way into the store.
        authority: The certificate of the API's authority, PEM.
    """

    def __init__(self, registry: Registry, authority: str) -> None:
        self._registry = registry
        self._store = registry.store
        self._authority = authority

    def begin(self) -> None:
        """Watch from now on."""
        for kind in KINDS:
            if kind is NAMESPACE:
                self._store.subscribe(kind, self._namespace_changed)
            elif kind.namespaced:
                self._store.subscribe(kind, self._content_changed)

    def _namespace_changed(self, change: Change) -> None:
        name = name_of(change.new)
        if change.type == "ADDED":
            self._furnish(name)
        elif change.type == "MODIFIED" and change.new["status"]["phase"] == "Terminating":
            asyncio.get_running_loop().call_soon(self._clear, name)

    def _content_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            namespace = self._store.find(NAMESPACE, "", namespace_of(change.new))
            if namespace is not None and namespace["status"]["phase"] == "Terminating":
                asyncio.get_running_loop().call_soon(self._clear, name_of(namespace))

    def _furnish(self, name: str) -> None:
        account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        self._registry.create(SERVICE_ACCOUNT, name, account)
        note = {"kubernetes.io/description": _CA_NOTE}
        bundle: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _CA, "annotations": note},
            "data": {"ca.crt": self._authority},
        }
        self._registry.create(CONFIG_MAP, name, bundle)

    def _clear(self, name: str) -> None:
        """Delete what is left in a namespace that ends, and the namespace when nothing is."""
        namespace = self._store.find(NAMESPACE, "", name)
        if namespace is None:
            return
        left = False
        for kind in KINDS:
            if not kind.namespaced:
                continue
            for obj in self._store.objects(kind, name):
                if not obj["metadata"].get("deletionTimestamp"):
                    self._registry.delete(kind, name, name_of(obj), DeleteOptions(propagation="Background"))
                left = left or self._store.find(kind, name, name_of(obj)) is not None
        if not left and self._store.find(NAMESPACE, "", name) is not None:
            self._store.remove(NAMESPACE, "", name)


class ClaimController:
    """Binds claims at once: each becomes a folder of its own, or the volume of a person's that it names.

    Args:
        registry: The way into the store.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def begin(self) -> None:
        """Watch claims from now on."""
        self._registry.store.subscribe(CLAIM, self._changed)

    def _changed(self, change: Change) -> None:
        volume = f"pvc-{uid_of(change.new)}"
        if change.type == "ADDED":
            asyncio.get_running_loop().call_soon(self._bind, change.new, volume)
        elif change.type == "DELETED" and self._registry.store.find(VOLUME, "", volume) is not None:
            self._registry.delete(VOLUME, "", volume)

    def _bind(self, claim: Object, volume: str) -> None:
        capacity = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
        modes = claim["spec"]["accessModes"]
        named = claim["spec"].get("volumeName", "")
        if named and self._registry.store.find(VOLUME, "", named) is not None:
            self._bound(claim, named)
            return
        reference = {
            "kind": CLAIM.name,
            "namespace": namespace_of(claim),
            "name": name_of(claim),
            "uid": uid_of(claim),
        }
        spec: Object = {
            "capacity": capacity,
            "accessModes": modes,
            "claimRef": reference,
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": claim["spec"]["storageClassName"],
            "volumeMode": "Filesystem",
            "hostPath": {"path": "/"},
        }
        meta = {"name": volume}
        self._registry.create(
            VOLUME, "", {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
        )
        self._bound(claim, volume)

    def _bound(self, claim: Object, volume: str) -> None:
        self._registry.store.modify(VOLUME, "", volume, lambda draft: draft.update(status={"phase": "Bound"}))
        capacity = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
        modes = claim["spec"]["accessModes"]

        def bound(draft: Object) -> None:
            draft["spec"]["volumeName"] = volume
            draft["status"] = {"phase": "Bound", "accessModes": modes, "capacity": capacity}

        self._registry.store.modify(CLAIM, namespace_of(claim), name_of(claim), bound)
