"""The environment of the container: what the runtime needs, what the pod knows of itself, the user's own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from headway.config.checks import tmpfs_mebibytes
from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.names import container_name
from headway.executors.kubernetes.security import has_read_only_root, is_restricted
from headway.executors.kubernetes.volumes import WORK_PATH
from headway.store.forward import unsaid

#: Where the sandbox init script travels: as data, so that no quoting is needed.
INIT_SCRIPT = "HEADWAY_INIT_SCRIPT"

#: The pod's own facts, under our names and the ones that Metaflow's users read.
_FIELDS = {
    "HEADWAY_POD_NAME": "metadata.name",
    "HEADWAY_POD_NAMESPACE": "metadata.namespace",
    "HEADWAY_POD_UID": "metadata.uid",
    "HEADWAY_NODE_NAME": "spec.nodeName",
    "HEADWAY_NODE_IP": "status.hostIP",
    "HEADWAY_SERVICE_ACCOUNT": "spec.serviceAccountName",
    "METAFLOW_KUBERNETES_NAMESPACE": "metadata.namespace",
    "METAFLOW_KUBERNETES_POD_NAMESPACE": "metadata.namespace",
    "METAFLOW_KUBERNETES_POD_NAME": "metadata.name",
    "METAFLOW_KUBERNETES_POD_ID": "metadata.uid",
    "METAFLOW_KUBERNETES_SERVICE_ACCOUNT_NAME": "spec.serviceAccountName",
    "METAFLOW_KUBERNETES_NODE_IP": "status.hostIP",
}
#: Bytes; a limit that is not set reads as what the node can give.
_RESOURCES = {"HEADWAY_MEMORY_LIMIT": "limits.memory", "HEADWAY_MEMORY_REQUEST": "requests.memory"}
#: Of ``@environment``, what is read when a process starts: the task's own process, forked and given the rest
#: then, would come too late.
_READ_AT_START = ("GLIBC_TUNABLES", "LANG", "LC_", "LD_", "MALLOC_", "PYTHON", "TZ")


def container_env(
    settings: KubernetesSettings,
    step: str,
    datastore: str,
    batch_key: str,
    store: Mapping[str, str],
    environment: Mapping[str, str] = MappingProxyType({}),
    own: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """The ``env`` of the container, each name once: defaults, then the user's own, then what must be so.

    Args:
        settings: The step's.
        step: Its name.
        datastore: The datastore's root.
        batch_key: Where in it stands what the pod is to do.
        store: The way to the datastore as the launcher has it; what ``env`` says of that wins.
        environment: What ``@environment`` says.
        own: What the in-pod runtime goes by beside that.
    """
    entries: dict[str, dict[str, Any]] = {}
    for name, value in _defaults(settings).items():
        entries[name] = {"value": value}
    for name, given in settings.env.items():
        entries[name] = {"valueFrom": given} if isinstance(given, Mapping) else {"value": str(given)}
    for name, value in environment.items():
        if name.startswith(_READ_AT_START) and name.isidentifier() and name.isascii():
            entries[name] = {"value": literal(value)}
    fixed = {
        "HEADWAY_DATASTORE": datastore,
        "HEADWAY_BATCH": batch_key,
        "HEADWAY_IMAGE": settings.image,
        **unsaid(datastore, store, settings.env),
        **own,
    }
    if settings.sandbox_init_script is not None:
        fixed[INIT_SCRIPT] = settings.sandbox_init_script
    for name, value in fixed.items():
        entries[name] = {"value": literal(value)}
    for name, path in _FIELDS.items():
        entries[name] = {"valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, resource in _RESOURCES.items():
        reference = {"containerName": container_name(step), "resource": resource}
        entries[name] = {"valueFrom": {"resourceFieldRef": reference}}
    return [{"name": name, **entry} for name, entry in entries.items()]


def literal(value: str) -> str:
    """The text that Kubernetes' expansion of ``$(NAME)`` turns back into this very text."""
    return value.replace("$", "$$")


def _defaults(settings: KubernetesSettings) -> dict[str, str]:
    found = {
        "PYTHONUNBUFFERED": "1",
        "METAFLOW_KUBERNETES_WORKLOAD": "1",
        "METAFLOW_RUNTIME_ENVIRONMENT": "kubernetes",
    }
    if is_restricted(settings) or has_read_only_root(settings):
        # The image's home belongs to another user, or cannot be written at all.
        found["HOME"] = WORK_PATH
    if tmpfs_mebibytes(settings) is not None:
        if settings.tmpfs_tempdir:
            found |= {"METAFLOW_TEMPDIR": settings.tmpfs_path, "TMPDIR": settings.tmpfs_path}
        else:
            # As in Metaflow: the step is told of it all the same.
            found["HEADWAY_TMPFS"] = settings.tmpfs_path
    if settings.fetch_ec2_metadata:
        found["METAFLOW_KUBERNETES_FETCH_EC2_METADATA"] = "true"
    return found
