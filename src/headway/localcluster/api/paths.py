"""What a request path points at."""

from __future__ import annotations

from dataclasses import dataclass

from headway.localcluster.objects.failures import no_such_path
from headway.localcluster.objects.kinds import BY_PATH, NAMESPACE, Kind


@dataclass(frozen=True)
class Target:
    """A resource, one of its objects, or a subresource of that.

    Attributes:
        kind: The kind.
        namespace: The namespace in the path; empty for none or all.
        name: The object; empty for the collection.
        subresource: `status`, `log`, …; empty for the object itself.
    """

    kind: Kind
    namespace: str
    name: str
    subresource: str

    @property
    def across_namespaces(self) -> bool:
        """Whether a collection of a namespaced kind is asked for without a namespace."""
        return self.kind.namespaced and not self.namespace


def split(path: str) -> tuple[str, str, list[str]] | None:
    """The group, version and rest of a path below `/api` or `/apis`; None for other paths."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 2 and parts[0] == "api":
        return "", parts[1], parts[2:]
    if len(parts) >= 3 and parts[0] == "apis":
        return parts[1], parts[2], parts[3:]
    return None


def resolve(group: str, version: str, rest: list[str]) -> Target:
    """The target of a resource path.

    Raises:
        ApiError: 404, there is no such resource.
    """
    namespace = ""
    if rest and rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3:
        raise no_such_path()
    kind = BY_PATH.get((group, version, rest[0]))
    if kind is None or (namespace and not kind.namespaced):
        raise no_such_path()
    name = rest[1] if len(rest) > 1 else ""
    if name and kind.namespaced and not namespace:
        raise no_such_path()
    if kind is NAMESPACE:
        namespace = ""
    return Target(kind, namespace, name, rest[2] if len(rest) > 2 else "")
