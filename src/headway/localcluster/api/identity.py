"""Who calls: the one administrator's token, and tokens of service accounts derived from it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

ADMIN = "headway:admin"


@dataclass(frozen=True)
class User:
    """An authenticated caller.

    Attributes:
        name: The user name.
        groups: Its groups.
    """

    name: str
    groups: tuple[str, ...]


class Tokens:
    """Issues and checks bearer tokens.

    A service account's token is signed with the administrator's, so nothing needs to be stored.

    Args:
        secret: The administrator's token.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def for_account(self, namespace: str, account: str) -> str:
        """The token of a service account."""
        return f"sa.{namespace}.{account}.{self._signature(namespace, account)}"

    def user(self, authorization: str) -> User | None:
        """The caller behind an `Authorization` header; None if nobody known."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        if hmac.compare_digest(token.encode(), self._secret.encode()):
            return User(ADMIN, ("system:masters", "system:authenticated"))
        parts = token.split(".", 2)
        if len(parts) == 3 and parts[0] == "sa":
            namespace = parts[1]
            account, _, signature = parts[2].rpartition(".")
            if hmac.compare_digest(signature, self._signature(namespace, account)):
                groups = (
                    "system:serviceaccounts",
                    f"system:serviceaccounts:{namespace}",
                    "system:authenticated",
                )
                return User(f"system:serviceaccount:{namespace}:{account}", groups)
        return None

    def _signature(self, namespace: str, account: str) -> str:
        return hmac.new(self._secret.encode(), f"{namespace}/{account}".encode(), hashlib.sha256).hexdigest()
