"""Access and identity reviews, and tokens of service accounts: answered, not stored."""

from __future__ import annotations

from typing import Any

from headway.localcluster.api.authorization import Action, Authorizer
from headway.localcluster.api.identity import Tokens, User
from headway.localcluster.objects.failures import bad_request, no_such_path
from headway.localcluster.objects.kinds import SERVICE_ACCOUNT
from headway.localcluster.objects.meta import Object, timestamp
from headway.localcluster.objects.store import Store

_TOKEN_LIFE = 3600
_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_NAMES = {
    "selfsubjectreviews": (_AUTHENTICATION, "SelfSubjectReview"),
    "selfsubjectrulesreviews": (_AUTHORIZATION, "SelfSubjectRulesReview"),
    "selfsubjectaccessreviews": (_AUTHORIZATION, "SelfSubjectAccessReview"),
    "subjectaccessreviews": (_AUTHORIZATION, "SubjectAccessReview"),
    "localsubjectaccessreviews": (_AUTHORIZATION, "LocalSubjectAccessReview"),
}


def kind_of(group: str, rest: list[str]) -> str:
    """The kind of review that a path takes; empty where the group has none.

    Raises:
        ApiError: 404, the group has no such review.
    """
    if group not in (_AUTHENTICATION, _AUTHORIZATION):
        return ""
    plural = rest[2] if len(rest) == 3 and rest[0] == "namespaces" else rest[0] if len(rest) == 1 else ""
    found = _NAMES.get(plural)
    if found is None or found[0] != group:
        raise no_such_path()
    return found[1]


def definition(group: str, kind: str) -> str:
    """The definition of a review, for clients that encode it in protobuf."""
    name = "SubjectAccessReview" if kind == "LocalSubjectAccessReview" else kind
    return f"io.k8s.api.{group.partition('.')[0]}.v1.{name}"


def review(authorizer: Authorizer, kind: str, body: Any, user: User) -> Object:
    """The answer to a review.

    Args:
        authorizer: Decides.
        kind: The kind of review.
        body: What was sent.
        user: Who asks.

    Raises:
        ApiError: 400, nothing is asked.
    """
    spec: Object = (body.get("spec") or {}) if isinstance(body, dict) else {}
    if kind == "SelfSubjectReview":
        info = {"username": user.name, "groups": list(user.groups)}
        return _answered(_AUTHENTICATION, kind, {}, {"userInfo": info})
    if kind == "SelfSubjectRulesReview":
        rules = list(authorizer.rules(user, spec.get("namespace", "")))
        status = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
        return _answered(_AUTHORIZATION, kind, spec, status)
    subject = user
    if not kind.startswith("Self"):
        subject = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        if not spec.get("nonResourceAttributes"):
            text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            raise bad_request(text)
        return _answered(_AUTHORIZATION, kind, spec, {"allowed": True})
    sub = wanted.get("subresource", "")
    action = Action(
        verb=wanted.get("verb", ""),
        group=wanted.get("group", ""),
        resource=wanted.get("resource", "") + (f"/{sub}" if sub else ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
    )
    return _answered(_AUTHORIZATION, kind, spec, {"allowed": authorizer.allowed(subject, action)})


def _answered(group: str, kind: str, spec: Object, status: Object) -> Object:
    return {
        "kind": kind,
        "apiVersion": f"{group}/v1",
        "metadata": {"creationTimestamp": None},
        "spec": spec,
        "status": status,
    }


def token_request(store: Store, tokens: Tokens, namespace: str, account: str, now: float) -> Object:
    """A token for a service account.

    Raises:
        ApiError: 404, there is no such account.
    """
    store.get(SERVICE_ACCOUNT, namespace, account)
    status = {
        "token": tokens.for_account(namespace, account),
        "expirationTimestamp": timestamp(now + _TOKEN_LIFE),
    }
    return _answered(_AUTHENTICATION, "TokenRequest", {"expirationSeconds": _TOKEN_LIFE}, status)
