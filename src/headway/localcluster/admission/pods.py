"""Validation of pods and of the pod templates in jobs."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from headway.localcluster.admission.names import label_name, labels, qualified_name, subdomain
from headway.localcluster.objects import quantity
from headway.localcluster.objects.failures import (
    Cause,
    duplicate,
    forbidden_field,
    invalid,
    not_found_cause,
    required,
    unsupported,
)
from headway.localcluster.objects.meta import Object, copied

_RESTART = ("Always", "Never", "OnFailure")
_PULL = ("Always", "IfNotPresent", "Never")
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
_TOLERATION_OPERATORS = ("Equal", "Exists", "Gt", "Lt")
_ENV_NAME = re.compile(r"^[^=\x00-\x1f\x7f-\U0010ffff]+$")
_UPDATABLE = (
    "only updates to `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative) or "
    "`spec.tolerations` (only additions to existing tolerations) are allowed"
)


def pod_spec(spec: Object, field: str, restart: Collection[str] = _RESTART) -> list[Cause]:
    """Check a pod's spec.

    Args:
        spec: The spec, with defaults filled in.
        field: Its path, such as `spec` or `spec.template.spec`.
        restart: The restart policies allowed here.
    """
    causes: list[Cause] = []
    volumes: set[str] = set()
    for i, volume in enumerate(spec.get("volumes") or ()):
        causes += _volume(volume, f"{field}.volumes[{i}]", volumes)
    names: set[str] = set()
    if not spec.get("containers"):
        causes.append(required(f"{field}.containers"))
    for group in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(group) or ()):
            causes += _container(container, f"{field}.{group}[{i}]", names, volumes)
    if spec["restartPolicy"] not in restart:
        causes.append(unsupported(f"{field}.restartPolicy", spec["restartPolicy"], restart))
    for name in ("activeDeadlineSeconds",):
        value = spec.get(name)
        if value is not None and not 1 <= value <= 2147483647:
            causes.append(invalid(f"{field}.{name}", value, "must be between 1 and 2147483647, inclusive"))
    if spec["terminationGracePeriodSeconds"] < 0:
        grace = spec["terminationGracePeriodSeconds"]
        causes.append(
            invalid(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")
        )
    causes += labels(f"{field}.nodeSelector", spec.get("nodeSelector") or {})
    for i, entry in enumerate(spec.get("tolerations") or ()):
        causes += _toleration(entry, f"{field}.tolerations[{i}]")
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            causes += label_name(f"{field}.{key}", spec[key])
    if spec.get("serviceAccountName"):
        causes += subdomain(f"{field}.serviceAccountName", spec["serviceAccountName"])
    return causes


def _container(container: Object, field: str, names: set[str], volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = container.get("name", "")
    if not name:
        causes.append(required(f"{field}.name"))
    else:
        causes += label_name(f"{field}.name", name)
        if name in names:
            causes.append(duplicate(f"{field}.name", name))
        names.add(name)
    image = container.get("image", "")
    if not image:
        causes.append(required(f"{field}.image"))
    elif image.strip() != image:
        causes.append(invalid(f"{field}.image", image, "must not have leading or trailing whitespace"))
    if container["imagePullPolicy"] not in _PULL:
        causes.append(unsupported(f"{field}.imagePullPolicy", container["imagePullPolicy"], _PULL))
    for i, entry in enumerate(container.get("env") or ()):
        causes += _env(entry, f"{field}.env[{i}]")
    paths: set[str] = set()
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        causes += _mount(mount, f"{field}.volumeMounts[{i}]", volumes, paths)
    return causes + _resources(container["resources"], f"{field}.resources")


def _env(entry: Object, field: str) -> list[Cause]:
    name = entry.get("name", "")
    if not name:
        return [required(f"{field}.name")]
    if not _ENV_NAME.match(name):
        text = (
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
        return [invalid(f"{field}.name", name, text)]
    source = entry.get("valueFrom")
    if source is None:
        return []
    if entry.get("value"):
        return [invalid(f"{field}.valueFrom", "", "may not be specified when `value` is not empty")]
    given = [key for key in source if source[key] is not None]
    if len(given) != 1:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        return [invalid(f"{field}.valueFrom", "", text)]
    return []


def _mount(mount: Object, field: str, volumes: set[str], paths: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    if not mount.get("name"):
        causes.append(required(f"{field}.name"))
    elif mount["name"] not in volumes:
        causes.append(not_found_cause(f"{field}.name", mount["name"]))
    path = mount.get("mountPath", "")
    if not path:
        causes.append(required(f"{field}.mountPath"))
    elif path in paths:
        causes.append(invalid(f"{field}.mountPath", path, "must be unique"))
    paths.add(path)
    sub = mount.get("subPath", "")
    if sub.startswith("/"):
        causes.append(invalid(f"{field}.subPath", sub, "must be a relative path"))
    elif ".." in sub.split("/"):
        causes.append(invalid(f"{field}.subPath", sub, "must not contain '..'"))
    return causes


def _resources(resources: Object, field: str) -> list[Cause]:
    causes: list[Cause] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            where = f"{field}.{part}[{name}]"
            if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
                causes.append(invalid(where, name, "must be a standard resource type or fully qualified"))
                causes.append(invalid(where, name, "must be a standard resource for containers"))
            else:
                causes += qualified_name(where, name)
            if quantity.parse(value) < 0:
                causes.append(invalid(where, value, "must be greater than or equal to 0"))
            elif "/" in name and quantity.parse(value) % 1 != 0:
                causes.append(invalid(where, quantity.units(value), "must be an integer"))
    for name, request in requests.items():
        limit = limits.get(name)
        if limit is not None and quantity.parse(request) > quantity.parse(limit):
            text = f"must be less than or equal to {name} limit of {limit}"
            causes.append(invalid(f"{field}.requests", request, text))
        if "/" in name and quantity.parse(request) != quantity.parse(limit or Decimal(0)):
            if limit is None:
                causes.append(
                    required(f"{field}.limits", "Limit must be set for non overcommitable resources")
                )
            else:
                causes.append(
                    invalid(f"{field}.requests", request, f"must be equal to {name} limit of {limit}")
                )
    return causes


def _volume(volume: Object, field: str, seen: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = volume.get("name", "")
    if not name:
        causes.append(required(f"{field}.name"))
    else:
        causes += label_name(f"{field}.name", name)
        if name in seen:
            causes.append(duplicate(f"{field}.name", name))
        seen.add(name)
    sources = [key for key, value in volume.items() if key != "name" and value is not None]
    if len(sources) > 1:
        causes.append(
            forbidden_field(f"{field}.{sorted(sources)[1]}", "may not specify more than 1 volume type")
        )
    if "hostPath" in volume and not volume["hostPath"].get("path"):
        causes.append(required(f"{field}.hostPath.path"))
    if "secret" in volume and not volume["secret"].get("secretName"):
        causes.append(required(f"{field}.secret.secretName"))
    if "configMap" in volume and not volume["configMap"].get("name"):
        causes.append(required(f"{field}.configMap.name"))
    if "persistentVolumeClaim" in volume and not volume["persistentVolumeClaim"].get("claimName"):
        causes.append(required(f"{field}.persistentVolumeClaim.claimName"))
    return causes


def _toleration(entry: Object, field: str) -> list[Cause]:
    causes: list[Cause] = []
    operator = entry.get("operator") or "Equal"
    if entry.get("key"):
        causes += qualified_name(f"{field}.key", entry["key"])
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        causes.append(invalid(f"{field}.operator", operator, text))
    if operator not in _TOLERATION_OPERATORS:
        causes.append(unsupported(f"{field}.operator", operator, _TOLERATION_OPERATORS))
    if operator == "Exists" and entry.get("value"):
        causes.append(invalid(f"{field}.operator", entry, "value must be empty when `operator` is 'Exists'"))
    effect = entry.get("effect")
    if effect and effect not in _EFFECTS:
        causes.append(unsupported(f"{field}.effect", effect, _EFFECTS))
    if entry.get("tolerationSeconds") is not None and effect not in ("NoExecute", None, ""):
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        causes.append(invalid(f"{field}.effect", effect, text))
    return causes


def pod_update(new: Object, old: Object) -> list[Cause]:
    """Check that an update of a pod touches only what may change."""
    if _mutable_part_removed(new) == _mutable_part_removed(old):
        return []
    return [forbidden_field("spec", f"pod updates may not change fields other than {_UPDATABLE}")]


def _mutable_part_removed(pod: Object) -> Any:
    spec = copied(pod["spec"])
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        container.pop("image", None)
    for name in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"):
        spec.pop(name, None)
    return spec
