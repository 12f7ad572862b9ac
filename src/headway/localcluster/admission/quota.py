"""Resource quotas and limit ranges of a namespace."""

from __future__ import annotations

from decimal import Decimal

from headway.localcluster.objects import quantity
from headway.localcluster.objects.failures import forbidden
from headway.localcluster.objects.kinds import (
    CLAIM,
    CONFIG_MAP,
    JOB,
    LIMIT_RANGE,
    POD,
    QUOTA,
    SECRET,
    SERVICE,
    Kind,
)
from headway.localcluster.objects.meta import Object, namespace_of
from headway.localcluster.objects.store import Store

_COUNTED = {
    POD: ("pods", "count/pods"),
    JOB: ("count/jobs.batch",),
    SERVICE: ("services", "count/services"),
    SECRET: ("secrets", "count/secrets"),
    CONFIG_MAP: ("configmaps", "count/configmaps"),
    CLAIM: ("persistentvolumeclaims", "count/persistentvolumeclaims"),
}


def apply_limit_ranges(store: Store, pod: Object) -> None:
    """Fill in the container defaults that the namespace's limit ranges give, in place."""
    for limits in store.objects(LIMIT_RANGE, namespace_of(pod)):
        for entry in limits["spec"].get("limits") or ():
            if entry.get("type") != "Container":
                continue
            for container in pod["spec"]["containers"]:
                _fill(container["resources"], "limits", entry.get("default"))
                _fill(container["resources"], "requests", entry.get("defaultRequest"))


def _fill(resources: Object, part: str, values: Object | None) -> None:
    for name, value in (values or {}).items():
        resources.setdefault(part, {}).setdefault(name, value)


def check_quota(store: Store, kind: Kind, obj: Object) -> None:
    """Refuse an object that would exceed a quota of its namespace.

    Raises:
        ApiError: 403 with what was asked, used and allowed.
    """
    if kind not in _COUNTED:
        return
    name, asked = obj["metadata"]["name"], usage(kind, obj)
    for quota in store.objects(QUOTA, namespace_of(obj)):
        hard = quota["spec"].get("hard") or {}
        unset = [key for key in hard if key not in asked and kind is POD and _is_compute(key)]
        if unset:
            who = quota["metadata"]["name"]
            raise forbidden(
                kind.group, kind.plural, name, f"failed quota: {who}: must specify {_missing(unset, obj)}"
            )
        used = namespace_usage(store, kind, namespace_of(obj))
        over = [
            key
            for key in hard
            if key in asked and used.get(key, Decimal(0)) + asked[key] > quantity.parse(hard[key])
        ]
        if over:
            parts = (
                ("requested", {key: asked[key] for key in over}),
                ("used", {key: used.get(key, Decimal(0)) for key in over}),
                ("limited", {key: quantity.parse(hard[key]) for key in over}),
            )
            words = ", ".join(f"{word}: {_listed(values, hard)}" for word, values in parts)
            who = quota["metadata"]["name"]
            raise forbidden(kind.group, kind.plural, name, f"exceeded quota: {who}, {words}")


def usage(kind: Kind, obj: Object) -> dict[str, Decimal]:
    """What one object counts for, by quota key."""
    used = dict.fromkeys(_COUNTED.get(kind, ()), Decimal(1))
    if kind is not POD:
        return used
    for container in obj["spec"]["containers"]:
        for part, prefixes in (("requests", ("requests.", "")), ("limits", ("limits.",))):
            for name, value in (container["resources"].get(part) or {}).items():
                for prefix in prefixes:
                    key = f"{prefix}{name}"
                    used[key] = used.get(key, Decimal(0)) + quantity.parse(value)
    return used


def namespace_usage(store: Store, kind: Kind, namespace: str) -> dict[str, Decimal]:
    """What all live objects of a kind in a namespace count for."""
    total: dict[str, Decimal] = {}
    for obj in store.objects(kind, namespace):
        if kind is POD and obj["status"].get("phase") in ("Succeeded", "Failed"):
            continue
        for key, value in usage(kind, obj).items():
            total[key] = total.get(key, Decimal(0)) + value
    return total


def _is_compute(key: str) -> bool:
    return key in ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def _missing(keys: list[str], pod: Object) -> str:
    names = ",".join(container["name"] for container in pod["spec"]["containers"])
    return "; ".join(f"{key} for: {names}" for key in sorted(keys))


def _listed(values: dict[str, Decimal], hard: Object) -> str:
    texts = []
    for key, value in sorted(values.items()):
        binary = str(hard[key]).endswith("i") and value == value.to_integral_value() and value % 1024 == 0
        texts.append(
            f"{key}={quantity.canonical(f'{int(value) // 1024}Ki' if binary else format(value, 'f'))}"
        )
    return ",".join(texts)
