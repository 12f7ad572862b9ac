"""Kept HTTP connections to one server, safe between threads and across a fork; one try at a time.

No lock guards the pool (a deque's append and pop are atomic): a lock that another thread held at
the moment of a fork would never be released in the child.
"""

import os
import time
from collections import deque
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import timeout  # before Python 3.10 this is not TimeoutError
from ssl import SSLContext, create_default_context, get_default_verify_paths
from typing import Deque, Iterator, Mapping, Optional, Sequence, Tuple, Union

from headway.errors import StoreConfigurationError
from headway.store.base import Buffer
from headway.store.s3.answers import Answer
from headway.store.s3.endpoints import Endpoint
from headway.store.s3.files import FileRange
from headway.store.s3.proxies import proxy_for

#: Servers close idle connections on their own; one unused for longer is not worth the risk.
_MAX_IDLE_SECONDS = 15.0
_MAX_IDLE = 16

#: A socket's time limit counts for a whole sendall, so what is sent at once stays small.
_SEND_SIZE = 1 << 20


class ConnectionFailed(Exception):  # noqa: N818  (never seen outside: the session says it in words)
    """A try ended without an answer.

    Args:
        cause: What went wrong.
        doubtful: Whether the server may have carried the request out all the same.
        stale: Whether the connection had been idle, so that a fresh one will likely do.
    """

    def __init__(self, cause: Exception, doubtful: bool, stale: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.doubtful = doubtful
        self.stale = stale


class Connections:
    """A pool of connections to one server.

    Args:
        server: Where to connect.
        environ: For the proxy and the certificate authorities.
        connect_timeout: Seconds for a connection, TLS included.
        read_timeout: Seconds in which at least something must go through.
        proxies: False for addresses that no proxy can reach (instance metadata).
    """

    def __init__(
        self,
        server: Endpoint,
        environ: Mapping[str, str],
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        proxies: bool = True,
    ) -> None:
        self._idle: Deque[Tuple[HTTPConnection, float]] = deque()
        self._pid = os.getpid()
        self._server = server
        self._environ = environ
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._proxy = proxy_for(server, environ) if proxies else None

    @property
    def proxy(self) -> Optional[str]:
        """The proxy's host and port, if there is one in between."""
        return f"{self._proxy.host}:{self._proxy.port}" if self._proxy else None

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Sequence[Buffer] = (),
        into: Union[memoryview, FileRange, None] = None,
    ) -> Answer:
        """Send one request and read its answer.

        Args:
            method: The HTTP method.
            target: Encoded path and query.
            headers: All headers, Content-Length included where there is a body.
            body: The body's parts, sent one after the other.
            into: Where the body of a successful answer goes: a buffer if it has exactly this length, a file
                in any case.

        Raises:
            ConnectionFailed: There was no answer, or not all of it.
            FileWriteError: The file could not be written.
        """
        connection, reused = self._take()
        sent = reused
        try:
            if not reused:
                connection.connect()
                connection.sock.settimeout(self._read_timeout)
            sent = True
            response = self._send(connection, method, target, headers, body)
            answer = _read(response, into)
        except (OSError, HTTPException) as error:
            connection.close()
            stale = reused and not isinstance(error, timeout)
            raise ConnectionFailed(error, doubtful=sent, stale=stale) from error
        except BaseException:  # an interrupt: what is half read can serve nobody
            connection.close()
            raise
        if response.will_close or len(self._idle) >= _MAX_IDLE:
            connection.close()
        else:
            self._idle.append((connection, time.monotonic()))
        return answer

    def close(self) -> None:
        """Close every kept connection; the pool can still be used."""
        idle, self._idle = self._idle, deque()
        for connection, _ in idle:
            connection.close()

    def __del__(self) -> None:
        # A store is dropped, not closed; its sockets should not wait for the collector.
        for connection, _ in self._idle:
            connection.close()

    def _take(self) -> Tuple[HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        if self._pid != os.getpid():
            # The sockets are the parent's too: closing here only drops this process's hold on them.
            self.close()
            self._pid = os.getpid()
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if time.monotonic() - since < _MAX_IDLE_SECONDS:
                return connection, True
            connection.close()
        return self._new(), False

    def _new(self) -> HTTPConnection:
        server, proxy = self._server, self._proxy
        host, port = (proxy.host, proxy.port) if proxy else (server.host, server.port)
        if not server.secure:
            return HTTPConnection(host, port, timeout=self._connect_timeout)
        context = _tls_context(authorities(self._environ))
        secure = HTTPSConnection(host, port, timeout=self._connect_timeout, context=context)
        if proxy:
            secure.set_tunnel(server.host, server.port, proxy.headers)
        return secure

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Sequence[Buffer],
    ) -> HTTPResponse:
        if self._proxy and not self._server.secure:
            target = f"http://{self._server.authority}{target}"
            headers = {**headers, **self._proxy.headers}
        try:
            connection.request(method, target, body=_slices(body) if body else None, headers=headers)
        except (BrokenPipeError, ConnectionResetError) as error:
            # A server that refuses a large body answers before it has read it, and hangs up.
            try:
                return connection.getresponse()
            except (OSError, HTTPException):
                raise error from None
        return connection.getresponse()


def _slices(body: Sequence[Buffer]) -> Iterator[memoryview]:
    for buffer in body:
        view = memoryview(buffer)
        for start in range(0, len(view), _SEND_SIZE):
            yield view[start : start + _SEND_SIZE]


def _read(response: HTTPResponse, into: Union[memoryview, FileRange, None]) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if isinstance(into, FileRange) and response.status in (200, 206):
        into.take(response)
        return Answer(response.status, headers)
    if not isinstance(into, memoryview) or response.status not in (200, 206) or response.length != len(into):
        return Answer(response.status, headers, response.read())
    filled = 0
    while filled < len(into):
        count = response.readinto(into[filled:])
        if not count:
            raise HTTPException(f"the answer ended after {filled} of {len(into)} bytes")
        filled += count
    response.read()  # tells the connection that the answer is over
    return Answer(response.status, headers)


def authorities(environ: Mapping[str, str]) -> Optional[str]:
    """The file of certificate authorities that the environment names, None for the system's.

    Raises:
        StoreConfigurationError: There is no such file.
    """
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        bundle = environ.get(name)
        if bundle and not os.path.isfile(bundle):
            raise StoreConfigurationError(
                f"{name} names {bundle}, which is not there",
                "It must name a file of PEM certificates; unset it to trust the system's authorities.",
            )
        if bundle:
            return bundle
    return None


@lru_cache(maxsize=8)
def _tls_context(bundle: Optional[str]) -> SSLContext:
    """Verification against this file of authorities, or against the system's."""
    try:
        if bundle is None:
            return create_default_context(cafile=_bundled_authorities())
        return create_default_context(cafile=bundle)
    except OSError as error:
        raise StoreConfigurationError(
            f"the certificate authorities in {bundle} cannot be read: {error}",
            "AWS_CA_BUNDLE (or SSL_CERT_FILE) must name a readable file of PEM certificates.",
        ) from error


def _bundled_authorities() -> Optional[str]:
    """The authorities that certifi brings, for slim images whose system has none."""
    found = get_default_verify_paths()
    if found.cafile or found.capath:
        return None
    try:
        from certifi import where  # optional, and only in images that lack their own
    except ImportError:
        return None
    return str(where())
