"""Turn what the server answered into an error that says why, and what to do about it."""

import re

import msgspec

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
from headway.executors.kubernetes.api.types import Status, StatusDetails

_LONGEST = 2000
_DENIED = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group '
    r'"(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]*)")?'
)
# Where decoding fails the server quotes the whole object that it was sent.
_QUOTES_BODY = re.compile(
    r"(Object '\w+' is missing in|unable to parse|error decoding|couldn't get version/kind).*", re.DOTALL
)
# "Invalid value: {…}: field is immutable", in JSON or, from older servers, in Go's syntax.
_STRUCTURE = re.compile(r'(Invalid value: )(?!")[^\s"]*\{.*\}: (.*)', re.DOTALL)
_PATTERN = re.compile(r" \(e\.g\. [^)]*regex used for validation is '.*'\)")
_VERDICTS = {NotFound: "could not", ServerError: "failed to", TooManyRequests: "has no time to"}

_status = msgspec.json.Decoder(Status)


def error_from_answer(
    status: int, body: bytes, target: Target, *, server: str, source: str, retry_after: float | None = None
) -> ApiError:
    """Make the error for an answer of 400 or more.

    Args:
        status: The HTTP status.
        body: The answer's body, a Status object if it comes from an API server.
        target: What was asked for.
        server: The server's URL.
        source: Where the access to it was configured.
        retry_after: The answer's Retry-After, in seconds.
    """
    try:
        answer = _status.decode(body)
    except msgspec.MsgspecError:
        answer = Status()
    if answer.kind != "Status":
        return _not_kubernetes(status, target, server, source, retry_after)
    return error_from_status(answer, target, source=source, status=status, retry_after=retry_after)


def error_from_status(
    answer: Status,
    target: Target,
    *,
    source: str,
    status: int | None = None,
    retry_after: float | None = None,
) -> ApiError:
    """Make the error for a Status object, from an answer or from a watch.

    Args:
        answer: What the server sent.
        target: What was asked for.
        source: Where the access to the server was configured.
        status: The HTTP status, if it came as an answer.
        retry_after: The answer's Retry-After, in seconds.
    """
    status = status or answer.code
    details = answer.details or StatusDetails()
    said = _harmless(answer, target)
    if retry_after is None and details.retry_after_seconds:
        retry_after = float(details.retry_after_seconds)
    if status == 403 and (denied := _DENIED.search(answer.message)):
        error: ApiError = _denied(denied, target)
    elif status == 401:
        error = _unauthorized("Kubernetes", target, source)
    else:
        kind, hint = _kind_and_hint(status, answer.reason, said, details, target)
        error = kind(f"Kubernetes {_VERDICTS.get(kind, 'refused to')} {target}: {said}", hint)
    error.status, error.reason, error.details = status, answer.reason, answer.details
    error.target, error.retry_after = target, retry_after
    return error


def _kind_and_hint(
    status: int, reason: str, said: str, details: StatusDetails, target: Target
) -> tuple[type[ApiError], str | None]:
    if status == 403:
        return _forbidden(said, details, target)
    if status == 404:
        if details.kind == "namespaces" and target.resource != "namespaces":
            return NotFound, f"Create it with `kubectl create namespace {details.name}`, or name another one."
        return NotFound, None
    if status == 409:
        return (AlreadyExists if reason == "AlreadyExists" else Conflict), None
    if status == 410:
        return Gone, None
    if status == 422:
        return Invalid, "Correct the fields named above."
    if status == 429:
        return TooManyRequests, "The server sheds load: start fewer things at once, or try again later."
    if status >= 500:
        return ServerError, "This is trouble of the cluster, not of the flow; try again later."
    return ApiError, None


def _forbidden(said: str, details: StatusDetails, target: Target) -> tuple[type[ApiError], str | None]:
    """Requests that RBAC allows and an admission check refuses."""
    if "exceeded quota" in said:
        return QuotaExceeded, "`kubectl describe resourcequota` shows what is used; wait, or ask for more."
    if "failed quota" in said:
        return Forbidden, "The namespace's quota wants each pod to say these values; set them on the step."
    if "violates PodSecurity" in said:
        return Forbidden, "The namespace admits restricted pods only; adapt the step's security context."
    if any(cause.reason == "NamespaceTerminating" for cause in details.causes):
        return Forbidden, f"The namespace {target.namespace} is being deleted; name another one."
    return Forbidden, None


