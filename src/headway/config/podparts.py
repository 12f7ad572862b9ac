"""Pieces of a pod as people write them, brought to the API's own form.

Taken are dicts in camelCase or in snake_case, JSON text, and model objects of the ``kubernetes``
package (known by their shape; the package itself is never imported).
"""

import re
from collections.abc import Callable, Iterable, Mapping

from headway.config.parsing import RefusedError, json_value

#: Maps whose keys are the user's own words and stay as they are.
_FREE_KEYS = frozenset({
    "annotations", "labels", "limits", "matchLabels", "nodeSelector", "options", "overhead", "parameters",
    "requests", "userAnnotations", "volumeAttributes",
})  # fmt: skip

#: What the simple rule gets wrong: the API writes abbreviations in capitals, but not all of them.
_ABBREVIATIONS = {
    "host_ip": "hostIP", "host_ipc": "hostIPC", "host_pid": "hostPID", "pod_ip": "podIP",
    "set_hostname_as_fqdn": "setHostnameAsFQDN", "disk_uri": "diskURI", "volume_id": "volumeID",
    "pd_id": "pdID", "dataset_uuid": "datasetUUID", "target_ww_ns": "targetWWNs", "target_wwns": "targetWWNs",
    "downward_api": "downwardAPI", "scale_io": "scaleIO", "storage_policy_id": "storagePolicyID",
}  # fmt: skip

_WORD_START = r"_([a-z0-9])"


#: The fields of a container's security context: https://kubernetes.io/docs/reference/kubernetes-api
_SECURITY_FIELDS = (
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "windowsOptions",
)


def camel_case(key: str) -> str:
    """The API's spelling of a field: ``run_as_user`` and ``runAsUser`` give ``runAsUser``."""
    if "_" not in key:
        return key
    if key in _ABBREVIATIONS:
        return _ABBREVIATIONS[key]
    # The models write fields that are Python keywords with an underscore before them: _exec, _from.
    return re.sub(_WORD_START, lambda match: match[1].upper(), key.lstrip("_"))


def plain(value: object) -> object:
    """Model objects turned into dicts, at any depth; all else as it is."""
    attributes = getattr(value, "attribute_map", None)
    if isinstance(attributes, Mapping):
        found = {key: getattr(value, name, None) for name, key in attributes.items()}
        return {str(key): plain(item) for key, item in found.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def api_form(value: object) -> object:
    """A piece of a manifest in the API's spelling, made of JSON values alone, without nulls."""
    return _spelled(plain(value), free_keys=False)


def api_object(value: object) -> dict[str, object]:
    """Parser of one object, like an affinity."""
    if isinstance(value, str):
        value = json_value(value)
    found = api_form(value)
    if not isinstance(found, dict):
        raise RefusedError("a dict as Kubernetes writes it, in camelCase or snake_case, is allowed")
    return found


def security_context(value: object) -> dict[str, object]:
    """Parser of a container's security context; a field that there is not would protect nobody."""
    found = api_object(value)
    for name in found:
        if name not in _SECURITY_FIELDS:
            raise RefusedError(f"a security context has {', '.join(_SECURITY_FIELDS)}, and not {name}")
    return found


def api_objects(*required: str) -> Callable[[object], tuple[dict[str, object], ...]]:
    """A parser of a list of objects, like volumes, each with the fields that it cannot be without."""

    def parse(value: object) -> tuple[dict[str, object], ...]:
        if isinstance(value, str):
            value = json_value(value)
        if isinstance(value, Mapping) or not isinstance(value, Iterable):
            raise RefusedError("a list of dicts as Kubernetes writes them is allowed")
        found = tuple(api_object(item) for item in value)
        for item in found:
            for field in required:
                if not item.get(field):
                    raise RefusedError(f"each item needs {field!r}, and {item!r} has none")
        return found

    return parse


def _spelled(value: object, *, free_keys: bool) -> object:
    if isinstance(value, dict):
        spelled: dict[str, object] = {}
        for key, item in value.items():
            if item is not None:
                name = key if free_keys else camel_case(key)
                spelled[name] = _spelled(item, free_keys=not free_keys and name in _FREE_KEYS)
        return spelled
    if isinstance(value, list):
        return [_spelled(item, free_keys=False) for item in value]
    if isinstance(value, (str, bool, int, float)):
        return value
    kind = type(value).__name__
    raise RefusedError(f"text, numbers, booleans, lists and dicts are allowed within it, and a {kind} is not")
