"""Node selectors, node affinity, taints and tolerations, affinity between pods."""

from __future__ import annotations

from collections.abc import Iterable

from headway.localcluster.objects.meta import Object, name_of, namespace_of
from headway.localcluster.objects.selectors import matches, spec_selects

_BLOCKING = ("NoSchedule", "NoExecute")


def node_selected(pod: Object, node: Object) -> bool:
    """Whether the pod's node selector and required node affinity accept a node."""
    spec, labels = pod["spec"], node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    wanted = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if wanted is None:
        return True
    return any(_term_accepts(term, node) for term in wanted.get("nodeSelectorTerms") or ())


def preference(pod: Object, node: Object) -> int:
    """The weight of the preferred node affinity terms that a node meets."""
    terms = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "preferredDuringSchedulingIgnoredDuringExecution"
    )
    return sum(entry["weight"] for entry in terms or () if _term_accepts(entry["preference"], node))


def _term_accepts(term: Object, node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    own = {"metadata.name": name_of(node)}
    return all(matches(_requirement(entry), labels) for entry in expressions) and all(
        matches(_requirement(entry), own) for entry in fields
    )


def _requirement(entry: Object) -> tuple[str, str, tuple[str, ...]]:
    return entry["key"], entry["operator"], tuple(entry.get("values") or ())


def tolerates(pod: Object, taint: Object) -> bool:
    """Whether one of the pod's tolerations meets a taint."""
    return any(_meets(entry, taint) for entry in pod["spec"].get("tolerations") or ())


def _meets(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if (toleration.get("operator") or "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def blocking_taints(pod: Object, node: Object) -> list[Object]:
    """The node's taints that keep the pod away."""
    taints = node["spec"].get("taints") or ()
    return [taint for taint in taints if taint["effect"] in _BLOCKING and not tolerates(pod, taint)]


def avoided_taints(pod: Object, node: Object) -> int:
    """How many of the node's taints the pod would rather avoid."""
    taints = node["spec"].get("taints") or ()
    return sum(1 for taint in taints if taint["effect"] == "PreferNoSchedule" and not tolerates(pod, taint))


def pod_affinity_failure(pod: Object, node: Object, placed: Iterable[tuple[Object, Object]]) -> str | None:
    """Why the required affinity between pods refuses a node; None if it does not.

    Args:
        pod: The pod to place.
        node: The node in question.
        placed: The pods that run, each with its node.
    """
    neighbours = list(placed)
    affinity = pod["spec"].get("affinity") or {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    for term in (affinity.get("podAffinity") or {}).get(required) or ():
        own = _selects(term, pod, pod)
        anyone = any(_selects(term, pod, other) for other, _ in neighbours)
        if not _near(term, pod, node, neighbours) and not (own and not anyone):
            return "node(s) didn't match pod affinity rules"
    for term in (affinity.get("podAntiAffinity") or {}).get(required) or ():
        if _near(term, pod, node, neighbours):
            return "node(s) didn't match pod anti-affinity rules"
    for other, place in neighbours:
        theirs = ((other["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(required) or ()
        for term in theirs:
            if _selects(term, other, pod) and _same_domain(term, node, place):
                return "node(s) didn't satisfy existing pods anti-affinity rules"
    return None


def _near(term: Object, pod: Object, node: Object, placed: list[tuple[Object, Object]]) -> bool:
    return any(_selects(term, pod, other) and _same_domain(term, node, place) for other, place in placed)


def _selects(term: Object, holder: Object, other: Object) -> bool:
    namespaces = term.get("namespaces") or [namespace_of(holder)]
    labels = other["metadata"].get("labels") or {}
    return namespace_of(other) in namespaces and spec_selects(term.get("labelSelector"), labels)


def _same_domain(term: Object, left: Object, right: Object) -> bool:
    key = term["topologyKey"]
    value = (left["metadata"].get("labels") or {}).get(key)
    return value is not None and value == (right["metadata"].get("labels") or {}).get(key)
