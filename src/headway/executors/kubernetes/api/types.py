"""The parts of Kubernetes objects that the launcher reads; everything else is skipped unparsed.

Field names are Kubernetes' own in snake case. Absent fields have the value that means "not there": an
empty string, None, an empty mapping or tuple. `gc=False` holds because none of these can form a cycle.
"""

from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct, field


class Wire(Struct, frozen=True, gc=False, rename="camel"):
    """The base of everything decoded from the API: immutable, unknown fields skipped."""


class OwnerReference(Wire, frozen=True, gc=False):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Wire, frozen=True, gc=False):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class KubernetesObject(Wire, frozen=True, gc=False):
    """The base of every kind."""

    metadata: ObjectMeta


class Condition(Wire, frozen=True, gc=False):
    """A condition of a pod, a job or a node; `status` is "True", "False" or "Unknown"."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


# Pods


class ContainerStateWaiting(Wire, frozen=True, gc=False):
    reason: str = ""
    message: str = ""


class ContainerStateRunning(Wire, frozen=True, gc=False):
    started_at: datetime | None = None


class ContainerStateTerminated(Wire, frozen=True, gc=False):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(Wire, frozen=True, gc=False):
    """At most one of the three is set; none means the kubelet has not reported yet."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Wire, frozen=True, gc=False):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class ResourceRequirements(Wire, frozen=True, gc=False):
    limits: dict[str, str] = {}


class Container(Wire, frozen=True, gc=False):
    name: str = ""
    image: str = ""
    resources: ResourceRequirements = ResourceRequirements()


class PodSpec(Wire, frozen=True, gc=False):
    node_name: str = ""
    containers: tuple[Container, ...] = ()


class PodStatus(Wire, frozen=True, gc=False):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = field(default="", name="podIP")
    host_ip: str = field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(KubernetesObject, frozen=True, gc=False):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


# Jobs


class JobSpec(Wire, frozen=True, gc=False):
    parallelism: int | None = None
    completions: int | None = None
    suspend: bool = False


class JobStatus(Wire, frozen=True, gc=False):
    """`completed_indexes` and `failed_indexes` are written as Kubernetes does: "1,3-5,7"."""

    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    completed_indexes: str = ""
    failed_indexes: str = ""
    conditions: tuple[Condition, ...] = ()
    start_time: datetime | None = None
    completion_time: datetime | None = None


class Job(KubernetesObject, frozen=True, gc=False):
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def ended(self) -> bool:
        """Whether its controller says that it is complete or has failed."""
        return any(
            each.type in ("Complete", "Failed") and each.status == "True" for each in self.status.conditions
        )


# Events and nodes


class ObjectReference(Wire, frozen=True, gc=False):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class EventSeries(Wire, frozen=True, gc=False):
    count: int = 0
    last_observed_time: datetime | None = None


class Event(KubernetesObject, frozen=True, gc=False):
    """A cluster event; which of the timestamps are set depends on the component that wrote it."""

    involved_object: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None
    reporting_component: str = ""

    @property
    def last_seen(self) -> datetime | None:
        """When this was last observed, whichever way the event says so."""
        observed = self.series.last_observed_time if self.series else None
        return (
            observed
            or self.last_timestamp
            or self.event_time
            or self.first_timestamp
            or self.metadata.creation_timestamp
        )


class Taint(Wire, frozen=True, gc=False):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Wire, frozen=True, gc=False):
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    provider_id: str = field(default="", name="providerID")


class NodeStatus(Wire, frozen=True, gc=False):
    conditions: tuple[Condition, ...] = ()
    allocatable: dict[str, str] = {}


class Node(KubernetesObject, frozen=True, gc=False):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


# The rest, of which little more than the existence matters


class ConfigMap(KubernetesObject, frozen=True, gc=False):
    data: dict[str, str] = {}
    immutable: bool = False


class Secret(KubernetesObject, frozen=True, gc=False):
    """A secret's name and type; its values are never decoded, so they can reach no log."""

    type: str = ""


class Service(KubernetesObject, frozen=True, gc=False):
    """A service's existence and labels."""


class ServiceAccount(KubernetesObject, frozen=True, gc=False):
    """A service account's existence and labels."""


class PriorityClass(KubernetesObject, frozen=True, gc=False):
    """A priority class's existence."""


class PhaseStatus(Wire, frozen=True, gc=False):
    phase: str = ""


class Namespace(KubernetesObject, frozen=True, gc=False):
    status: PhaseStatus = PhaseStatus()


class PersistentVolumeClaim(KubernetesObject, frozen=True, gc=False):
    status: PhaseStatus = PhaseStatus()


class ScopeRequirement(Wire, frozen=True, gc=False):
    """Which pods a quota counts; the operator is "In", "NotIn", "Exists" or "DoesNotExist"."""

    scope_name: str = ""
    operator: str = "Exists"
    values: tuple[str, ...] = ()


class ScopeSelector(Wire, frozen=True, gc=False):
    match_expressions: tuple[ScopeRequirement, ...] = ()


class ResourceQuotaSpec(Wire, frozen=True, gc=False):
    hard: dict[str, str] = {}
    scopes: tuple[str, ...] = ()
    scope_selector: ScopeSelector | None = None

    @property
    def requirements(self) -> tuple[ScopeRequirement, ...]:
        """All that must hold of a pod for the quota to count it."""
        selected = self.scope_selector.match_expressions if self.scope_selector else ()
        return (*(ScopeRequirement(scope) for scope in self.scopes), *selected)


class ResourceQuotaStatus(Wire, frozen=True, gc=False):
    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class ResourceQuota(KubernetesObject, frozen=True, gc=False):
    spec: ResourceQuotaSpec = ResourceQuotaSpec()
    status: ResourceQuotaStatus = ResourceQuotaStatus()


class LimitRangeItem(Wire, frozen=True, gc=False):
    type: str = ""
    min: dict[str, str] = {}
    max: dict[str, str] = {}
    default: dict[str, str] = {}
    default_request: dict[str, str] = {}


class LimitRangeSpec(Wire, frozen=True, gc=False):
    limits: tuple[LimitRangeItem, ...] = ()


class LimitRange(KubernetesObject, frozen=True, gc=False):
    spec: LimitRangeSpec = LimitRangeSpec()


# Envelopes

T = TypeVar("T", bound=KubernetesObject)


class ListMeta(Wire, frozen=True, gc=False):
    resource_version: str = ""
    continue_token: str = field(default="", name="continue")


class Page(Wire, Generic[T], frozen=True, gc=False):
    """One page of a list, as the server sends it."""

    metadata: ListMeta
    items: tuple[T, ...] | None = None


class StatusCause(Wire, frozen=True, gc=False):
    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire, frozen=True, gc=False):
    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[StatusCause, ...] = ()
    retry_after_seconds: int = 0


class Status(Wire, frozen=True, gc=False):
    """What the API server sends in place of an object when it refuses."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


class ServerVersion(Wire, frozen=True, gc=False):
    """The answer of `/version`; `major` and `minor` are strings there ("1", "29+")."""

    major: str = ""
    minor: str = ""
    git_version: str = ""
    platform: str = ""

    def at_least(self, major: int, minor: int) -> bool:
        """Tell whether the server is of this version or later."""
        return (_leading_number(self.major), _leading_number(self.minor)) >= (major, minor)


def _leading_number(text: str) -> int:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits) if digits else 0
