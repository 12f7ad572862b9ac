"""What pods ask for and nodes have, in whole units (processors in thousandths)."""

from __future__ import annotations

from collections import Counter

from headway.localcluster.objects import quantity
from headway.localcluster.objects.meta import Object

Amounts = Counter[str]
"""Amounts by resource name; `cpu` in thousandths, everything else in units."""


def amount(name: str, value: object) -> int:
    """One quantity in the units of `Amounts`."""
    return quantity.thousandths(value) if name == "cpu" else quantity.units(value)


def requested(pod: Object) -> Amounts:
    """What a pod asks for: the sum of its containers, or its largest init container if that is more."""
    spec = pod["spec"]
    total: Amounts = Counter()
    for container in spec["containers"]:
        for name, value in _requests(container).items():
            total[name] += amount(name, value)
    for container in spec.get("initContainers") or ():
        for name, value in _requests(container).items():
            total[name] = max(total[name], amount(name, value))
    for name, value in (spec.get("overhead") or {}).items():
        total[name] += amount(name, value)
    return total


def allocatable(node: Object) -> Amounts:
    """What a node can give."""
    return Counter({name: amount(name, value) for name, value in node["status"]["allocatable"].items()})


def _requests(container: Object) -> Object:
    found: Object = (container.get("resources") or {}).get("requests") or {}
    return found
