"""What the server's answers become: types that decide, words that help, and nothing that is secret."""

import json
from typing import Any

import pytest

from headway.errors import ClusterConfigurationError, HeadwayError
from headway.executors.kubernetes.api.diagnosis import error_from_answer
from headway.executors.kubernetes.api.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    QuotaExceeded,
    ServerError,
    Target,
    TooManyRequests,
    Unauthorized,
)

JOBS = Target("create", "jobs", "batch", "team", "train")


def answered(status: int, message: str = "m", target: Target = JOBS, **fields: Any) -> ApiError:
    body = {"kind": "Status", "code": status, "message": message, **fields}
    return error_from_answer(
        status, json.dumps(body).encode(), target, server="https://api", source="context x in y"
    )


@pytest.mark.parametrize(
    ("status", "reason", "type_", "exit_code", "transient"),
    [
        (400, "BadRequest", ApiError, 1, False),
        (401, "Unauthorized", Unauthorized, 2, False),
        (403, "Forbidden", Forbidden, 2, False),
        (404, "NotFound", NotFound, 1, False),
        (409, "AlreadyExists", AlreadyExists, 1, False),
        (409, "Conflict", Conflict, 1, False),
        (410, "Expired", Gone, 1, False),
        (410, "Gone", Gone, 1, False),
        (422, "Invalid", Invalid, 1, False),
        (429, "TooManyRequests", TooManyRequests, 1, True),
        (500, "InternalError", ServerError, 1, True),
        (503, "ServiceUnavailable", ServerError, 1, True),
        (504, "Timeout", ServerError, 1, True),
    ],
)
def test_types(status: int, reason: str, type_: type[ApiError], exit_code: int, transient: bool) -> None:
    error = answered(status, reason=reason)
    assert type(error) is type_
    assert isinstance(error, HeadwayError)
    assert (error.status, error.reason, error.target) == (status, reason, JOBS)
    assert (error.exit_code, error.transient) == (exit_code, transient)
    assert isinstance(error, ClusterConfigurationError) == (exit_code == 2)
    assert str(error).startswith(error.message)


def forbidden(user: str, where: str = ' in the namespace "team"', group: str = "batch") -> Forbidden:
    message = (
        f'jobs.batch is forbidden: User "{user}" cannot create resource "jobs" in API group "{group}"{where}'
    )
    error = answered(403, message, reason="Forbidden")
    assert isinstance(error, Forbidden)
    return error


def test_a_missing_permission_of_a_person() -> None:
    error = forbidden("jane")
    assert error.user == "jane"
    assert error.message.startswith('Kubernetes user "jane" may not create jobs.batch in namespace team')
    assert error.hint == (
        'Missing is a Role with the rule {apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}. '
        "Somebody who may grant it can type:\n"
        "  kubectl create role headway-create --verb=create --resource=jobs.batch -n team\n"
        "  kubectl create rolebinding headway-create --role=headway-create --user=jane -n team"
    )


def test_a_missing_permission_of_a_service_account_and_of_the_cluster() -> None:
    hint = forbidden("system:serviceaccount:team:runner", " at the cluster scope", "").hint or ""
    assert "a ClusterRole with the rule" in hint
    assert "kubectl create clusterrole headway-create --verb=create --resource=jobs\n" in hint
    assert (
        "clusterrolebinding headway-create --clusterrole=headway-create --serviceaccount=team:runner" in hint
    )
    assert " -n " not in hint


@pytest.mark.parametrize(
    ("message", "type_", "words"),
    [
        (
            'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5',
            QuotaExceeded,
            "kubectl describe resourcequota",
        ),
        ('pods "p" is forbidden: failed quota: q: must specify limits.cpu for: main', Forbidden, "set them"),
        ('pods "p" is forbidden: violates PodSecurity "restricted:latest": …', Forbidden, "security context"),
        ('pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2', Forbidden, ""),
    ],
)
def test_what_admission_refuses_is_no_missing_permission(
    message: str, type_: type[ApiError], words: str
) -> None:
    error = answered(403, message, reason="Forbidden")
    assert type(error) is type_
    assert message in error.message
    assert words in (error.hint or "")
    assert "Role" not in str(error)


def test_quota_may_free_up() -> None:
    assert answered(403, "exceeded quota: q").transient


def test_a_namespace_that_is_going_away() -> None:
    causes = [{"reason": "NamespaceTerminating", "message": "…", "field": "metadata.namespace"}]
    error = answered(403, "unable to create new content", details={"causes": causes})
    assert "namespace team is being deleted" in (error.hint or "")


def test_invalid_objects_list_their_fields_once() -> None:
    pattern = " (e.g. 'my-name',  or '123-abc', regex used for validation is '([a-z]([-a-z0-9]*[a-z0-9])?)')"
    cause = {
        "reason": "FieldValueInvalid",
        "field": "spec.name",
        "message": f'Invalid value: "A": lower case{pattern}',
    }
    error = answered(422, "…", reason="Invalid", details={"causes": [cause, cause]})
    assert error.message.endswith('the object is not valid:\n  spec.name: Invalid value: "A": lower case')


SECRET_TEMPLATE = {"spec": {"containers": [{"env": [{"name": "KEY", "value": "hidden: and: more"}]}]}}


@pytest.mark.parametrize(
    "value", [json.dumps(SECRET_TEMPLATE), 'core.PodTemplateSpec{Env:[]core.EnvVar{Value:"hidden"}}']
)
def test_immutable_structures_are_not_quoted(value: str) -> None:
    cause = {"field": "spec.template", "message": f"Invalid value: {value}: field is immutable"}
    error = answered(
        422, f"Job is invalid: Invalid value: {value}: no", reason="Invalid", details={"causes": [cause]}
    )
    assert "hidden" not in str(error)
    assert "spec.template: Invalid value: …: field is immutable" in error.message
    assert "hidden" not in str(answered(422, f"Invalid value: {value}: field is immutable", reason="Invalid"))


@pytest.mark.parametrize(
    "message",
    [
        "Object 'Kind' is missing in '{\"data\": \"hidden\"}'",
        "error decoding from json: hidden",
        'unable to parse "hidden"',
        "x" * 100_000,
    ],
)
def test_what_was_sent_is_not_quoted(message: str) -> None:
    error = answered(400, message, reason="BadRequest")
    assert "hidden" not in str(error)
    assert len(str(error)) < 3000


def test_secrets_are_spoken_of_by_field_only() -> None:
    target = Target("create", "secrets", "", "team", "s")
    causes = [{"reason": "FieldValueInvalid", "field": "data[k]", "message": 'Invalid value: "hidden"'}]
    error = answered(422, "data: hidden", target, reason="Invalid", details={"causes": causes})
    assert "hidden" not in str(error)
    assert "data[k] (FieldValueInvalid)" in error.message
    assert "hidden" not in str(answered(400, "illegal base64: hidden", target, reason="BadRequest"))


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (302, ApiError),
        (401, Unauthorized),
        (403, Forbidden),
        (404, ApiError),
        (429, TooManyRequests),
        (502, ServerError),
    ],
)
def test_answers_of_something_else(status: int, type_: type[ApiError]) -> None:
    error = error_from_answer(
        status, b"<html>hidden</html>", JOBS, server="https://api", source="context x in y", retry_after=3.0
    )
    assert type(error) is type_
    assert "https://api" in error.message
    assert "hidden" not in str(error)
    assert error.hint
    assert error.retry_after == 3.0


def test_the_wait_may_be_in_the_body() -> None:
    assert answered(429, details={"retryAfterSeconds": 9}).retry_after == 9.0
