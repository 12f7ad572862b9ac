"""Refusals of the API, in the shapes and words that Kubernetes gives them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class ApiError(Exception):
    """A request that the API refuses; it becomes a `Status` object on the wire.

    Args:
        code: The HTTP status.
        reason: Kubernetes' machine-readable reason, such as `NotFound`.
        message: What a person reads.
        details: The `details` of the `Status`, if any.
        retry_after: Seconds for the `Retry-After` header, if the caller should wait.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after

    def status(self) -> dict[str, Any]:
        """The `Status` object that goes over the wire."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        details = dict(self.details)
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        if details:
            body["details"] = details
        return body


@dataclass(frozen=True)
class Cause:
    """One field that a validation refused.

    Attributes:
        field: The path, such as `spec.containers[0].name`.
        reason: `FieldValueRequired`, `FieldValueInvalid`, …
        message: The words after the path.
    """

    field: str
    reason: str
    message: str


def required(field: str, detail: str = "") -> Cause:
    """A field that is missing."""
    return Cause(field, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: object, detail: str) -> Cause:
    """A value that cannot be accepted."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {detail}")


def unsupported(field: str, value: object, supported: Iterable[str]) -> Cause:
    """A value outside an enumeration."""
    names = ", ".join(json.dumps(name) for name in sorted(supported))
    return Cause(
        field, "FieldValueNotSupported", f"Unsupported value: {json.dumps(value)}: supported values: {names}"
    )


def forbidden_field(field: str, detail: str) -> Cause:
    """A field that may not be set or changed here."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {detail}")


def duplicate(field: str, value: object) -> Cause:
    """A value that must be unique and is not."""
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {json.dumps(value)}")


def not_found_cause(field: str, value: object) -> Cause:
    """A reference inside the object to something that the object does not have."""
    return Cause(field, "FieldValueNotFound", f"Not found: {json.dumps(value)}")


def unprocessable(group: str, kind: str, name: str, causes: list[Cause]) -> ApiError:
    """422 with one cause per field, as validation returns it."""
    qualified = f"{kind}.{group}" if group else kind
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    summary = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {summary}', _pruned(details))


def not_found(group: str, plural: str, name: str) -> ApiError:
    """404 for an object."""
    return ApiError(
        404, "NotFound", f'{_resource(group, plural)} "{name}" not found', _details(group, plural, name)
    )


def no_such_path() -> ApiError:
    """404 for a path or resource that this server does not have."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(group: str, plural: str, name: str) -> ApiError:
    """409 for a name that is taken."""
    message = f'{_resource(group, plural)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    """409 for a write that another write overtook."""
    message = f'Operation cannot be fulfilled on {_resource(group, plural)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(group, plural, name))


def forbidden(group: str, plural: str, name: str, why: str) -> ApiError:
    """403 for something that policy refuses."""
    return ApiError(
        403,
        "Forbidden",
        f'{_resource(group, plural)} "{name}" is forbidden: {why}',
        _details(group, plural, name),
    )


def bad_request(message: str) -> ApiError:
    """400 for a request that cannot be read."""
    return ApiError(400, "BadRequest", message)


def expired(requested: int, oldest: int) -> ApiError:
    """410 for a resource version that fell out of the history."""
    return ApiError(410, "Expired", f"too old resource version: {requested} ({oldest})")


def _resource(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def _details(group: str, plural: str, name: str) -> dict[str, Any]:
    return _pruned({"name": name, "group": group, "kind": plural})


def _pruned(details: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in details.items() if value not in ("", None)}
