"""The rules for names, labels and annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headway.localcluster.objects.failures import Cause, invalid, required
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object

_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_QUALIFIED = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")

_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_WORDS = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_MAX_ANNOTATIONS = 262144


def label_name(field: str, value: str) -> list[Cause]:
    """Check a DNS label."""
    if len(value) > 63:
        return [invalid(field, value, "must be no more than 63 bytes")]
    return [] if _LABEL.match(value) else [invalid(field, value, _LABEL_WORDS)]


def subdomain(field: str, value: str) -> list[Cause]:
    """Check a DNS subdomain."""
    if len(value) > 253:
        return [invalid(field, value, "must be no more than 253 bytes")]
    return [] if _SUBDOMAIN.match(value) else [invalid(field, value, _SUBDOMAIN_WORDS)]


def labels(field: str, values: Mapping[str, str]) -> list[Cause]:
    """Check the keys and values of labels."""
    causes = []
    for key, value in values.items():
        causes += qualified_name(field, key)
        if len(value) > 63:
            causes.append(invalid(field, value, "must be no more than 63 bytes"))
        elif value and not _QUALIFIED.match(value):
            causes.append(invalid(field, value, _VALUE_WORDS))
    return causes


def qualified_name(field: str, key: str) -> list[Cause]:
    """Check a key: `name` or `prefix.example/name`."""
    prefix, slash, name = key.rpartition("/")
    if slash and not _SUBDOMAIN.match(prefix):
        return [invalid(field, key, "prefix part " + _SUBDOMAIN_WORDS)]
    if not name:
        return [invalid(field, key, "name part must be non-empty")]
    if len(name) > 63:
        return [invalid(field, key, "name part must be no more than 63 bytes")]
    return [] if _QUALIFIED.match(name) else [invalid(field, key, _KEY_WORDS)]


def metadata(kind: Kind, obj: Object) -> list[Cause]:
    """Check an object's metadata."""
    meta: dict[str, Any] = obj["metadata"]
    name = meta.get("name", "")
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    check = label_name if kind.plural in ("namespaces", "services") else subdomain
    if kind.group == "rbac.authorization.k8s.io":
        causes: list[Cause] = []
    else:
        causes = check("metadata.name", name)
    causes += labels("metadata.labels", meta.get("labels") or {})
    annotations = meta.get("annotations") or {}
    for key in annotations:
        causes += qualified_name("metadata.annotations", key.lower())
    if sum(len(key) + len(value) for key, value in annotations.items()) > _MAX_ANNOTATIONS:
        text = f"Too long: may not be more than {_MAX_ANNOTATIONS} bytes"
        causes.append(Cause("metadata.annotations", "FieldValueTooLong", text))
    for i, reference in enumerate(meta.get("ownerReferences") or ()):
        causes += [
            required(f"metadata.ownerReferences[{i}].{key}", f"{key} must not be empty")
            for key in ("apiVersion", "kind", "name", "uid")
            if not reference.get(key)
        ]
    return causes
