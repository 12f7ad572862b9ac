"""Label and field selectors, as query strings and as the structured form in specs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from headway.localcluster.objects.failures import bad_request
from headway.localcluster.objects.meta import Object

Predicate = Callable[[Object], bool]
"""Whether an object is selected."""

_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s*\(\s*([^)]*)\)\s*$")
_EQUALITY = re.compile(r"^\s*([\w./-]+)\s*(==|!=|=)\s*([\w.-]*)\s*$")
_COMPARED = re.compile(r"^\s*([\w./-]+)\s*([<>])\s*(-?\d+)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([\w./-]+)\s*$")
_FIELD_TERM = re.compile(r"^\s*([\w.]+)\s*(==|!=|=)\s*(.*?)\s*$")
_SPLIT = re.compile(r",(?![^(]*\))")


def matches(requirement: tuple[str, str, tuple[str, ...]], labels: Mapping[str, str]) -> bool:
    """Whether labels meet one requirement (key, operator, values), with Kubernetes' operators."""
    key, operator, values = requirement
    value = labels.get(key)
    if operator == "In":
        return value is not None and value in values
    if operator == "NotIn":
        return value is None or value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if value is None or not value.lstrip("-").isdigit():
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])


def label_requirements(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """The requirements in a label selector's query string.

    Raises:
        ApiError: 400, the selector cannot be read.
    """
    requirements = []
    for term in _SPLIT.split(text):
        if not term.strip():
            continue
        if found := _SET.match(term):
            values = tuple(value.strip() for value in found.group(3).split(","))
            requirements.append((found.group(1), "In" if found.group(2) == "in" else "NotIn", values))
        elif found := _EQUALITY.match(term):
            operator = "NotIn" if found.group(2) == "!=" else "In"
            requirements.append((found.group(1), operator, (found.group(3),)))
        elif found := _COMPARED.match(term):
            operator = "Gt" if found.group(2) == ">" else "Lt"
            requirements.append((found.group(1), operator, (found.group(3),)))
        elif found := _EXISTS.match(term):
            requirements.append((found.group(2), "DoesNotExist" if found.group(1) else "Exists", ()))
        else:
            raise bad_request(f"unable to parse requirement: found {term.strip()!r}")
    return requirements


def label_predicate(text: str) -> Predicate:
    """The predicate of a label selector's query string."""
    requirements = label_requirements(text)

    def selected(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(matches(requirement, labels) for requirement in requirements)

    return selected


def spec_selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a `LabelSelector` in a spec selects labels; an empty one selects everything, none nothing."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(
        matches((entry["key"], entry["operator"], tuple(entry.get("values") or ())), labels)
        for entry in selector.get("matchExpressions") or ()
    )


_COMMON_FIELDS = {"metadata.name", "metadata.namespace"}
_FIELDS = {
    "pods": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    "events": {
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    },
    "jobs": {"status.successful"},
    "secrets": {"type"},
    "namespaces": {"status.phase"},
    "nodes": {"spec.unschedulable"},
}


def field_predicate(plural: str, text: str) -> Predicate:
    """The predicate of a field selector's query string, for the fields that Kubernetes indexes.

    Args:
        plural: The resource, such as `pods`.
        text: The selector.

    Raises:
        ApiError: 400, the selector cannot be read or names a field that is not supported.
    """
    allowed = _COMMON_FIELDS | _FIELDS.get(plural, set())
    terms = []
    for term in text.split(","):
        if not term.strip():
            continue
        found = _FIELD_TERM.match(term)
        if found is None:
            raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
        field, sign, value = found.groups()
        if field not in allowed:
            raise bad_request(f"field label not supported: {field}")
        terms.append((field, sign != "!=", value))

    def selected(obj: Object) -> bool:
        return all((_field(obj, field) == value) is wanted for field, wanted, value in terms)

    return selected


def _field(obj: Object, path: str) -> str:
    if path == "source":
        path = "source.component"
    if path == "status.successful":
        path = "status.succeeded"
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return "false" if path == "spec.unschedulable" else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
