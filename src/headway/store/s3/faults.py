"""What S3 and the network answer, said in the words of Headway's errors."""

import sys
from socket import gaierror, timeout
from typing import Optional

from headway.errors import KeyNotFoundError, StoreConfigurationError, StoreError, StoreUnavailableError
from headway.store.s3.answers import Fault
from headway.store.s3.endpoints import ENDPOINT_VARIABLES, S3Address

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
CLOCK_CODES = {"RequestTimeTooSkewed", "RequestExpired"}
_UNKNOWN_KEY = {"InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden"}


def is_elsewhere(fault: Fault, region: str) -> bool:
    """Whether the bucket is in another region than the request was signed for."""
    return fault.region not in ("", region) and (
        fault.status in (301, 307, 400) or fault.code in ("PermanentRedirect", "AuthorizationHeaderMalformed")
    )


def is_expired(fault: Fault) -> bool:
    """Whether the credentials have run out."""
    return fault.code in _EXPIRED


def is_hopeless(cause: Exception) -> bool:
    """Whether another try cannot end otherwise."""
    return _distrust(cause) is not None


def _distrust(cause: Exception) -> Optional[str]:
    """Why a certificate is not trusted, None where something else is the matter."""
    # Where ssl was never loaded, no certificate was looked at.
    ssl = sys.modules.get("ssl")
    if ssl is None or not isinstance(cause, ssl.SSLCertVerificationError):
        return None
    return str(cause.verify_message)


def fault_error(fault: Fault, address: S3Address, doing: str, key: str, source: str) -> StoreError:
    """The error for an answer that retries do not mend; it carries the answer's status and code.

    Args:
        fault: What the server said.
        address: Of the bucket.
        doing: The operation in words ("reading", "writing", "listing", "deleting").
        key: The full key in the bucket.
        source: Where the credentials came from.
    """
    error = _in_words(fault, address, doing, key, source)
    error.status, error.code = fault.status, fault.code
    return error


def _in_words(fault: Fault, address: S3Address, doing: str, key: str, source: str) -> StoreError:
    where = f"bucket {address.bucket!r} at {address.endpoint or 'AWS S3, region ' + address.region}"
    said = f"{fault.code or 'status ' + str(fault.status)}{': ' + fault.message if fault.message else ''}"
    if fault.code == "NoSuchBucket":
        return StoreConfigurationError(
            f"there is no {where}",
            f"Create it, or name another one; if it is elsewhere, set {ENDPOINT_VARIABLES[2]} or AWS_REGION.",
        )
    if fault.foreign and 400 <= fault.status < 500:
        return StoreConfigurationError(
            f"{where}: what answers there is no S3 server (status {fault.status} while {doing} {key or 'objects'})",
            f"Check the endpoint ({ENDPOINT_VARIABLES[2]}) and HTTP_PROXY, HTTPS_PROXY, NO_PROXY.",
        )
    if fault.code == "NoSuchKey" or (fault.status == 404 and not fault.code):
        return KeyNotFoundError(f"there is no {key} in {where}")
    if is_expired(fault):
        return StoreConfigurationError(
            f"the credentials for {where} have expired (from {source})",
            "Sign in again, or renew the session token, then start again.",
        )
    if fault.code in _UNKNOWN_KEY:
        return StoreConfigurationError(
            f"{where} does not know these credentials (from {source})",
            "Check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN and AWS_PROFILE; they must belong to this endpoint.",
        )
    if fault.code in CLOCK_CODES:
        return StoreConfigurationError(
            f"{where} refuses the request: the clock of this machine is wrong", "Set its time."
        )
    if fault.code == "SignatureDoesNotMatch":
        return StoreConfigurationError(
            f"{where} refuses the signature: the secret key does not fit (from {source})",
            "Check AWS_SECRET_ACCESS_KEY; behind a proxy that rewrites requests, check the endpoint too.",
        )
    if fault.code in _DENIED or fault.status in (401, 403):
        return StoreConfigurationError(
            f"{doing} {key or 'objects'} in {where} is not allowed (credentials from {source}; {said})",
            "The identity needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there.",
        )
    if fault.status == 501 or fault.code == "NotImplemented":
        return StoreConfigurationError(
            f"{where} cannot do what {doing} {key} needs ({said})",
            "Conditional writes are needed: recent AWS S3, MinIO, Ceph, SeaweedFS and R2 have them.",
        )
    if fault.status in (301, 307, 400) and fault.region:
        return StoreConfigurationError(
            f"{where} is in another region: {fault.region}", f"Set AWS_REGION={fault.region}."
        )
    return StoreError(f"{doing} {key} in {where} failed: {said}")


def outage_error(said: str, address: S3Address, doing: str, key: str, tries: int) -> StoreUnavailableError:
    """The error for a server that answers, but only with failures."""
    where = f"bucket {address.bucket!r} at {address.endpoint or 'AWS S3, region ' + address.region}"
    return StoreUnavailableError(
        f"{doing} {key or 'objects'} in {where} still failed after {tries} tries: {said}",
        "The store is busy or broken; try again later.",
    )


def connection_error(
    cause: Exception, address: S3Address, proxy: Optional[str], contact: bool, tries: int
) -> StoreError:
    """The error for a server that does not answer.

    Args:
        cause: Of the last try.
        address: Of the bucket.
        proxy: The proxy in between, if any.
        contact: Whether the store answered before; then its address is not to blame.
        tries: How many were made.
    """
    server = address.server
    via = f" through the proxy {proxy}" if proxy else ""
    where = f"bucket {address.bucket!r}: {server.url}{via}"
    distrust = _distrust(cause)
    if distrust is not None:
        return StoreConfigurationError(
            f"the certificate of {server.host} ({where}) is not trusted: {distrust}",
            "For a private certificate authority, set AWS_CA_BUNDLE to its PEM file.",
        )
    if isinstance(cause, gaierror):
        reason = f"the name {proxy or server.host} cannot be resolved"
    elif isinstance(cause, ConnectionRefusedError):
        reason = "the connection is refused, nothing listens there"
    elif isinstance(cause, timeout):  # before Python 3.10 this is not TimeoutError
        reason = "it does not answer in time"
    else:
        reason = str(cause) or type(cause).__name__
    message = f"cannot reach {where}: {reason} ({tries} tries)"
    if contact:
        return StoreUnavailableError(message, "It answered before; check the network and try again.")
    return StoreUnavailableError(
        message,
        f"Check the endpoint ({ENDPOINT_VARIABLES[2]}), the network and HTTP_PROXY, HTTPS_PROXY, NO_PROXY.",
    )
