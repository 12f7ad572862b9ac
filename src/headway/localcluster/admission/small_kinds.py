"""Validation of the kinds with few rules: services, config maps, secrets, claims."""

from __future__ import annotations

import base64
import re

from headway.localcluster.objects.failures import Cause, invalid, required, unsupported
from headway.localcluster.objects.kinds import CLAIM, CONFIG_MAP, SECRET, SERVICE, Kind
from headway.localcluster.objects.meta import Object

_KEY = re.compile(r"^[-._a-zA-Z0-9]+$")
_KEY_WORDS = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_MAX_BYTES = 1024 * 1024
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def check(kind: Kind, obj: Object, old: Object | None) -> list[Cause]:
    """Check one of these kinds; other kinds have nothing to check here."""
    if kind in (CONFIG_MAP, SECRET):
        return _data(kind, obj)
    if kind is SERVICE:
        return _service(obj, old)
    if kind is CLAIM:
        return _claim(obj)
    return []


def _data(kind: Kind, obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    size = 0
    for field in ("data", "binaryData"):
        for key, value in (obj.get(field) or {}).items():
            if len(key) > 253 or not _KEY.match(key) or key in (".", ".."):
                causes.append(invalid(f"{field}[{key}]", key, _KEY_WORDS))
            encoded = kind is SECRET or field == "binaryData"
            size += len(base64.b64decode(value)) if encoded else len(value.encode())
    if size > _MAX_BYTES:
        where = "data" if kind is SECRET else ""
        causes.append(Cause(where, "FieldValueTooLong", f"Too long: may not be more than {_MAX_BYTES} bytes"))
    return causes


def _service(obj: Object, old: Object | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if spec["type"] not in _SERVICE_TYPES:
        causes.append(unsupported("spec.type", spec["type"], _SERVICE_TYPES))
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        causes.append(required("spec.ports"))
    for i, port in enumerate(spec.get("ports") or ()):
        number = port.get("port", 0)
        if not 1 <= number <= 65535:
            causes.append(invalid(f"spec.ports[{i}].port", number, "must be between 1 and 65535, inclusive"))
        if len(spec["ports"]) > 1 and not port.get("name"):
            causes.append(required(f"spec.ports[{i}].name"))
    if old is not None and old["spec"].get("clusterIP") != spec.get("clusterIP"):
        given = spec.get("clusterIPs") or [spec.get("clusterIP")]
        causes.append(invalid("spec.clusterIPs[0]", given, "may not change once set"))
    return causes


def _claim(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    modes = spec.get("accessModes") or []
    if not modes:
        causes.append(required("spec.accessModes", "at least 1 access mode is required"))
    causes += [
        unsupported("spec.accessModes", mode, _ACCESS_MODES) for mode in modes if mode not in _ACCESS_MODES
    ]
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        causes.append(required("spec.resources[storage]"))
    return causes
