"""The decision for one pod: a node, or the reason why none fits. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from headway.localcluster.objects.meta import Object, encode, name_of, uid_of
from headway.localcluster.scheduling.affinity import (
    avoided_taints,
    blocking_taints,
    node_selected,
    pod_affinity_failure,
    preference,
)
from headway.localcluster.scheduling.resources import Amounts, allocatable, requested

_NOT_HELPFUL = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass
class NodeView:
    """A node and what runs on it.

    Attributes:
        node: The node.
        pods: The pods bound to it that have not ended; changed through `add` and `drop` alone.
    """

    node: Object
    pods: list[Object] = field(default_factory=list)
    _used: Amounts | None = None

    def used(self) -> Amounts:
        """What its pods ask for."""
        if self._used is None:
            self._used = Counter()
            for pod in self.pods:
                self._used.update(requested(pod))
        return self._used

    def add(self, pod: Object) -> None:
        """Count a pod in, unless it is counted already."""
        if all(uid_of(other) != uid_of(pod) for other in self.pods):
            self.pods.append(pod)
            self._used = None

    def drop(self, pod: Object) -> bool:
        """Count a pod out; whether it was counted in."""
        others = [other for other in self.pods if uid_of(other) != uid_of(pod)]
        known = len(others) < len(self.pods)
        if known:
            self.pods, self._used = others, None
        return known


@dataclass(frozen=True)
class Refusal:
    """Why a node does not take a pod.

    Attributes:
        reasons: In the scheduler's words.
        curable: Whether the end of other pods could change it.
    """

    reasons: tuple[str, ...]
    curable: bool = False


@dataclass(frozen=True)
class Decision:
    """What is to happen with a pod.

    Attributes:
        node: The node to bind it to; empty if there is none.
        victims: Pods to end first, so that it fits later.
        message: Why it cannot be placed now.
    """

    node: str = ""
    victims: tuple[Object, ...] = ()
    message: str = ""


def decide(pod: Object, nodes: Sequence[NodeView]) -> Decision:
    """Place a pod.

    Args:
        pod: The pod.
        nodes: Every node.

    Returns:
        A node, or victims to preempt, or why neither is possible.
    """
    if not nodes:
        return Decision(message="no nodes available to schedule pods")
    placed = [(other, view.node) for view in nodes for other in view.pods]
    refusals: list[tuple[NodeView, Refusal]] = []
    fitting: list[NodeView] = []
    for view in nodes:
        refusal = _refusal(pod, view, placed)
        if refusal is None:
            fitting.append(view)
        else:
            refusals.append((view, refusal))
    if fitting:
        return Decision(node=name_of(max(fitting, key=lambda view: _score(pod, view)).node))
    message = unschedulable_message([refusal for _, refusal in refusals])
    for view, refusal in refusals:
        if refusal.curable and (victims := _victims(pod, view)):
            return Decision(victims=victims, message=message)
    return Decision(message=message)


def constraints(pod: Object) -> bytes:
    """All of a pod that a decision depends on: pods with equal constraints meet the same decision."""
    spec = pod["spec"]
    names = ("nodeSelector", "affinity", "tolerations", "priority", "preemptionPolicy", "overhead")
    labels = pod["metadata"].get("labels") if spec.get("affinity") else None
    return encode([sorted(requested(pod).items()), [spec.get(name) for name in names], labels])


def unschedulable_message(refusals: Sequence[Refusal]) -> str:
    """The scheduler's one sentence about every node that refused."""
    total = len(refusals)
    reasons = Counter(reason for refusal in refusals for reason in refusal.reasons)
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    outcomes = Counter(_NO_VICTIMS if refusal.curable else _NOT_HELPFUL for refusal in refusals)
    preemption = ", ".join(sorted(f"{count} {outcome}" for outcome, count in outcomes.items()))
    return (
        f"0/{total} nodes are available: {listed}. no new claims to deallocate, "
        f"preemption: 0/{total} nodes are available: {preemption}."
    )


def _refusal(pod: Object, view: NodeView, placed: list[tuple[Object, Object]]) -> Refusal | None:
    """The first check that fails, in the order of the scheduler's own."""
    node = view.node
    if node["spec"].get("unschedulable"):
        return Refusal(("node(s) were unschedulable",))
    if blocking_taints(pod, node):
        return Refusal(("node(s) had untolerated taint(s)",))
    if not node_selected(pod, node):
        return Refusal(("node(s) didn't match Pod's node affinity/selector",))
    short = _shortages(pod, view)
    if short is not None:
        return short
    failure = pod_affinity_failure(pod, node, placed)
    return None if failure is None else Refusal((failure,), curable=True)


def _shortages(pod: Object, view: NodeView) -> Refusal | None:
    total, used, wanted = allocatable(view.node), view.used(), requested(pod)
    reasons, never = [], False
    if len(view.pods) + 1 > total["pods"]:
        reasons.append("Too many pods")
    for name, amount in wanted.items():
        if amount and amount > total[name] - used[name]:
            reasons.append(f"Insufficient {name}")
            never = never or amount > total[name]
    return Refusal(tuple(reasons), curable=not never) if reasons else None


def _score(pod: Object, view: NodeView) -> tuple[int, int, float, int]:
    total, used = allocatable(view.node), view.used()
    free = [1 - used[name] / total[name] for name in ("cpu", "memory") if total[name]]
    spread = round(sum(free) / len(free), 3) if free else 0.0
    return -avoided_taints(pod, view.node), preference(pod, view.node), spread, -len(view.pods)


def _victims(pod: Object, view: NodeView) -> tuple[Object, ...]:
    """The pods of lowest priority whose end makes room; none if even all of them would not."""
    own = pod["spec"].get("priority", 0)
    if pod["spec"].get("preemptionPolicy") == "Never":
        return ()
    lower = [other for other in view.pods if other["spec"].get("priority", 0) < own]
    lower.sort(key=lambda other: other["spec"].get("priority", 0))
    chosen: list[Object] = []
    for victim in lower:
        chosen.append(victim)
        rest = NodeView(view.node, [other for other in view.pods if other not in chosen])
        if _refusal(pod, rest, [(other, view.node) for other in rest.pods]) is None:
            return tuple(chosen)
    return ()
