"""What admission gives a pod: its service account's token volume and its priority."""

from __future__ import annotations

from headway.localcluster.objects.failures import forbidden
from headway.localcluster.objects.kinds import PRIORITY_CLASS, SERVICE_ACCOUNT
from headway.localcluster.objects.meta import Object, generated_name, name_of, namespace_of
from headway.localcluster.objects.store import Store

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
TOKEN_VOLUME_PREFIX = "kube-api-access-"  # noqa: S105 - a name
_BUILT_IN_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def service_account(store: Store, pod: Object) -> None:
    """Resolve the pod's service account and mount its token, as the admission plugin does.

    Raises:
        ApiError: 403, there is no such account.
    """
    spec, namespace = pod["spec"], namespace_of(pod)
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = store.find(SERVICE_ACCOUNT, namespace, name)
    if account is None:
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden("", "pods", name_of(pod), why)
    wanted = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if not wanted:
        return
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    without = [
        container
        for container in containers
        if all(mount["mountPath"] != TOKEN_PATH for mount in container.get("volumeMounts") or ())
    ]
    if not without:
        return
    volume = generated_name(TOKEN_VOLUME_PREFIX)
    spec.setdefault("volumes", []).append({"name": volume, "projected": _token_sources()})
    for container in without:
        container.setdefault("volumeMounts", []).append(
            {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}
        )


def _token_sources() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 420,
    }


def priority(store: Store, pod: Object) -> None:
    """Set the pod's priority from its class, in place.

    Raises:
        ApiError: 403, there is no such class.
    """
    spec = pod["spec"]
    name = spec.get("priorityClassName")
    if not name:
        default = next((entry for entry in store.objects(PRIORITY_CLASS) if entry.get("globalDefault")), None)
        if default is not None:
            spec["priorityClassName"], spec["priority"] = name_of(default), default["value"]
        return
    if name in _BUILT_IN_PRIORITIES:
        spec["priority"] = _BUILT_IN_PRIORITIES[name]
        return
    found = store.find(PRIORITY_CLASS, "", name)
    if found is None:
        raise forbidden("", "pods", name_of(pod), f"no PriorityClass with name {name} was found")
    spec["priority"] = found["value"]
    if found.get("preemptionPolicy"):
        spec["preemptionPolicy"] = found["preemptionPolicy"]
