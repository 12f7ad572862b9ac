"""What to send for each thing one can ask of the API: pure functions from arguments to requests."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from headway.executors.kubernetes.api.errors import Target
from headway.executors.kubernetes.api.kinds import POD, Kind
from headway.executors.kubernetes.api.transport import Request
from headway.executors.kubernetes.api.types import KubernetesObject

PatchType = Literal["merge", "strategic", "json", "apply"]
Patch = Mapping[str, Any] | Sequence[Mapping[str, Any]] | bytes
Propagation = Literal["Background", "Foreground", "Orphan"]

_PATCH_TYPES: dict[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_FIELD_MANAGER = "headway"
_AUTHORIZATION = "authorization.k8s.io"


def create(
    kind: Kind[KubernetesObject], namespace: str | None, body: bytes, name: str | None, dry_run: bool
) -> Request:
    """Create an object.

    Args:
        kind: What it is.
        namespace: Where it goes.
        body: The manifest.
        name: Its name in the manifest; None if the server makes one up, so that sending twice makes two.
        dry_run: Let the server check it and create nothing.
    """
    return Request(
        "POST",
        kind.path(namespace),
        _target("create", kind, namespace, name),
        # A field that the server does not know would be dropped without a word, a misspelt one too.
        query={"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})},
        body=body,
        repeatable=name is not None or dry_run,
    )


def get(kind: Kind[KubernetesObject], namespace: str | None, name: str, *, cached: bool = False) -> Request:
    """Read one object, as it is or, from the server's memory, as it was lately."""
    query = {"resourceVersion": "0"} if cached else {}
    return Request("GET", kind.path(namespace, name), _target("get", kind, namespace, name), query=query)


def list_page(
    kind: Kind[KubernetesObject],
    namespace: str | None,
    label_selector: str | None,
    field_selector: str | None,
    limit: int | None,
    continue_token: str | None,
) -> Request:
    """Read one page of a list, or all of it where there is no limit."""
    query = _selectors(label_selector, field_selector)
    if limit is not None:
        query["limit"] = str(limit)
    if continue_token is not None:
        query["continue"] = continue_token
    return Request("GET", kind.path(namespace), _target("list", kind, namespace), query=query)


def watch(
    kind: Kind[KubernetesObject],
    namespace: str | None,
    resource_version: str,
    label_selector: str | None,
    field_selector: str | None,
    timeout_seconds: int,
) -> Request:
    """Watch from a version on, with bookmarks, until the server ends it after the time given."""
    query = _selectors(label_selector, field_selector) | {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": resource_version,
        "timeoutSeconds": str(timeout_seconds),
    }
    return Request("GET", kind.path(namespace), _target("watch", kind, namespace), query=query)


def patch(
    kind: Kind[KubernetesObject],
    namespace: str | None,
    name: str,
    patch: Patch,
    type_: PatchType,
    subresource: str | None,
    dry_run: bool,
) -> Request:
    """Change an object; an "apply" takes the fields over from whoever owned them."""
    query = {"dryRun": "All"} if dry_run else {}
    if type_ == "apply":
        query |= {"fieldManager": _FIELD_MANAGER, "force": "true"}
    return Request(
        "PATCH",
        kind.path(namespace, name, subresource),
        _target("patch", kind, namespace, name, subresource),
        query=query,
        body=patch if isinstance(patch, bytes) else msgspec.json.encode(patch),
        content_type=_PATCH_TYPES[type_],
        # A JSON patch may append; the others lead to the same state however often they are sent.
        repeatable=type_ != "json",
    )


def delete(
    kind: Kind[KubernetesObject],
    namespace: str | None,
    name: str,
    propagation: Propagation,
    grace_seconds: int | None,
    uid: str | None,
) -> Request:
    """Delete one object, only the one with this uid if one is given."""
    options = _delete_options(propagation, grace_seconds)
    if uid is not None:
        options["preconditions"] = {"uid": uid}
    return Request(
        "DELETE",
        kind.path(namespace, name),
        _target("delete", kind, namespace, name),
        body=msgspec.json.encode(options),
    )


def delete_collection(
    kind: Kind[KubernetesObject],
    namespace: str,
    label_selector: str,
    propagation: Propagation,
    grace_seconds: int | None,
) -> Request:
    """Delete all objects with these labels."""
    if not label_selector:
        raise ValueError("delete_collection without a label selector would delete everything")
    return Request(
        "DELETE",
        kind.path(namespace),
        _target("deletecollection", kind, namespace),
        query={"labelSelector": label_selector},
        body=msgspec.json.encode(_delete_options(propagation, grace_seconds)),
    )


def logs(namespace: str, pod: str, options: Mapping[str, str | int | bool | None]) -> Request:
    """Read a container's log.

    Args:
        namespace: The pod's namespace.
        pod: The pod's name.
        options: The API's own query parameters; those that are None or False are left out.
    """
    query = {
        name: "true" if value is True else str(value)
        for name, value in options.items()
        if value is not None and value is not False
    }
    return Request(
        "GET", POD.path(namespace, pod, "log"), _target("get", POD, namespace, pod, "log"), query=query
    )


def version() -> Request:
    """Read the server's version."""
    return Request("GET", "/version", Target("get", "the server's version"))


def access_review(verb: str, resource: str, namespace: str | None) -> Request:
    """Ask whether we may do something.

    Args:
        verb: As in RBAC rules.
        resource: As kubectl takes it: "pods", "pods/log", "jobs.batch".
        namespace: Where; None for the whole cluster.
    """
    qualified, _, subresource = resource.partition("/")
    plural, _, group = qualified.partition(".")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
        "namespace": namespace or "",
    }
    review = {
        "apiVersion": f"{_AUTHORIZATION}/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return Request(
        "POST",
        f"/apis/{_AUTHORIZATION}/v1/selfsubjectaccessreviews",
        Target("create", "selfsubjectaccessreviews", _AUTHORIZATION),
        body=msgspec.json.encode(review),
    )


def _target(
    verb: str,
    kind: Kind[KubernetesObject],
    namespace: str | None,
    name: str | None = None,
    subresource: str | None = None,
) -> Target:
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    return Target(verb, resource, kind.group, namespace if kind.namespaced else None, name)


def _selectors(label_selector: str | None, field_selector: str | None) -> dict[str, str]:
    query = {}
    if label_selector:
        query["labelSelector"] = label_selector
    if field_selector:
        query["fieldSelector"] = field_selector
    return query


def _delete_options(propagation: Propagation, grace_seconds: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": propagation,
    }
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    return options
