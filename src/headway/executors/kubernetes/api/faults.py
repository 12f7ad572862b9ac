"""Why no answer came: what the HTTP library raises, as an error that names server, cause and next step."""

import asyncio
import socket
import ssl
from urllib.parse import urlsplit

import aiohttp

from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.errors import Target, Unreachable

_CLUSTER_MAY_BE_OFF = (
    "Is the cluster running, and is {source} up to date? `kubectl version` asks the same server."
)

_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


def unreachable(error: BaseException, access: ClusterAccess, target: Target) -> Unreachable:
    """Explain why there is no answer.

    Args:
        error: What the HTTP library raised.
        access: The cluster.
        target: What was asked for.
    """
    cause, hint, transient = _explained(error, access)
    way = f" through the proxy {urlsplit(access.proxy).hostname}" if access.proxy else ""
    result = Unreachable(
        f"The Kubernetes API server {access.server} (from {access.source}) cannot be reached{way}: {cause}.",
        hint.format(source=access.source),
        target=target,
        sent=not isinstance(error, _NEVER_SENT),
    )
    result.transient = transient
    return result


def _explained(error: BaseException, access: ClusterAccess) -> tuple[str, str, bool]:
    """The cause, the next step, and whether the same may succeed later."""
    # The order is from the particular to the general: these classes inherit from each other.
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return *_untrusted(error.certificate_error, access), False
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return (
            f"the proxy refuses or is not there ({_words(error)})",
            "Check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY.",
            isinstance(error, aiohttp.ClientProxyConnectionError),
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return (
            f"the name {error.host} cannot be resolved",
            "Check the name in {source}, your network, and whether a VPN is needed.",
            True,
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return _failed_handshake(error), "Check the server's address and the credentials in {source}.", False
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection within the time limit", "Check your network, firewall and VPN.", True
    if isinstance(error, asyncio.TimeoutError):
        return "no answer within the time limit", _CLUSTER_MAY_BE_OFF, True
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error), _CLUSTER_MAY_BE_OFF, True
    if isinstance(error, aiohttp.InvalidURL):
        return "this is not a valid address", "Correct the server's address in {source}.", False
    words = _words(error)
    if "alert" in words:  # TLS 1.3 tells only after the handshake that a client certificate is refused
        return f"it refuses our client certificate ({words})", "Check the credentials in {source}.", False
    return f"the connection broke ({words})", _CLUSTER_MAY_BE_OFF, True


def _untrusted(error: Exception, access: ClusterAccess) -> tuple[str, str]:
    reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
    if "mismatch" in reason.lower() or "not valid for" in reason.lower():
        return (
            f"its certificate is for another name ({reason})",
            "Correct the server's address in {source}, or set tls-server-name there.",
        )
    return (
        f"its certificate is not trusted ({reason})",
        "The certificate authority in {source} is missing or another cluster's, or a proxy stands between.",
    )


def _failed_handshake(error: aiohttp.ClientConnectorSSLError) -> str:
    words = str(error.os_error).lower()
    if "wrong version number" in words or "record layer failure" in words:
        return "what listens there does not speak TLS"
    if "alert" in words:
        return f"it refuses our client certificate or TLS version ({_words(error.os_error)})"
    return f"the TLS handshake failed ({_words(error.os_error)})"


def _not_connected(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    if isinstance(cause, socket.gaierror):
        return f"the name {error.host} cannot be resolved"
    return _words(cause)


def _words(error: BaseException) -> str:
    """An error in a few words, without the addresses and tuples that libraries put around them."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"status {error.status}"
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, ssl.SSLError):
        return error.reason.replace("_", " ").lower() if error.reason else "TLS error"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, ConnectionError) and not str(error):
        return "the connection is cut off"
    return str(error) or type(error).__name__
