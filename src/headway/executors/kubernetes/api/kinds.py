"""The kinds of objects the client handles, each with its place in the API and the type it decodes to."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from headway.executors.kubernetes.api.types import (
    ConfigMap,
    Event,
    Job,
    KubernetesObject,
    LimitRange,
    Namespace,
    Node,
    Page,
    PersistentVolumeClaim,
    Pod,
    PriorityClass,
    ResourceQuota,
    Secret,
    Service,
    ServiceAccount,
)

T = TypeVar("T", bound=KubernetesObject)
T_co = TypeVar("T_co", bound=KubernetesObject, covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """One kind of object.

    Args:
        name: As in manifests ("Job").
        plural: As in URLs and in RBAC rules ("jobs").
        type: What an object of this kind decodes to.
        group: The API group; empty for the core group.
        version: The version of the group.
        namespaced: Whether objects live in a namespace.
    """

    name: str
    plural: str
    type: type[T_co]
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of a manifest of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Build the URL path of a collection or, with a name, of one object.

        Args:
            namespace: The namespace; None for all of them, and for kinds without one.
            name: The object's name.
            subresource: "log", "status", …
        """
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)


POD = Kind("Pod", "pods", Pod)
JOB = Kind("Job", "jobs", Job, group="batch")
SERVICE = Kind("Service", "services", Service)
CONFIG_MAP = Kind("ConfigMap", "configmaps", ConfigMap)
SECRET = Kind("Secret", "secrets", Secret)
EVENT = Kind("Event", "events", Event)
NAMESPACE = Kind("Namespace", "namespaces", Namespace, namespaced=False)
NODE = Kind("Node", "nodes", Node, namespaced=False)
PERSISTENT_VOLUME_CLAIM = Kind("PersistentVolumeClaim", "persistentvolumeclaims", PersistentVolumeClaim)
SERVICE_ACCOUNT = Kind("ServiceAccount", "serviceaccounts", ServiceAccount)
RESOURCE_QUOTA = Kind("ResourceQuota", "resourcequotas", ResourceQuota)
LIMIT_RANGE = Kind("LimitRange", "limitranges", LimitRange)
PRIORITY_CLASS = Kind(
    "PriorityClass", "priorityclasses", PriorityClass, group="scheduling.k8s.io", namespaced=False
)

KINDS: tuple[Kind[KubernetesObject], ...] = (
    POD,
    JOB,
    SERVICE,
    CONFIG_MAP,
    SECRET,
    EVENT,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    PRIORITY_CLASS,
)


def page_of(kind: Kind[T]) -> type[Page[T]]:
    """Return what a page of a list of this kind decodes to."""
    return Page[kind.type]  # type: ignore[name-defined]
