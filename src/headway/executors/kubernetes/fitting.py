"""Which nodes could ever take a step's pods, and why the others cannot: pure.

The scheduler counts nodes by cause and names none of them. Where the nodes may be read, this says
which, with the figures; what runs on them now is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.api.types import Node, Taint
from headway.executors.kubernetes.placement import node_selector
from headway.executors.kubernetes.quantities import quantity, shown
from headway.executors.kubernetes.resources import container_resources

#: Names of nodes that are written out for one cause.
_NAMED = 3
#: Taints that come and go with a node's health and no statement about who may run there.
_PASSING = "node.kubernetes.io/"

_CALLED = {"ephemeral-storage": "disk"}


@dataclass(frozen=True, slots=True)
class Fit:
    """What the nodes are to a step's pods.

    Attributes:
        words: Why each node is none for them, "" where some node could take them.
        possible: The nodes that could.
    """

    words: str
    possible: tuple[str, ...]


def fit(settings: KubernetesSettings, nodes: Iterable[Node]) -> Fit:
    """Hold the step's settings against the nodes of the cluster."""
    possible: list[str] = []
    causes: dict[str, list[str]] = {}
    for node in nodes:
        why = _misfit(settings, node)
        if why:
            causes.setdefault(why, []).append(node.metadata.name)
        else:
            possible.append(node.metadata.name)
    if possible:
        return Fit("", tuple(possible))
    return Fit("; ".join(f"{_names(names)}: {why}" for why, names in causes.items()), ())


def _names(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _misfit(settings: KubernetesSettings, node: Node) -> str:
    """Why the pod can never run there, "" where it could."""
    labels = node.metadata.labels
    lacking = [f"{key}={value}" for key, value in node_selector(settings).items() if labels.get(key) != value]
    if lacking:
        return f"does not carry {', '.join(lacking)}"
    refusing = [taint for taint in node.spec.taints if _refuses(taint, settings.tolerations)]
    if refusing:
        taint = refusing[0]
        value = f"={taint.value}" if taint.value else ""
        return f"has the taint {taint.key}{value}:{taint.effect}, which the pod does not tolerate"
    for resource, asked in _asked(settings).items():
        wants, has = quantity(asked), quantity(node.status.allocatable.get(resource, "0"))
        if wants is not None and has is not None and wants > has:
            called = _CALLED.get(resource, resource)
            if not has:
                return f"has no {called}, the pod asks for {shown(resource, wants)}"
            return f"has {shown(resource, has)} of {called} in all, the pod asks for {shown(resource, wants)}"
    return ""


def _asked(settings: KubernetesSettings) -> dict[str, str]:
    resources: Mapping[str, Any] = container_resources(settings)
    return {**resources.get("limits", {}), **resources["requests"]}


def _refuses(taint: Taint, tolerations: Iterable[Mapping[str, object]]) -> bool:
    if taint.effect == "PreferNoSchedule" or taint.key.startswith(_PASSING):
        return False
    return not any(_tolerates(each, taint) for each in tolerations)


def _tolerates(toleration: Mapping[str, object], taint: Taint) -> bool:
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    operator = toleration.get("operator") or "Equal"
    if not toleration.get("key"):
        return operator == "Exists"
    if toleration["key"] != taint.key:
        return False
    return operator == "Exists" or (toleration.get("value") or "") == taint.value
