"""A container's environment and command: references resolved, `$(NAME)` expanded."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal

from headway.localcluster.objects import quantity
from headway.localcluster.objects.kinds import CONFIG_MAP, SECRET, Kind
from headway.localcluster.objects.meta import Object, namespace_of, uid_of

Lookup = Callable[[Kind, str], "Object | None"]
"""Finds a config map or secret of the pod's namespace."""

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")
_KEYED = re.compile(r"^metadata\.(labels|annotations)\['([^']+)'\]$")


class ConfigError(Exception):
    """Something that a container's configuration refers to is not there."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` where NAME is known; `$$` stands for a dollar."""

    def one(match: re.Match[str]) -> str:
        if match.group(1) == "$":
            return "$"
        return values.get(match.group(2), match.group(0))

    return _REFERENCE.sub(one, text)


def environment(
    pod: Object, container: Object, lookup: Lookup, addresses: Mapping[str, str], node: Object
) -> dict[str, str]:
    """The variables that a container's spec asks for.

    Args:
        pod: The pod.
        container: The container's spec.
        lookup: Finds config maps and secrets.
        addresses: `status.podIP` and `status.hostIP`.
        node: The node's allocatable resources, for limits that nobody set.

    Raises:
        ConfigError: A reference leads nowhere.
    """
    values: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        values.update(_all_of(pod, source, lookup))
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("valueFrom") is None:
            values[name] = expand(entry.get("value", ""), values)
            continue
        found = _referenced(pod, container, entry["valueFrom"], lookup, addresses, node)
        if found is not None:
            values[name] = found
    return values


def _all_of(pod: Object, source: Object, lookup: Lookup) -> dict[str, str]:
    prefix = source.get("prefix", "")
    for field, kind in (("configMapRef", CONFIG_MAP), ("secretRef", SECRET)):
        reference = source.get(field)
        if reference is None:
            continue
        obj = _find(pod, kind, reference, lookup)
        if obj is None:
            return {}
        return {f"{prefix}{key}": _plain(kind, obj, key) for key in obj.get("data") or {}}
    return {}


def _referenced(
    pod: Object,
    container: Object,
    source: Object,
    lookup: Lookup,
    addresses: Mapping[str, str],
    node: Object,
) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], addresses)
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"], node)
    for field, kind in (("configMapKeyRef", CONFIG_MAP), ("secretKeyRef", SECRET)):
        reference = source.get(field)
        if reference is None:
            continue
        obj = _find(pod, kind, reference, lookup)
        if obj is None:
            return None
        if reference["key"] not in (obj.get("data") or {}):
            if reference.get("optional"):
                return None
            where = f"{kind.name} {namespace_of(pod)}/{reference['name']}"
            raise ConfigError(f"couldn't find key {reference['key']} in {where}")
        return _plain(kind, obj, reference["key"])
    return None


def _find(pod: Object, kind: Kind, reference: Object, lookup: Lookup) -> Object | None:
    obj = lookup(kind, reference.get("name", ""))
    if obj is None and not reference.get("optional"):
        raise ConfigError(f'{kind.singular} "{reference.get("name", "")}" not found')
    return obj


def _plain(kind: Kind, obj: Object, key: str) -> str:
    value = obj["data"][key]
    return base64.b64decode(value).decode(errors="surrogateescape") if kind is SECRET else str(value)


def field_value(pod: Object, path: str, addresses: Mapping[str, str]) -> str:
    """The text of a downward API field.

    Raises:
        ConfigError: There is no such field.
    """
    meta, spec = pod["metadata"], pod["spec"]
    if match := _KEYED.match(path):
        return str((meta.get(match.group(1)) or {}).get(match.group(2), ""))
    if path in ("metadata.labels", "metadata.annotations"):
        values = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    plain = {
        "metadata.name": meta["name"],
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": uid_of(pod),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIPs": addresses.get("status.podIP", ""),
        "status.hostIPs": addresses.get("status.hostIP", ""),
        **addresses,
    }
    if path not in plain:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(plain[path])


def resource_value(container: Object, reference: Object, node: Object) -> str:
    """A request or limit in units of its divisor, rounded up.

    Raises:
        ConfigError: There is no such resource.
    """
    part, _, name = reference["resource"].partition(".")
    if part not in ("limits", "requests"):
        raise ConfigError(f"unsupported container resource : {reference['resource']}")
    resources = container.get("resources") or {}
    value = (resources.get(part) or {}).get(name)
    if value is None:
        value = node.get(name, "0") if part == "limits" else "0"
    divisor = quantity.parse(reference.get("divisor") or "1") or Decimal(1)
    return str(int((quantity.parse(value) / divisor).to_integral_value(ROUND_CEILING)))
