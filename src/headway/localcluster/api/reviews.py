"""Access and identity reviews, and tokens of service accounts: answered, not stored."""

from __future__ import annotations

from typing import Any

from headway.localcluster.api.identity import Tokens, User
from headway.localcluster.objects.failures import bad_request, no_such_path
from headway.localcluster.objects.kinds import SERVICE_ACCOUNT
from headway.localcluster.objects.meta import Object, timestamp
from headway.localcluster.objects.store import Store

_TOKEN_LIFE = 3600
_EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_EVERY_PATH = {"verbs": ["*"], "nonResourceURLs": ["*"]}


def review(group: str, rest: list[str], body: Any, user: User) -> Object | None:
    """The answer to a review; None if the path is not one.

    Whoever has a token may do everything here: roles are stored, but not enforced.
    """
    plural = rest[2] if len(rest) == 3 and rest[0] == "namespaces" else rest[0] if len(rest) == 1 else ""
    if group == "authentication.k8s.io":
        if plural != "selfsubjectreviews":
            raise no_such_path()
        info = {"username": user.name, "groups": list(user.groups)}
        return _answered("authentication.k8s.io/v1", "SelfSubjectReview", {}, {"userInfo": info})
    if group != "authorization.k8s.io":
        return None
    spec = body.get("spec", {}) if isinstance(body, dict) else {}
    empty = (
        isinstance(body, dict)
        and not spec.get("resourceAttributes")
        and not spec.get("nonResourceAttributes")
    )
    if plural == "selfsubjectrulesreviews":
        rules = {
            "resourceRules": [_EVERYTHING],
            "nonResourceRules": [_EVERY_PATH],
            "incomplete": False,
        }
        return _answered("authorization.k8s.io/v1", "SelfSubjectRulesReview", spec, rules)
    names = {
        "selfsubjectaccessreviews": "SelfSubjectAccessReview",
        "subjectaccessreviews": "SubjectAccessReview",
        "localsubjectaccessreviews": "LocalSubjectAccessReview",
    }
    if plural not in names:
        raise no_such_path()
    if empty:
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    return _answered("authorization.k8s.io/v1", names[plural], spec, {"allowed": True})


def _answered(version: str, kind: str, spec: Object, status: Object) -> Object:
    return {
        "kind": kind,
        "apiVersion": version,
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
    return _answered("authentication.k8s.io/v1", "TokenRequest", {"expirationSeconds": _TOKEN_LIFE}, status)
