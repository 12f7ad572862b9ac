"""The kinds this API serves, one table."""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """A resource type.

    Attributes:
        group: The API group; empty for the core group.
        version: Its version.
        name: The kind, such as `Pod`.
        plural: The resource name in paths, such as `pods`.
        namespaced: Whether its objects live in namespaces.
        schema: The name of its definition in Kubernetes' OpenAPI document.
        short_names: What people type for it.
        categories: Groups of resources it belongs to (`all`).
        has_status: Whether `/status` exists and plain writes leave the status alone.
        has_generation: Whether `metadata.generation` counts changes of the spec.
    """

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool
    schema: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False

    @property
    def api_version(self) -> str:
        """`v1` or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.name.lower()


def _kind(
    api: str,
    name: str,
    plural: str,
    package: str,
    *,
    short: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    cluster: bool = False,
    status: bool = False,
    generation: bool = False,
) -> Kind:
    group, _, version = api.rpartition("/")
    return Kind(
        group,
        version,
        name,
        plural,
        not cluster,
        f"io.k8s.api.{package}.{name}",
        short,
        categories,
        status,
        generation,
    )


_RBAC = "rbac.authorization.k8s.io/v1"

POD = _kind("v1", "Pod", "pods", "core.v1", short=("po",), categories=("all",), status=True, generation=True)
JOB = _kind("batch/v1", "Job", "jobs", "batch.v1", categories=("all",), status=True, generation=True)
SERVICE = _kind("v1", "Service", "services", "core.v1", short=("svc",), categories=("all",), status=True)
CONFIG_MAP = _kind("v1", "ConfigMap", "configmaps", "core.v1", short=("cm",))
SECRET = _kind("v1", "Secret", "secrets", "core.v1")
EVENT = _kind("v1", "Event", "events", "core.v1", short=("ev",))
NAMESPACE = _kind("v1", "Namespace", "namespaces", "core.v1", short=("ns",), cluster=True, status=True)
NODE = _kind("v1", "Node", "nodes", "core.v1", short=("no",), cluster=True, status=True)
CLAIM = _kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "core.v1", short=("pvc",), status=True)
VOLUME = _kind(
    "v1", "PersistentVolume", "persistentvolumes", "core.v1", short=("pv",), cluster=True, status=True
)
SERVICE_ACCOUNT = _kind("v1", "ServiceAccount", "serviceaccounts", "core.v1", short=("sa",))
QUOTA = _kind("v1", "ResourceQuota", "resourcequotas", "core.v1", short=("quota",), status=True)
LIMIT_RANGE = _kind("v1", "LimitRange", "limitranges", "core.v1", short=("limits",))
ENDPOINT_SLICE = _kind(
    "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "discovery.v1", generation=True
)
PRIORITY_CLASS = _kind(
    "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "scheduling.v1", short=("pc",), cluster=True
)
STORAGE_CLASS = _kind(
    "storage.k8s.io/v1", "StorageClass", "storageclasses", "storage.v1", short=("sc",), cluster=True
)
LEASE = _kind("coordination.k8s.io/v1", "Lease", "leases", "coordination.v1")
ROLE = _kind(_RBAC, "Role", "roles", "rbac.v1")
ROLE_BINDING = _kind(_RBAC, "RoleBinding", "rolebindings", "rbac.v1")
CLUSTER_ROLE = _kind(_RBAC, "ClusterRole", "clusterroles", "rbac.v1", cluster=True)
CLUSTER_ROLE_BINDING = _kind(_RBAC, "ClusterRoleBinding", "clusterrolebindings", "rbac.v1", cluster=True)

KINDS = (
    POD,
    JOB,
    SERVICE,
    CONFIG_MAP,
    SECRET,
    EVENT,
    NAMESPACE,
    NODE,
    CLAIM,
    VOLUME,
    SERVICE_ACCOUNT,
    QUOTA,
    LIMIT_RANGE,
    ENDPOINT_SLICE,
    PRIORITY_CLASS,
    STORAGE_CLASS,
    LEASE,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
)
"""Every stored kind. Reviews and tokens are answered, not stored; see `api.reviews`."""

BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
BY_NAME = {(kind.api_version, kind.name): kind for kind in KINDS}
