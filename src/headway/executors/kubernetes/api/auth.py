"""Who we are on each request: certificates and tokens that stay, and tokens that change under way."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import AuthSettings, ClientCertificate, ClusterAccess
from headway.executors.kubernetes.api.clock import Clock
from headway.executors.kubernetes.api.exec_plugin import ExecCredential, ExecCredentialSource

S = TypeVar("S", str, bytes)


class CertificatePair(NamedTuple):
    """A client certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


class Credentials(NamedTuple):
    """What one request carries.

    Args:
        headers: Authorization and impersonation headers.
        certificate: The client certificate of the connection.
    """

    headers: tuple[tuple[str, str], ...] = ()
    certificate: CertificatePair | None = None


class Authenticator(Protocol):
    """Yields credentials, and newer ones when the server refuses those."""

    async def credentials(self) -> Credentials:
        """Return what to send now; the same object as long as nothing changed."""
        ...

    async def renew(self, rejected: Credentials) -> bool:
        """Look for newer credentials after the server refused some.

        Args:
            rejected: The credentials that were refused.

        Returns:
            Whether the credentials are others now, so that another try makes sense.
        """
        ...

    async def aclose(self) -> None:
        """Let go of whatever is still running."""
        ...


def authenticator(access: ClusterAccess, clock: Clock) -> Authenticator:
    """Choose the way of authenticating that the access describes.

    Args:
        access: The cluster and who we are to it.
        clock: For expiry.
    """
    auth = access.auth
    if auth.token_file is None and auth.token is None and auth.exec_plugin is not None:
        return _PluginAuthenticator(auth, ExecCredentialSource(auth.exec_plugin, access.source, clock))
    return _FileAuthenticator(auth, access.source)


class _FileAuthenticator:
    """A fixed token, or certificates and tokens in files that are replaced from time to time."""

    def __init__(self, auth: AuthSettings, source: str) -> None:
        self._auth = auth
        self._source = source
        self._current: Credentials | None = None
        self._stamp: tuple[int, int, int] | None = None

    async def credentials(self) -> Credentials:
        # A kubelet replaces the token file; a stat costs less than deciding when to take one. Where the
        # file is gone for a moment, or for good, the server says whether the old token is still good.
        stamp = self._token_stamp()
        if self._current is None or (stamp is not None and stamp != self._stamp):
            return self._read()
        return self._current

    async def renew(self, rejected: Credentials) -> bool:
        return self._read() != rejected

    async def aclose(self) -> None:
        pass

    def _token_stamp(self) -> tuple[int, int, int] | None:
        if self._auth.token_file is None:
            return None
        try:
            status = self._auth.token_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read(self) -> Credentials:
        token, stamp = self._auth.token, self._token_stamp()
        if self._auth.token_file is not None:
            token = _read(self._auth.token_file, "token", self._source, Path.read_text).strip()
        fresh = Credentials(_headers(token, self._auth), _pair(self._auth.certificate, self._source))
        self._stamp = stamp
        # The same object for the same content: the connection's TLS settings are kept by identity.
        if self._current is None or fresh != self._current:
            self._current = fresh
        return self._current


class _PluginAuthenticator:
    """Credentials printed by an exec plugin."""

    def __init__(self, auth: AuthSettings, source: ExecCredentialSource) -> None:
        self._auth = auth
        self._source = source
        self._answer: ExecCredential | None = None
        self._current = Credentials()

    async def credentials(self) -> Credentials:
        answer = await self._source.current()
        if answer is not self._answer:
            self._answer = answer
            printed = (answer.certificate, answer.key) if answer.certificate and answer.key else None
            pair = CertificatePair(*printed) if printed else _pair(self._auth.certificate, "the kubeconfig")
            self._current = Credentials(_headers(answer.token, self._auth), pair)
        return self._current

    async def renew(self, rejected: Credentials) -> bool:
        if rejected is self._current and self._answer is not None:
            self._source.discard(self._answer)
        return await self.credentials() != rejected

    async def aclose(self) -> None:
        await self._source.aclose()


def _headers(token: str | None, auth: AuthSettings) -> tuple[tuple[str, str], ...]:
    authorization = (("Authorization", f"Bearer {token}"),) if token else ()
    return authorization + auth.impersonate


def _pair(certificate: ClientCertificate | None, source: str) -> CertificatePair | None:
    if certificate is None:
        return None
    return CertificatePair(
        _pem(certificate.certificate, "client certificate", source),
        _pem(certificate.key, "client key", source),
    )


def _pem(value: bytes | Path, what: str, source: str) -> bytes:
    return value if isinstance(value, bytes) else _read(value, what, source, Path.read_bytes)


def _read(path: Path, what: str, source: str, read: Callable[[Path], S]) -> S:
    try:
        return read(path)
    except OSError as error:
        raise ClusterConfigurationError(
            f"The {what} {path} of {source} cannot be read: {error.strerror or error}.",
            "Log in to the cluster again, or correct the path in the kubeconfig.",
        ) from error
