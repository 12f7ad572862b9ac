"""What the network answers, said in the words of Headway's errors."""

import sys
from socket import gaierror, timeout
from typing import NamedTuple, Optional

from headway.errors import StoreConfigurationError, StoreError, StoreUnavailableError
from headway.store.net.answers import Fault
from headway.store.net.endpoints import Endpoint


class Place(NamedTuple):
    """A store as its errors name it.

    Attributes:
        name: Bucket or container: ``bucket 'runs'``.
        where: The same, and whose it is: ``bucket 'runs' at AWS S3, region eu-west-1``.
        server: What is connected to.
        check: What may be set wrong, with its variable: ``the endpoint (AWS_ENDPOINT_URL_S3)``.
        trust: The variable that names the file of certificate authorities.
    """

    name: str
    where: str
    server: Endpoint
    check: str
    trust: str


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


def with_answer(error: StoreError, fault: Fault) -> StoreError:
    """The error, with the status and the code of the answer that it is about."""
    error.status, error.code = fault.status, fault.code
    return error


def outage_error(said: str, place: Place, doing: str, key: str, tries: int) -> StoreUnavailableError:
    """The error for a server that answers, but only with failures."""
    return StoreUnavailableError(
        f"{doing} {key or 'objects'} in {place.where} still failed after {_times(tries)}: {said}",
        "The store is busy or broken; try again later.",
    )


def _times(tries: int) -> str:
    return "1 try" if tries == 1 else f"{tries} tries"


def connection_error(
    cause: Exception, place: Place, proxy: Optional[str], contact: bool, tries: int
) -> StoreError:
    """The error for a server that does not answer.

    Args:
        cause: Of the last try.
        place: What is not reached.
        proxy: The proxy in between, if any.
        contact: Whether the store answered before; then its address is not to blame.
        tries: How many were made.
    """
    server = place.server
    via = f" through the proxy {proxy}" if proxy else ""
    where = f"{place.name}: {server.url}{via}"
    distrust = _distrust(cause)
    if distrust is not None:
        return StoreConfigurationError(
            f"the certificate of {server.host} ({where}) is not trusted: {distrust}",
            f"For a private certificate authority, set {place.trust} to its PEM file.",
        )
    if isinstance(cause, gaierror):
        reason = f"the name {proxy or server.host} cannot be resolved"
    elif isinstance(cause, ConnectionRefusedError):
        reason = "the connection is refused, nothing listens there"
    elif isinstance(cause, timeout):  # before Python 3.10 this is not TimeoutError
        reason = "it does not answer in time"
    else:
        reason = str(cause) or type(cause).__name__
    message = f"cannot reach {where}: {reason} ({_times(tries)})"
    if contact:
        return StoreUnavailableError(message, "It answered before; check the network and try again.")
    return StoreUnavailableError(
        message, f"Check {place.check}, the network and HTTP_PROXY, HTTPS_PROXY, NO_PROXY."
    )
