"""Parsers of what only Kubernetes knows: object names, labels, resource names, images.

The rules are those of the API server, so that a value it would refuse is refused here, before any
object exists, and with the place where it was written.
"""

import re

from headway.config.parsing import RefusedError, integer, mapping, string_map, text
from headway.config.podparts import plain

# Compiled when first used, for `show` reads these declarations and checks few values.
_LABEL_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_QUALIFIED_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_IMAGE = (
    r"((localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)(:[0-9]+)?/|[A-Za-z0-9-]+:[0-9]+/)?"  # host and port
    r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"  # path
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"  # tag
    r"(@[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,})?"  # digest
)
_REASON = r"[A-Z][A-Za-z]+"
#: What every container waits for before it runs.
_ON_ITS_WAY = ("ContainerCreating", "PodInitializing")
#: Of the 51 letters that a Job's name can have; flow, step and hash need the rest.
_LONGEST_PREFIX = 20
_QUANTITY = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?"


def dns_label(value: object) -> str:
    """The name of a namespace, a volume, a container: a DNS label."""
    name = text(value)
    if len(name) > 63 or not re.fullmatch(_DNS_LABEL, name):
        raise RefusedError(
            "a name of at most 63 lower-case letters, digits and '-', beginning and ending with a letter or "
            "digit, is allowed"
        )
    return name


def object_name(value: object) -> str:
    """The name of most objects (service account, secret, claim, priority class): a DNS subdomain."""
    name = text(value)
    check_object_name(name)
    return name


def check_object_name(name: str) -> None:
    """Refuse text that cannot name an object."""
    if len(name) > 253 or not re.fullmatch(_DNS_SUBDOMAIN, name):
        raise RefusedError(
            f"a name of lower-case letters, digits, '-' and '.' is allowed, and {name!r} is not one"
        )


def image(value: object) -> str:
    """A reference to a container image: ``name``, ``org/name:tag``, ``host:5000/name@sha256:…``."""
    reference = text(value)
    if not re.fullmatch(_IMAGE, reference):
        raise RefusedError(
            "an image like python:3.11 or registry.example.com/team/name:tag is allowed",
            "The name is lower case, without blanks and without http://.",
        )
    return reference


def registry(value: object) -> str:
    """A registry, with a path in it or without: ``registry.example.com:5000/team``."""
    found = text(value).rstrip("/")
    if "://" in found or not re.fullmatch(_IMAGE, f"{found}/name"):
        raise RefusedError("a registry like registry.example.com/team, without https://, is allowed")
    return found


def labels(value: object) -> dict[str, str]:
    """Labels: keys and values as the API server takes them; None, as of a variable that is not set, is empty."""
    written = {key: "" if item is None else item for key, item in mapping(value, bare_keys=True).items()}
    found = string_map(written, bare_keys=True)
    for key, item in found.items():
        check_key(key)
        check_label_value(key, item)
    return found


def node_selector(value: object) -> dict[str, str]:
    """Labels that a node must carry, as a dict or ``key=value,other=value``."""
    found = string_map(value)
    for key, item in found.items():
        check_key(key)
        check_label_value(key, item)
    return found


def annotations(value: object) -> dict[str, str]:
    """Annotations: keys as for labels, values any text up to 256 KiB in all."""
    found = string_map(value, bare_keys=True)
    for key in found:
        check_key(key)
    if sum(len(key.encode()) + len(item.encode()) for key, item in found.items()) > 256 * 1024:
        raise RefusedError("annotations of at most 256 KiB in all are allowed")
    return found


def job_prefix(value: object) -> str:
    """What the names of Jobs begin with; a ``-`` at its end is one that comes anyway."""
    prefix = text(value).rstrip("-")
    if len(prefix) > _LONGEST_PREFIX or not re.fullmatch(_DNS_LABEL, prefix) or not prefix[0].isalpha():
        raise RefusedError(
            f"at most {_LONGEST_PREFIX} lower-case letters, digits and '-', beginning with a letter, are allowed"
        )
    return prefix


