"""One HTTP exchange with the API server, without retries; with `faults`, all that knows the HTTP library."""

import asyncio
import io
import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.auth import CertificatePair, Credentials
from headway.executors.kubernetes.api.errors import Target
from headway.executors.kubernetes.api.faults import unreachable
from headway.executors.kubernetes.api.tls import tls_context

# asyncio.TimeoutError is a class of its own up to Python 3.10.
_FAULTS = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
_READ_BUFFER = 256 * 1024
#: Bytes of a body above which it is sent piece by piece.
_LARGE = 512 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What to send.

    Args:
        method: The HTTP method.
        path: The URL's path, quoted.
        target: The same in words.
        query: The URL's query.
        body: What to send along, if anything.
        content_type: Its media type.
        repeatable: Whether sending it a second time does no harm if the first was carried out unseen.
    """

    method: str
    path: str
    target: Target
    query: dict[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    repeatable: bool = True


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes
    retry_after: float | None


class Stream:
    """An answer that is read as it comes.

    Args:
        response: The open response.
        access: The cluster, for errors.
        target: What was asked for.
    """

    def __init__(self, response: aiohttp.ClientResponse, access: ClusterAccess, target: Target) -> None:
        self._response = response
        self._access = access
        self._target = target

    async def __aenter__(self) -> "Stream":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection: what is left of a stream is never worth reading."""
        self._response.close()

    async def read(self) -> bytes:
        """Return the bytes that are there, waiting for some; empty at the end.

        Raises:
            Unreachable: If the connection broke, or nothing came within the read limit.
        """
        try:
            return await self._response.content.readany()
        except _FAULTS as error:
            raise unreachable(error, self._access, self._target) from error


class Transport:
    """The connections to one API server.

    Args:
        access: The cluster.
        request_timeout: Seconds for a whole exchange.
        connect_timeout: Seconds to connect.
    """

    def __init__(self, access: ClusterAccess, *, request_timeout: float, connect_timeout: float) -> None:
        self._access = access
        try:
            self._base = URL(access.server)
        except ValueError as error:
            raise ClusterConfigurationError(
                f"The server's address {access.server!r} in {access.source} is not valid: {error}.",
                "Correct it; it looks like https://host:6443.",
            ) from error
        self._secure = access.server.startswith("https:")
        self._timeout = aiohttp.ClientTimeout(total=request_timeout, sock_connect=connect_timeout)
        self._connect_timeout = connect_timeout
        self._proxy = URL(access.proxy) if access.proxy else None
        self._tls: ssl.SSLContext | bool = True
        self._certificate: CertificatePair | None = None
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make ready; nothing is sent yet."""
        # How many requests are under way is the client's to limit. Idle connections are let go before
        # the server would, after 90 s: a request sent into a closing connection has an unknown fate.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=45)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "headway", "Accept": "application/json"},
            auto_decompress=True,
            read_bufsize=_READ_BUFFER,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def exchange(self, request: Request, credentials: Credentials) -> Answer:
        """Send a request and read the whole answer, whatever its status.

        Args:
            request: What to send.
            credentials: Who we are.

        Raises:
            Unreachable: If there is no answer.
        """
        try:
            async with await self._send(request, credentials, self._timeout) as response:
                return Answer(response.status, await response.read(), _retry_after(response))
        except _FAULTS as error:
            raise unreachable(error, self._access, request.target) from error

    async def stream(
        self, request: Request, credentials: Credentials, read_timeout: float | None
    ) -> Answer | Stream:
        """Send a request and leave the answer to be read as it comes.

        Args:
            request: What to send.
            credentials: Who we are.
            read_timeout: The longest silence in seconds, from the request on; None for no limit.

        Returns:
            The stream, or a whole answer if its status is 400 or more.

        Raises:
            Unreachable: If there is no answer.
        """
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._connect_timeout, sock_read=read_timeout
        )
        try:
            response = await self._send(request, credentials, timeout)
            if response.status >= 300:
                async with response:
                    return Answer(response.status, await response.read(), _retry_after(response))
        except _FAULTS as error:
            raise unreachable(error, self._access, request.target) from error
        _keep_alive(response)
        return Stream(response, self._access, request.target)

    async def _send(
        self, request: Request, credentials: Credentials, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        assert self._session is not None, "the client is used outside its `async with`"
        headers = CIMultiDict(credentials.headers)
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        url = self._base.with_path(self._base.path.rstrip("/") + request.path, encoded=True)
        if request.query:
            url = url.with_query(request.query)
        body = request.body
        return await self._session.request(
            request.method,
            url,
            # The HTTP library wants a large body, as that of the runtime's config map is, in pieces.
            data=io.BytesIO(body) if body is not None and len(body) > _LARGE else body,
            headers=headers,
            timeout=timeout,
            ssl=self._tls_for(credentials.certificate),
            server_hostname=self._access.tls.server_name,
            proxy=self._proxy,
            # An API server never redirects; following one would show our token to somebody else.
            allow_redirects=False,
        )

    def _tls_for(self, certificate: CertificatePair | None) -> ssl.SSLContext | bool:
        if self._secure and (self._tls is True or certificate is not self._certificate):
            self._tls = tls_context(self._access.tls, certificate, self._access.source)
            self._certificate = certificate
        return self._tls


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None  # API servers send seconds, never a date


def _keep_alive(response: aiohttp.ClientResponse) -> None:
    """Probe the peer of a silent stream: it may be gone without a word, and address tables forget us."""
    connection = response.connection
    raw = connection.transport.get_extra_info("socket") if connection and connection.transport else None
    if raw is None:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Linux's names, macOS's name for the first; where neither is known the system's own pace holds.
    for names, seconds in (
        (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), 20),
        (("TCP_KEEPINTVL",), 5),
        (("TCP_KEEPCNT",), 4),
    ):
        option = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if option is not None:
            raw.setsockopt(socket.IPPROTO_TCP, option, seconds)