def _unauthorized(who: str, target: Target, source: str) -> Unauthorized:
    return Unauthorized(
        f"{who} does not accept the credentials of {source} (401 while trying to {target}).",
        "Log in to the cluster again; `kubectl auth whoami` shows whether that worked.",
    )


def _denied(denied: re.Match[str], target: Target) -> Forbidden:
    user, verb, resource, group, namespace = denied.groups()
    scope = f"namespace {namespace}" if namespace else "the whole cluster"
    role, ns = ("role", f" -n {namespace}") if namespace else ("clusterrole", "")
    qualified = f"{resource}.{group}" if group else resource
    account = re.fullmatch(r"system:serviceaccount:([^:]+):(.+)", user)
    subject = f"--serviceaccount={account[1]}:{account[2]}" if account else f"--user={user}"
    error = Forbidden(
        f'Kubernetes user "{user}" may not {verb} {qualified} in {scope} (needed to {target}).',
        f"Missing is a {'Role' if namespace else 'ClusterRole'} with the rule "
        f'{{apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]}}. '
        "Somebody who may grant it can type:\n"
        f"  kubectl create {role} headway-{verb} --verb={verb} --resource={_flag(resource, group)}{ns}\n"
        f"  kubectl create {role}binding headway-{verb} --{role}=headway-{verb} {subject}{ns}",
    )
    error.user = user
    return error


def _flag(resource: str, group: str) -> str:
    """A resource as kubectl's --resource wants it: "jobs.batch/status"."""
    plural, slash, subresource = resource.partition("/")
    return f"{plural}.{group}{slash}{subresource}" if group else resource


def _harmless(answer: Status, target: Target) -> str:
    """The server's message without what it may quote of the object sent."""
    causes = answer.details.causes if answer.details else ()
    if target.resource == "secrets" and answer.reason in ("Invalid", "BadRequest"):
        fields = ", ".join(f"{cause.field} ({cause.reason})" for cause in causes)
        return f"{answer.reason}: {fields or 'the secret is not well formed'}"
    if answer.reason == "Invalid" and causes:
        # The same complaint may come once for each place that the value was copied to.
        listed = dict.fromkeys(f"\n  {cause.field}: {_without_value(cause.message)}" for cause in causes)
        return f"the object is not valid:{''.join(listed)}"[:_LONGEST]
    message = _QUOTES_BODY.sub(r"\1 the object sent", answer.message)
    return (_without_value(message) or answer.reason or f"status {answer.code}")[:_LONGEST]


def _without_value(message: str) -> str:
    """Keep short values, drop whole structures: an immutable pod template is quoted with its environment."""
    return _STRUCTURE.sub(r"\1…: \2", _PATTERN.sub("", message))


def _not_kubernetes(
    status: int, target: Target, server: str, source: str, retry_after: float | None
) -> ApiError:
    """An answer that no API server gives: a proxy's, a load balancer's, a login page."""
    if status == 401:
        error: ApiError = _unauthorized(server, target, source)
    elif status == 429:
        error = TooManyRequests(f"{server} sheds load (429 while trying to {target}).", "Try again later.")
    elif status >= 500:
        error = ServerError(
            f"{server} answered {status} while trying to {target}, and not as an API server does.",
            "A load balancer or proxy in front of the cluster may be in trouble; try again later.",
        )
    elif status == 403:
        error = Forbidden(
            f"{server} answered 403 while trying to {target}, and not as an API server does.",
            f"A proxy may stand between; check the address in {source}, HTTPS_PROXY and NO_PROXY.",
        )
    else:
        error = ApiError(
            f"{server} answered {status} while trying to {target}, and not as an API server does.",
            f"Check the server's address in {source}.",
        )
    error.status, error.target, error.retry_after = status, target, retry_after
    return error
