"""Which nodes could ever take a pod, and why the others cannot: pure.

The scheduler counts nodes by cause and names none of them. Where the nodes may be read, this says
which, with the figures; what runs on them now is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from headway.config.quantities import quantity, shown
from headway.executors.kubernetes.api.types import Node, Taint
from headway.executors.kubernetes.needs import Amounts, Needs, Requirement, Term, Toleration
from headway.executors.kubernetes.taints import is_passing

#: Names of nodes that are written out for one cause.
_NAMED = 3

#: Pods that a node could hold of which nothing says how many.
_BOUNDLESS = 1_000_000
#: Who runs a cluster on the machines that there are, as nodes tell it; nobody, where they tell nothing.
_MAKES_NONE = frozenset({"", "k0s", "k3s", "kind", "kwok", "microk8s", "minikube", "rke2"})

_CALLED = {"ephemeral-storage": "disk"}


@dataclass(frozen=True, slots=True)
class Fit:
    """What the nodes are to a pod.

    Attributes:
        words: Why each node is none for it, "" where some node could take it.
        possible: The nodes that could.
        room: How many such pods these could hold at a time, were they empty.
    """

    words: str
    possible: tuple[str, ...]
    room: int = 0


def fit(needs: Needs, nodes: Iterable[Node]) -> Fit:
    """Hold what a pod asks for against the nodes of the cluster."""
    if needs.node_name:
        # No scheduler is asked about such a pod: labels do not count.
        nodes = [node for node in nodes if node.metadata.name == needs.node_name]
        if not nodes:
            return Fit(f"there is no node {needs.node_name}, which nodeName asks for", ())
    amounts = needs.amounts()
    possible: list[str] = []
    room = 0
    causes: dict[str, list[str]] = {}
    for node in nodes:
        why = _misfit(needs, amounts, node)
        if why:
            causes.setdefault(why, []).append(node.metadata.name)
        else:
            possible.append(node.metadata.name)
            room += _room(amounts, node)
    if possible:
        return Fit("", tuple(possible), room)
    return Fit("; ".join(f"{_names(names)}: {why}" for why, names in causes.items()), ())


def may_grow(nodes: Iterable[Node]) -> bool:
    """Whether somebody may make more nodes: what made those that are there makes machines."""
    made_by = {node.spec.provider_id.partition("://")[0] for node in nodes}
    return bool(made_by - _MAKES_NONE)


def _names(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _misfit(needs: Needs, amounts: Amounts, node: Node) -> str:
    """Why the pod can never run there, "" where it could."""
    labels = node.metadata.labels
    lacking = [f"{key}={value}" for key, value in needs.node_selector.items() if labels.get(key) != value]
    if lacking:
        return f"does not carry {', '.join(lacking)}"
    if needs.terms and not any(_meets(term, node) for term in needs.terms):
        said = " or ".join(_shown(term) for term in needs.terms)
        return f"does not meet the pod's node affinity ({said})"
    refusing = [taint for taint in node.spec.taints if _refuses(taint, needs.tolerations)]
    if refusing:
        taint = refusing[0]
        value = f"={taint.value}" if taint.value else ""
        return f"has the taint {taint.key}{value}:{taint.effect}, which the pod does not tolerate"
    for resource, wants in amounts.items():
        has = quantity(node.status.allocatable.get(resource, "0"))
        if has is not None and wants > has:
            called = _CALLED.get(resource, resource)
            if not has:
                return f"has no {called}, the pod asks for {shown(resource, wants)}"
            return f"has {shown(resource, has)} of {called} in all, the pod asks for {shown(resource, wants)}"
    return ""


def _room(amounts: Amounts, node: Node) -> int:
    """How many such pods the node could hold, were it empty."""
    shares = [
        int(has // wants)
        for resource, wants in {**amounts, "pods": Decimal(1)}.items()
        if wants and (has := quantity(node.status.allocatable.get(resource, ""))) is not None
    ]
    return min(shares, default=_BOUNDLESS)


def _meets(term: Term, node: Node) -> bool:
    """Whether the node meets all of a term; one without expressions fits no node."""
    if not (term.match_expressions or term.match_fields):
        return False
    fields = {"metadata.name": node.metadata.name}
    return all(_holds(each, node.metadata.labels) for each in term.match_expressions) and all(
        _holds(each, fields) for each in term.match_fields
    )


def _holds(requirement: Requirement, labels: dict[str, str]) -> bool:
    value, values = labels.get(requirement.key), requirement.values
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(requirement.operator, value, values)
    # An operator of tomorrow rules no node out.
    return True


def _compares(operator: str, value: str | None, values: tuple[str, ...]) -> bool:
    try:
        has, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return has > bound if operator == "Gt" else has < bound


def _shown(term: Term) -> str:
    return ", ".join(str(each) for each in (*term.match_expressions, *term.match_fields)) or "nothing"


def _refuses(taint: Taint, tolerations: Iterable[Toleration]) -> bool:
    if taint.effect == "PreferNoSchedule" or is_passing(taint.key):
        return False
    return not any(_tolerates(each, taint) for each in tolerations)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect not in (None, "", taint.effect):
        return False
    operator = toleration.operator or "Equal"
    if not toleration.key:
        return operator == "Exists"
    if toleration.key != taint.key:
        return False
    # An operator of tomorrow rules no node out.
    return operator != "Equal" or (toleration.value or "") == taint.value
