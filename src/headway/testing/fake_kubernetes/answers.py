"""What the fake server answers to everything but watches and logs."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from headway.testing.fake_kubernetes.patches import edited, merged
from headway.testing.fake_kubernetes.routes import Route, is_namespaced, kind_of
from headway.testing.fake_kubernetes.selectors import matches
from headway.testing.fake_kubernetes.state import ClusterState, Manifest

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class Refusal(Exception):  # noqa: N818 - what a server does, not a failure of the fake
    """An answer of 400 or more.

    Args:
        code: The HTTP status.
        reason: Kubernetes' reason.
        message: The message.
        details: The Status object's details.
    """

    def __init__(self, code: int, reason: str, message: str, details: Manifest | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def body(self) -> Manifest:
        """Return the Status object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "details": self.details,
        }


class Answers:
    """Carries out requests on the state.

    Args:
        state: The cluster.

    Attributes:
        denied: (verb, resource) pairs that RBAC does not allow; "*" stands for any.
    """

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self.denied: set[tuple[str, str]] = set()

    def allowed(self, verb: str, resource: str) -> bool:
        """Tell whether RBAC allows a verb on a resource."""
        return not self.denied & {(verb, resource), ("*", resource), (verb, "*")}

    def authorize(self, route: Route) -> None:
        """Refuse what RBAC does not allow."""
        resource = f"{route.resource}/{route.subresource}" if route.subresource else route.resource
        if self.allowed(route.verb, resource):
            return
        where = f' in the namespace "{route.namespace}"' if route.namespace else " at the cluster scope"
        subject = f'{resource} "{route.name}"' if route.name else resource
        raise Refusal(
            403,
            "Forbidden",
            f'{subject} is forbidden: User "tester" cannot {route.verb} resource "{resource}" '
            f'in API group "{route.group}"{where}',
            {"name": route.name, "group": route.group, "kind": route.resource},
        )

    def answer(self, route: Route, query: Mapping[str, str], body: Any) -> tuple[int, Manifest]:
        """Carry out a request.

        Args:
            route: What it is about.
            query: The URL's query.
            body: The decoded body, None if there was none.

        Returns:
            The HTTP status and the body.

        Raises:
            Refusal: If the answer is 400 or more.
        """
        if route.resource == "selfsubjectaccessreviews":
            return 201, self._review(body)
        dry = query.get("dryRun") == "All"
        if route.verb == "create":
            return 201, self._create(route, body, dry)
        if route.verb == "list":
            return 200, self._list(route, query)
        if route.verb == "deletecollection":
            for obj in list(self._state.all(route.resource, route.namespace)):
                if matches(obj, query.get("labelSelector"), query.get("fieldSelector")):
                    self._delete(route._replace(name=obj["metadata"]["name"]), body)
            return 200, {"kind": "Status", "status": "Success"}
        known = self._state.get(route.resource, route.namespace, route.name) is not None
        if route.verb == "patch" and "fieldManager" in query and not known:
            return 201, self._create(route, body, dry)
        found = self._found(route)
        if route.verb == "get":
            return 200, found
        if route.verb == "patch":
            return 200, self._patch(route, found, body, dry)
        if route.verb == "delete":
            return 200, self._delete(route, body)
        raise Refusal(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )

    def _found(self, route: Route) -> Manifest:
        found = self._state.get(route.resource, route.namespace, route.name)
        if found is None:
            raise Refusal(
                404,
                "NotFound",
                f'{route.resource} "{route.name}" not found',
                {"name": route.name, "group": route.group, "kind": route.resource},
            )
        return found

    def _create(self, route: Route, body: Manifest, dry: bool) -> Manifest:
        body = {"apiVersion": "v1", "kind": kind_of(route), **body}
        if is_namespaced(route) and self._state.get("namespaces", "", route.namespace) is None:
            raise Refusal(
                404,
                "NotFound",
                f'namespaces "{route.namespace}" not found',
                {"name": route.namespace, "kind": "namespaces"},
            )
        obj = self._state.completed(route.resource, route.namespace, body)
        name = obj["metadata"].get("name", "")
        details = {"name": name, "group": route.group, "kind": route.resource}
        if not _NAME.fullmatch(name) or len(name) > 253:
            message = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of …'
            causes = [{"reason": "FieldValueInvalid", "message": message, "field": "metadata.name"}]
            raise Refusal(
                422,
                "Invalid",
                f'{kind_of(route)} "{name}" is invalid: metadata.name: {message}',
                {**details, "causes": causes},
            )
        if self._state.get(route.resource, route.namespace, name) is not None:
            raise Refusal(409, "AlreadyExists", f'{route.resource} "{name}" already exists', details)
        return obj if dry else self._state.add(route.resource, route.namespace, body)

    def _list(self, route: Route, query: Mapping[str, str]) -> Manifest:
        """Answer a list, in pages where a limit is given; pages show the present, not their version."""
        found = [
            obj
            for obj in self._state.all(route.resource, route.namespace or None)
            if matches(obj, query.get("labelSelector"), query.get("fieldSelector"))
        ]
        version, start = self._state.version, 0
        if "continue" in query:
            version, start = json.loads(base64.b64decode(query["continue"]))
            if version < self._state.forgotten:
                raise Refusal(410, "Expired", "The provided continue parameter is too old")
        limit = int(query.get("limit", 0)) or len(found)
        meta: Manifest = {"resourceVersion": str(version)}
        if start + limit < len(found):
            meta["continue"] = base64.b64encode(json.dumps([version, start + limit]).encode()).decode()
        return {
            "kind": f"{kind_of(route)}List",
            "apiVersion": "v1",
            "metadata": meta,
            "items": found[start : start + limit],
        }

    def _patch(self, route: Route, found: Manifest, body: Any, dry: bool) -> Manifest:
        try:
            changed = edited(found, body) if isinstance(body, list) else merged(found, body)
        except (LookupError, ValueError) as error:
            raise Refusal(422, "Invalid", f"the patch cannot be applied: {error}") from error
        for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp"):
            if field in found["metadata"]:
                changed["metadata"][field] = found["metadata"][field]
        return changed if dry else self._state.update(route.resource, changed)

    def _delete(self, route: Route, body: Manifest | None) -> Manifest:
        found = self._found(route)
        options = body or {}
        wanted = options.get("preconditions", {}).get("uid")
        if wanted is not None and wanted != found["metadata"]["uid"]:
            raise Refusal(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {route.resource} "{route.name}": the UID in the '
                f"precondition ({wanted}) does not match the UID in record ({found['metadata']['uid']})",
                {"name": route.name, "group": route.group, "kind": route.resource},
            )
        orphan = options.get("propagationPolicy") == "Orphan"
        self._state.remove(route.resource, route.namespace, route.name, orphan=orphan)
        return found

    def _review(self, body: Manifest) -> Manifest:
        wanted = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource", ""))))
        return {**body, "status": {"allowed": self.allowed(wanted["verb"], resource)}}
