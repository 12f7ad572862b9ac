"""Deleting: grace periods, finalizers, propagation, preconditions."""

from __future__ import annotations

from dataclasses import dataclass

from headway.localcluster.objects.failures import conflict
from headway.localcluster.objects.kinds import JOB, NAMESPACE, POD, Kind
from headway.localcluster.objects.meta import Object, copied, timestamp
from headway.localcluster.objects.store import Store

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True)
class DeleteOptions:
    """What a caller may say about a deletion.

    Attributes:
        grace_period: Seconds; None takes the object's own.
        propagation: `Background`, `Foreground`, `Orphan` or None for the kind's default.
        uid: The uid the object must have.
        resource_version: The version it must have.
        dry_run: Answer, but delete nothing.
    """

    grace_period: int | None = None
    propagation: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


def orphans_by_default(kind: Kind) -> bool:
    """Jobs keep their pods when nobody says how to propagate, for historical reasons."""
    return kind is JOB


def delete(store: Store, kind: Kind, namespace: str, name: str, options: DeleteOptions, now: float) -> Object:
    """Delete an object or mark it as being deleted.

    Args:
        store: Where it lives.
        kind: Its kind.
        namespace: Its namespace; empty for cluster-scoped kinds.
        name: Its name.
        options: How.
        now: Epoch seconds.

    Returns:
        The object as it is now, or as it was last.

    Raises:
        ApiError: 404, or 409 where a precondition fails.
    """
    obj = store.get(kind, namespace, name)
    _preconditions(kind, obj, options)
    draft = copied(obj)
    meta = draft["metadata"]
    finalizers = _with_propagation(kind, list(meta.get("finalizers") or ()), options.propagation)
    grace = _grace(kind, obj, options)
    already = meta.get("deletionTimestamp")
    if already and kind is POD:
        grace = min(grace, meta.get("deletionGracePeriodSeconds", grace))
    if options.dry_run:
        return obj
    if not finalizers and grace == 0 and kind is not NAMESPACE:
        return store.remove(kind, namespace, name)
    if not already or grace < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionTimestamp"] = timestamp(now + grace)
        meta["deletionGracePeriodSeconds"] = grace
        if kind.has_generation and not already:
            meta["generation"] = meta.get("generation", 1) + 1
    if finalizers:
        meta["finalizers"] = finalizers
    if kind is NAMESPACE:
        draft["status"]["phase"] = "Terminating"
        meta.pop("deletionGracePeriodSeconds", None)
    return store.update(kind, draft)


def _preconditions(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    meta = obj["metadata"]
    if options.uid is not None and options.uid != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {meta['uid']}"
        raise conflict(kind.group, kind.plural, meta["name"], why)
    if options.resource_version is not None and options.resource_version != meta["resourceVersion"]:
        why = (
            f"Precondition failed: ResourceVersion in precondition: {options.resource_version}, "
            f"ResourceVersion in object meta: {meta['resourceVersion']}"
        )
        raise conflict(kind.group, kind.plural, meta["name"], why)


def _with_propagation(kind: Kind, finalizers: list[str], propagation: str | None) -> list[str]:
    if propagation is None and orphans_by_default(kind) and FOREGROUND not in finalizers:
        propagation = "Orphan"
    if propagation is not None:
        finalizers = [name for name in finalizers if name not in (FOREGROUND, ORPHAN)]
    if propagation == "Foreground":
        finalizers.append(FOREGROUND)
    elif propagation == "Orphan":
        finalizers.append(ORPHAN)
    return finalizers


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    if kind is not POD:
        return 0
    finished = obj["status"].get("phase") in ("Succeeded", "Failed")
    if not obj["spec"].get("nodeName") or finished:
        return 0
    if options.grace_period is not None:
        return max(options.grace_period, 0)
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))
