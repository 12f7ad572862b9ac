"""For how many of a step's pods a namespace's quotas have room, reckoned as the API server does: pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from headway.config.quantities import quantity, shown
from headway.executors.kubernetes.api.types import ResourceQuota, ScopeRequirement
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding
from headway.executors.kubernetes.needs import Amounts, Needs

#: What a quota may call requests without saying so.
_REQUESTS = ("cpu", "memory", "ephemeral-storage")


class Room(NamedTuple):
    """What one amount of one quota leaves for pods that are all alike.

    Attributes:
        quota: The quota's name.
        namespace: Where it holds.
        resource: What is counted, as the quota calls it: "requests.cpu", "pods".
        asks: How much of it one pod asks for.
        used: How much of it is taken.
        hard: How much of it there is in all.
    """

    quota: str
    namespace: str
    resource: str
    asks: Decimal
    used: Decimal
    hard: Decimal

    @property
    def now(self) -> int:
        """Pods for which there is room now."""
        return max(0, int((self.hard - self.used) // self.asks))

    @property
    def most(self) -> int:
        """Pods for which there would be room if nobody else had any."""
        return int(self.hard // self.asks)

    def __str__(self) -> str:
        bare = self.resource.removeprefix("requests.").removeprefix("limits.")
        asks, free, hard = (
            shown(bare, amount) for amount in (self.asks, max(self.hard - self.used, Decimal(0)), self.hard)
        )
        return f"{self.resource}: each asks for {asks}, and {free} of {hard} is free"


def rooms(quotas: Iterable[ResourceQuota], pod: Needs) -> Iterator[Room]:
    """What each amount of each quota leaves for such pods; what counts no such pods is left out."""
    requests, limits = pod.amounts(), pod.limits()
    for quota in quotas:
        if not all(_holds(each, pod) for each in quota.spec.requirements):
            continue
        # Of a new quota only the specification tells yet.
        for resource, written in {**quota.spec.hard, **quota.status.hard}.items():
            asks = _asked(resource, requests, limits)
            hard, used = quantity(written), quantity(quota.status.used.get(resource, "0"))
            if asks and hard is not None and used is not None:
                about = quota.metadata
                yield Room(about.name, about.namespace, resource, asks, used, hard)


def room_for(found: Iterable[Room], at_once: int) -> Finding | None:
    """What is to be said of the quotas' room for a step's pods; None where none counts them.

    Args:
        found: What each amount of each quota leaves.
        at_once: Pods that have to run at the same time at least: one, or a gang's ranks.
    """
    listed = list(found)
    if not listed:
        return None
    together = f", of which at least {at_once} run at the same time" if at_once > 1 else ""
    least, tightest = min(listed, key=lambda each: each.most), min(listed, key=lambda each: each.now)
    if least.most < at_once:
        holds = f"holds {least.most} of its pods{together}" if together else "is too small for a pod of it"
        return Finding(BAD, f"the whole {_called(least)} {holds} ({least}).", _hint(least))
    if tightest.now < at_once:
        what = f"{_called(tightest)} has no room for its pods now{together} ({tightest}); they wait for it."
        return Finding(POOR, what, _hint(tightest))
    what = f"{tightest.now} of its pods at once fit into {_called(tightest)} ({tightest}); more would wait."
    return Finding(GOOD, what)


def _called(room: Room) -> str:
    return f"quota {room.quota} in {room.namespace}"


def _hint(room: Room) -> str:
    look = f"kubectl --namespace {room.namespace} describe quota {room.quota}"
    return f"Ask for less, or have the quota raised: {look} shows what is used."


def _asked(resource: str, requests: Amounts, limits: Amounts) -> Decimal | None:
    """How much of what a quota counts one pod takes; None where the quota counts something else."""
    if resource in ("pods", "count/pods"):
        return Decimal(1)
    kind, dot, name = resource.partition(".")
    if dot and kind in ("requests", "limits"):
        return (requests if kind == "requests" else limits).get(name)
    return requests.get(resource) if resource in _REQUESTS or resource.startswith("hugepages-") else None


def _holds(scope: ScopeRequirement, pod: Needs) -> bool:
    """Whether a quota of this scope counts the pod; what a scope of tomorrow means is not known, so it does not."""
    match scope.scope_name:
        case "Terminating":
            return pod.active_deadline_seconds is not None
        case "NotTerminating":
            return pod.active_deadline_seconds is None
        case "BestEffort":
            return not (pod.amounts() or pod.limits())
        case "NotBestEffort":
            return bool(pod.amounts() or pod.limits())
        case "PriorityClass":
            return _named(scope, pod.priority_class_name)
    return False


def _named(scope: ScopeRequirement, name: str) -> bool:
    match scope.operator:
        case "In":
            return name in scope.values
        case "NotIn":
            return name not in scope.values
        case "DoesNotExist":
            return not name
    return bool(name)