def one_pod(value: object) -> int:
    """The number of a step's pods where it is no gang."""
    pods = integer(1)(value)
    if pods > 1:
        raise RefusedError(
            "a step on several pods is a gang",
            f"Write @parallel(num_nodes={pods}) above the step, and leave pod_count out.",
        )
    return pods


def waiting_reason(name: str) -> None:
    """Refuse text that is no reason of a waiting container, or one that every pod comes through."""
    if not re.fullmatch(_REASON, name):
        raise RefusedError(
            f"reasons as Kubernetes writes them, like ErrImagePull, are allowed, and {name!r} is not one"
        )
    if name in _ON_ITS_WAY:
        raise RefusedError(f"every pod waits for {name} on its way, so that each would fail")


def check_key(key: str) -> None:
    """Refuse text that cannot be the key of a label, an annotation, a taint or an extended resource."""
    prefix, slash, name = key.rpartition("/")
    if not re.fullmatch(_QUALIFIED_NAME, name) or len(name) > 63:
        raise RefusedError(
            f"the key {key!r} is not one that Kubernetes takes: at most 63 letters, digits, '-', '_' and "
            "'.', beginning and ending with a letter or digit, optionally after a prefix like example.com/"
        )
    if slash and (len(prefix) > 253 or not re.fullmatch(_DNS_SUBDOMAIN, prefix)):
        raise RefusedError(f"the prefix of the key {key!r} must be a domain in lower case, like example.com")


def check_label_value(key: str, value: str) -> None:
    """Refuse text that cannot be a label's value."""
    if not is_label_value(value):
        raise RefusedError(
            f"the value {value!r} of {key!r} is not one that Kubernetes takes: at most 63 letters, digits, "
            "'-', '_' and '.', beginning and ending with a letter or digit"
        )


def is_label_value(value: str) -> bool:
    """Whether this text can be a label's value."""
    return len(value) <= 63 and re.fullmatch(_LABEL_VALUE, value) is not None


def extended_resources(value: object) -> dict[str, str]:
    """Amounts of resources that the cluster's devices offer: ``{"vendor.example/device": 1}``."""
    found = string_map(value)
    for key, amount in found.items():
        check_key(key)
        if "/" not in key:
            raise RefusedError(
                f"{key!r} is no extended resource: its name carries a domain, like vendor.example/device",
                "cpu, memory, disk and gpu have settings of their own.",
            )
        try:
            integer(0)(amount)
        except RefusedError:
            raise RefusedError(f"{key!r} needs a whole number, and {amount!r} is none") from None
    return found


def container_resources(value: object) -> dict[str, dict[str, str]]:
    """``{"requests": {…}, "limits": {…}}`` as Kubernetes writes them, quantities checked."""
    # Few steps have any, and `show` reads these declarations.
    from headway.config.quantities import quantity

    found = mapping(plain(value))
    if unknown := set(found) - {"requests", "limits"}:
        raise RefusedError(f"requests and limits are allowed, and {sorted(unknown)} is neither")
    resources: dict[str, dict[str, str]] = {}
    for kind, amounts in found.items():
        resources[kind] = string_map(amounts)
        for key, amount in resources[kind].items():
            check_key(key)
            if not re.fullmatch(_QUANTITY, amount):
                raise RefusedError(
                    f"{kind}.{key} needs a quantity like 2, 500m or 4Gi, and {amount!r} is none"
                )
    requests = resources.get("requests", {})
    for key, limit in resources.get("limits", {}).items():
        most, asked = quantity(limit), quantity(requests.get(key, ""))
        if most is not None and asked is not None and most < asked:
            raise RefusedError(
                f"a limit is no less than the request: limits.{key} is {limit}, and requests.{key} {requests[key]}"
            )
    return resources


def claims(value: object) -> dict[str, str]:
    """Volume claims and where each is mounted: ``{"claim": "/path"}``."""
    found = string_map(value)
    for name, path in found.items():
        check_object_name(name)
        mount_path(path)
    return found


def mount_path(value: object) -> str:
    """An absolute path to mount something at; ':' would be read as a separator by the runtime."""
    path = text(value)
    if not path.startswith("/") or path == "/" or ":" in path:
        raise RefusedError("an absolute path like /mnt/data is allowed, other than / and without ':'")
    return path
