"""What S3 answers, said in the words of Headway's errors."""

from headway.errors import KeyNotFoundError, StoreConfigurationError, StoreError
from headway.store.net.answers import Fault
from headway.store.net.faults import Place
from headway.store.net.retries import RETRIED_STATUS
from headway.store.s3.endpoints import ENDPOINT_VARIABLES, TRUST, S3Address

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
CLOCK_CODES = {"RequestTimeTooSkewed", "RequestExpired"}
_UNKNOWN_KEY = {"InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden"}
_PASSING = {
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}


def place_of(address: S3Address) -> Place:
    """What errors call a bucket."""
    name = f"bucket {address.bucket!r}"
    where = f"{name} at {address.endpoint or 'AWS S3, region ' + address.region}"
    return Place(name, where, address.server, f"the endpoint ({ENDPOINT_VARIABLES[2]})", TRUST[0])


def is_retried(fault: Fault) -> bool:
    """Whether the same request may well succeed a moment later."""
    return fault.status in RETRIED_STATUS or fault.code in _PASSING


def is_elsewhere(fault: Fault, region: str) -> bool:
    """Whether the bucket is in another region than the request was signed for."""
    return fault.region not in ("", region) and (
        fault.status in (301, 307, 400) or fault.code in ("PermanentRedirect", "AuthorizationHeaderMalformed")
    )


def is_expired(fault: Fault) -> bool:
    """Whether the credentials have run out."""
    return fault.code in _EXPIRED


def fault_error(fault: Fault, address: S3Address, doing: str, key: str, source: str) -> StoreError:
    """The error for an answer that retries do not mend.

    Args:
        fault: What the server said.
        address: Of the bucket.
        doing: The operation in words ("reading", "writing", "listing", "deleting").
        key: The full key in the bucket.
        source: Where the credentials came from.
    """
    where = place_of(address).where
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
