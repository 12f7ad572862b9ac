"""What a request to the fake server is about, read off its method and path."""

from typing import NamedTuple

from headway.executors.kubernetes.api.kinds import KINDS

_RESOURCES = {(kind.group, kind.plural): kind for kind in KINDS}
_OBJECT_VERBS = {"GET": "get", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


class Route(NamedTuple):
    """What a request is about.

    Args:
        verb: The API's verb.
        group: The API group.
        resource: The plural.
        namespace: The namespace; empty for all, and for kinds without one.
        name: The object's name; empty for a collection.
        subresource: "log", "status"; mostly empty.
    """

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    subresource: str


def routed(method: str, path: str, watching: bool) -> Route | None:
    """Understand a request; None if the fake server has nothing at that path.

    Args:
        method: The HTTP method.
        path: The URL's path.
        watching: Whether the query asks for a watch.
    """
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource, *_ = [*rest, "", ""]
    if (group, resource) not in _RESOURCES and resource != "selfsubjectaccessreviews":
        return None
    verb = (_OBJECT_VERBS if name else _COLLECTION_VERBS).get(method)
    if verb is None:
        return None
    return Route("watch" if watching else verb, group, resource, namespace, name, subresource)


def kind_of(route: Route) -> str:
    """Return the name of the kind a request is about ("Pod")."""
    return _RESOURCES[(route.group, route.resource)].name


def is_namespaced(route: Route) -> bool:
    """Tell whether objects of the kind live in a namespace."""
    return _RESOURCES[(route.group, route.resource)].namespaced
