"""AWS Signature Version 4, as a pure function of the request, the credentials and the time."""

import time
from typing import Mapping, NamedTuple, Optional

from headway.store.addresses import quote
from headway.store.digest import hmac_sha256, sha256_of
from headway.store.net.session import Query

#: sha256 of nothing.
EMPTY_PAYLOAD = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#: Instead of the payload's hash, where TLS protects the payload already.
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """A key pair, with the session token and the end of life (seconds since the epoch) of temporary ones."""

    access_key: str
    secret_key: str
    token: Optional[str] = None
    expires: Optional[float] = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key[:4]}…)"


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


def encode_path(path: str) -> str:
    """The path as it goes over the wire and into the signature."""
    return quote(path, b"/")


def encode_query(query: Query) -> str:
    """The query as it goes over the wire and into the signature: sorted, every reserved character encoded."""
    pairs = sorted((quote(name), quote(value)) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def timestamp(now: float) -> str:
    """The time the way the protocol writes it: ``20130524T000000Z``."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def authorization(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload: str,
    credentials: Credentials,
    scope: Scope,
) -> str:
    """The value of the Authorization header.

    Args:
        method: The HTTP method.
        path: The encoded path.
        query: The encoded query, see :func:`encode_query`.
        headers: Every header to sign, by lower-case name: ``host`` and ``x-amz-date`` at least.
        payload: The payload's sha256 in hex, or :data:`UNSIGNED_PAYLOAD`.
        credentials: Who signs; a session token has to be among the headers.
        scope: For which region and service.
    """
    when = headers["x-amz-date"]
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{signed}\n{payload}"
    reach = f"{when[:8]}/{scope.region}/{scope.service}/aws4_request"
    digest = sha256_of(canonical.encode())
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (when[:8], scope.region, scope.service, "aws4_request"):
        key = hmac_sha256(key, part.encode())
    signature = hmac_sha256(key, f"{_ALGORITHM}\n{when}\n{reach}\n{digest}".encode()).hex()
    identity = f"{credentials.access_key}/{reach}"
    return f"{_ALGORITHM} Credential={identity}, SignedHeaders={signed}, Signature={signature}"
