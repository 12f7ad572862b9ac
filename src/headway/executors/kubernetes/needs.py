"""What a pod asks of a node: read off the pod's own spec, as the cluster has it.

Admission may have added to what was sent: tolerations by a namespace or a webhook, sidecars, requests from a
limit range. So where there is a pod, it is asked, and not the settings it was made of.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from headway.config.quantities import quantity
from headway.executors.kubernetes.api.kinds import Kind
from headway.executors.kubernetes.api.types import KubernetesObject, Wire

#: Amounts are text in the API's answers; a person may have written numbers.
Written = dict[str, str | int | float]
Amounts = Mapping[str, Decimal]


class Requirement(Wire, frozen=True, gc=False):
    """One expression about a node's labels or fields."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.key, self.operator, *([", ".join(self.values)] if self.values else [])])


class Term(Wire, frozen=True, gc=False):
    """A node fits it if all of its expressions hold."""

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


class Required(Wire, frozen=True, gc=False):
    """A node fits if one of the terms does."""

    node_selector_terms: tuple[Term, ...] = ()


class NodeAffinity(Wire, frozen=True, gc=False):
    required: Required | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Wire, frozen=True, gc=False):
    node_affinity: NodeAffinity | None = None


class Toleration(Wire, frozen=True, gc=False):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Asked(Wire, frozen=True, gc=False):
    """What is asked for; where only a limit is given, that is asked for."""

    requests: Written = msgspec.field(default_factory=dict)
    limits: Written = msgspec.field(default_factory=dict)

    def amounts(self) -> Amounts:
        """By resource; what cannot be read is left out."""
        found = {name: quantity(str(amount)) for name, amount in {**self.limits, **self.requests}.items()}
        return {name: amount for name, amount in found.items() if amount is not None}

    def most(self) -> Amounts:
        """What may be taken at most, by resource; what is not limited is left out."""
        found = {name: quantity(str(amount)) for name, amount in self.limits.items()}
        return {name: amount for name, amount in found.items() if amount is not None}


class AskingContainer(Wire, frozen=True, gc=False):
    restart_policy: str | None = None
    resources: Asked = Asked()


class Needs(Wire, frozen=True, gc=False):
    """Of a pod's spec what says where it may run, and which quotas count it."""

    node_name: str = ""
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    containers: tuple[AskingContainer, ...] = ()
    init_containers: tuple[AskingContainer, ...] = ()
    overhead: Written = msgspec.field(default_factory=dict)
    resources: Asked | None = None
    active_deadline_seconds: int | None = None
    priority_class_name: str = ""

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the affinity, one of which a node has to meet; none where all nodes do."""
        nodes = self.affinity.node_affinity if self.affinity else None
        return nodes.required.node_selector_terms if nodes and nodes.required else ()

    def amounts(self) -> Amounts:
        """What a node has to have for the whole pod, reckoned as the scheduler does.

        Containers run together, with the sidecars (init containers that restart); init containers run
        before, one at a time, beside the sidecars that came before them. What the pod as a whole asks
        for counts in place of both.
        """
        return _joined((self._whole(Asked.amounts), Asked(self.overhead).amounts()), sum)

    def limits(self) -> Amounts:
        """What the whole pod may take at most, likewise; what is not limited is left out."""
        found = self._whole(Asked.most)
        overhead = {name: more for name, more in Asked(self.overhead).amounts().items() if name in found}
        return _joined((found, overhead), sum)

    def _whole(self, of: Callable[[Asked], Amounts]) -> Amounts:
        beside: Amounts = {}
        most: Amounts = {}
        for each in self.init_containers:
            if each.restart_policy == "Always":
                beside = _joined((beside, of(each.resources)), sum)
                most = _joined((most, beside), max)
            else:
                most = _joined((most, _joined((beside, of(each.resources)), sum)), max)
        together = _joined((beside, *(of(each.resources) for each in self.containers)), sum)
        whole = of(self.resources) if self.resources else {}
        return {**_joined((together, most), max), **whole}


class AskingPod(KubernetesObject, frozen=True, gc=False):
    """A pod, as far as it says where it may run; the watch, which sees many, does without."""

    spec: Needs = Needs()


ASKING_POD = Kind("Pod", "pods", AskingPod)


def needs_of(spec: Mapping[str, Any]) -> Needs:
    """Read the spec of a pod that is about to be made."""
    return msgspec.json.decode(msgspec.json.encode(spec), type=Needs)


def sizeless(needs: Needs) -> Needs:
    """The same pod, asking for no amount of anything."""
    return msgspec.structs.replace(needs, containers=(), init_containers=(), resources=None, overhead={})


def _joined(parts: Iterable[Amounts], how: Callable[[Iterable[Decimal]], Decimal | int]) -> Amounts:
    """By resource, what becomes of its amounts in all parts that name it."""
    named: dict[str, list[Decimal]] = {}
    for part in parts:
        for name, amount in part.items():
            named.setdefault(name, []).append(amount)
    return {name: Decimal(how(amounts)) for name, amounts in named.items()}
