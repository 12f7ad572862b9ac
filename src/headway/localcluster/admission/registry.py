"""The one way into the store for requests and controllers: defaults, policy, validation, then the write."""

from __future__ import annotations

from collections.abc import Callable

from headway.localcluster.admission import defaults, jobs, names, pods, quota, security
from headway.localcluster.admission.deletion import DeleteOptions, delete
from headway.localcluster.admission.pod_identity import priority, service_account
from headway.localcluster.admission.small_kinds import check as check_small_kind
from headway.localcluster.objects.failures import (
    Cause,
    already_exists,
    forbidden,
    forbidden_field,
    unprocessable,
)
from headway.localcluster.objects.kinds import CONFIG_MAP, JOB, NAMESPACE, POD, SECRET, SERVICE, Kind
from headway.localcluster.objects.meta import (
    Object,
    copied,
    generated_name,
    name_of,
    namespace_of,
    new_uid,
    timestamp,
)
from headway.localcluster.objects.store import Store

_SERVER_FIELDS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "selfLink",
)
_KEPT_FIELDS = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
)


class Registry:
    """Creates, replaces and deletes objects under the rules of the API.

    Args:
        store: Where they live.
        now: The clock, epoch seconds.
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self.store = store
        self.now = now
        self._next_address = 0

    def create(self, kind: Kind, namespace: str, obj: Object, *, dry_run: bool = False) -> Object:
        """Admit and store a new object; `obj` is taken over.

        Raises:
            ApiError: It is refused.
        """
        meta = obj["metadata"]
        for field in _SERVER_FIELDS:
            meta.pop(field, None)
        if kind.namespaced:
            self._namespace_is_open(kind, namespace, meta)
            meta["namespace"] = namespace
        else:
            meta.pop("namespace", None)
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = generated_name(meta["generateName"])
        meta["uid"], meta["creationTimestamp"] = new_uid(), timestamp(self.now())
        if kind.has_generation:
            meta["generation"] = 1
        self._admit(kind, obj)
        self._validate(kind, obj, self._causes(kind, obj, None))
        if self.store.find(kind, namespace, name_of(obj)) is not None:
            raise already_exists(kind.group, kind.plural, name_of(obj))
        if kind is POD:
            security.check(self.store.get(NAMESPACE, "", namespace), obj)
        quota.check_quota(self.store, kind, obj)
        if dry_run:
            return obj
        return self.store.create(kind, obj)

    def replace(self, kind: Kind, obj: Object, *, subresource: str = "", dry_run: bool = False) -> Object:
        """Store a new version of an object; `obj` is taken over.

        Args:
            kind: Its kind.
            obj: The whole object.
            subresource: `status` changes only the status; anything else leaves the status alone.
            dry_run: Check, but do not write.

        Raises:
            ApiError: It is refused.
        """
        old = self.store.get(kind, namespace_of(obj), name_of(obj))
        meta = obj["metadata"]
        for field in _KEPT_FIELDS:
            if field in old["metadata"] and not (field == "uid" and meta.get("uid")):
                meta[field] = old["metadata"][field]
            elif field != "uid":
                meta.pop(field, None)
        if subresource == "status":
            status = obj.get("status", {})
            meta = dict(meta)
            obj.clear()
            obj.update(copied(old))
            obj["status"], obj["metadata"] = status, meta
        elif kind.has_status and "status" in old:
            obj["status"] = old["status"]
        if subresource != "status":
            if kind.plural in ("secrets", "configmaps", "services"):
                self._fill_keeping_status(kind, obj, old)
            self._validate(kind, obj, self._causes(kind, obj, old))
            if kind.has_generation and obj.get("spec") != old.get("spec"):
                meta["generation"] = old["metadata"].get("generation", 1) + 1
        if dry_run:
            return obj
        stored = self.store.update(kind, obj)
        if stored["metadata"].get("deletionTimestamp") and not stored["metadata"].get("finalizers"):
            self._finish_deletion(kind, stored)
        return stored

    def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions | None = None) -> Object:
        """Delete an object, or begin to; returns its last state.

        Raises:
            ApiError: 404, or 409 where a precondition fails.
        """
        return delete(self.store, kind, namespace, name, options or DeleteOptions(), self.now())

    def set_status(self, kind: Kind, obj: Object, status: Object) -> Object | None:
        """Write a status as a controller does, on the latest version; None if the object is gone."""
        return self.store.modify(
            kind, namespace_of(obj), name_of(obj), lambda draft: draft.update(status=status)
        )

    def _finish_deletion(self, kind: Kind, obj: Object) -> None:
        grace = obj["metadata"].get("deletionGracePeriodSeconds") or 0
        if kind is NAMESPACE or (kind is POD and grace > 0):
            return
        self.store.remove(kind, namespace_of(obj), name_of(obj))

    def _namespace_is_open(self, kind: Kind, namespace: str, meta: Object) -> None:
        found = self.store.get(NAMESPACE, "", namespace)
        if found["status"]["phase"] != "Terminating":
            return
        name = meta.get("name", "")
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        error = forbidden(kind.group, kind.plural, name, why)
        message = f"namespace {namespace} is being terminated"
        error.details["causes"] = [
            {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
        ]
        raise error

    def _admit(self, kind: Kind, obj: Object) -> None:
        defaults.fill(kind, obj)
        if kind is POD:
            service_account(self.store, obj)
            priority(self.store, obj)
            quota.apply_limit_ranges(self.store, obj)
            obj["status"]["qosClass"] = defaults.qos_class(obj["spec"])
        elif kind is JOB:
            defaults.job_selector(obj)
        elif kind is SERVICE:
            self._address(obj["spec"])

    def _address(self, spec: Object) -> None:
        """Give a service its cluster address; nothing listens there, only headless services resolve."""
        if spec.get("clusterIP") or spec["type"] == "ExternalName":
            return
        self._next_address += 1
        spec["clusterIP"] = f"127.96.{self._next_address // 250 % 250}.{self._next_address % 250 + 1}"
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _fill_keeping_status(self, kind: Kind, obj: Object, old: Object) -> None:
        if kind is SERVICE:
            for field in ("clusterIP", "clusterIPs"):
                if field in old["spec"]:
                    obj["spec"].setdefault(field, old["spec"][field])
        defaults.fill(kind, obj)
        if "status" in old:
            obj["status"] = old["status"]

    def _causes(self, kind: Kind, obj: Object, old: Object | None) -> list[Cause]:
        causes = names.metadata(kind, obj)
        if kind is POD:
            causes += pods.pod_spec(obj["spec"], "spec") if old is None else pods.pod_update(obj, old)
        elif kind is JOB:
            causes += jobs.job(obj) if old is None else jobs.job_update(obj, old)
        elif kind in (CONFIG_MAP, SECRET) and old is not None and old.get("immutable"):
            causes += _immutable_changes(kind, obj, old)
        return causes + check_small_kind(kind, obj, old)

    @staticmethod
    def _validate(kind: Kind, obj: Object, causes: list[Cause]) -> None:
        if causes:
            raise unprocessable(kind.group, kind.name, obj["metadata"].get("name", ""), causes)


def _immutable_changes(kind: Kind, obj: Object, old: Object) -> list[Cause]:
    if not obj.get("immutable"):
        return [forbidden_field("immutable", "field is immutable when `immutable` is set")]
    fields = ("data", "binaryData") if kind is CONFIG_MAP else ("data",)
    return [
        forbidden_field(field, "field is immutable when `immutable` is set")
        for field in fields
        if (obj.get(field) or {}) != (old.get(field) or {})
    ]
