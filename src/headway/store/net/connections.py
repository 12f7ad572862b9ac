"""Kept HTTP connections to one server, safe between threads and across a fork; one try at a time.

No lock guards the pool (a deque's append and pop are atomic): a lock that another thread held at
the moment of a fork would never be released in the child.
"""

import os
import time
from collections import deque
from socket import timeout  # before Python 3.10 this is not TimeoutError
from typing import Deque, Iterator, Mapping, Optional, Sequence, Tuple, Union

from headway.errors import StoreConfigurationError
from headway.store.base import Buffer
from headway.store.net.answers import Answer
from headway.store.net.endpoints import Endpoint
from headway.store.net.files import FileRange
from headway.store.net.proxies import proxy_for
from headway.store.net.wire import Reply, Wire, WireError

#: Servers close idle connections on their own; one unused for longer is not worth the risk.
_MAX_IDLE_SECONDS = 15.0
_MAX_IDLE = 16

#: The variable that names the file of certificate authorities for every store.
TRUST = ("SSL_CERT_FILE",)

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
        trust: The variables that may name the file of certificate authorities, the first one first.
    """

    def __init__(
        self,
        server: Endpoint,
        environ: Mapping[str, str],
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        proxies: bool = True,
        trust: Sequence[str] = TRUST,
    ) -> None:
        self._idle: Deque[Tuple[Wire, float]] = deque()
        self._pid = os.getpid()
        self._server = server
        self._environ = environ
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._trust = trust
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
        kept = self._take()
        sent, connection = kept is not None, kept
        try:
            if connection is None:
                connection = self._connect()
            sent = True
            reply = self._send(connection, method, target, headers, body, into)
        except (OSError, WireError) as error:
            if connection is not None:
                connection.close()
            stale = kept is not None and not isinstance(error, timeout)
            raise ConnectionFailed(error, doubtful=sent, stale=stale) from error
        except BaseException:  # an interrupt: what is half read can serve nobody
            if connection is not None:
                connection.close()
            raise
        if reply.closes or len(self._idle) >= _MAX_IDLE:
            connection.close()
        else:
            self._idle.append((connection, time.monotonic()))
        return Answer(reply.status, reply.headers, reply.body)

    def close(self) -> None:
        """Close every kept connection; the pool can still be used."""
        idle, self._idle = self._idle, deque()
        for connection, _ in idle:
            connection.close()

    def __del__(self) -> None:
        # A store is dropped, not closed; its sockets should not wait for the collector.
        for connection, _ in self._idle:
            connection.close()

    def _take(self) -> Optional[Wire]:
        """A connection that was used before, None where there is none."""
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
                return connection
            connection.close()
        return None

    def _connect(self) -> Wire:
        server, proxy = self._server, self._proxy
        host, port = (proxy.host, proxy.port) if proxy else (server.host, server.port)
        bundle = authorities(self._environ, self._trust)
        wire = Wire(host, port, self._connect_timeout, self._read_timeout)
        try:
            if server.secure:
                from headway.store.net.tls import tls_context  # ssl, see there

                if proxy:
                    wire.tunnel(server.host, server.port, proxy.headers)
                wire.secure(tls_context(bundle), server.host)
            wire.ready()
        except BaseException:
            wire.close()
            raise
        return wire

    def _send(
        self,
        connection: Wire,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Sequence[Buffer],
        into: Union[memoryview, FileRange, None],
    ) -> Reply:
        all_headers = {"host": self._server.authority, "accept-encoding": "identity", **headers}
        if self._proxy and not self._server.secure:
            target = f"http://{self._server.authority}{target}"
            all_headers.update(self._proxy.headers)
        if body or method in ("PUT", "POST"):
            all_headers.setdefault("content-length", str(sum(memoryview(part).nbytes for part in body)))
        try:
            connection.send(method, target, all_headers, _slices(body))
        except (BrokenPipeError, ConnectionResetError) as error:
            # A server that refuses a large body answers before it has read it, and hangs up.
            try:
                return connection.receive(method)._replace(closes=True)
            except (OSError, WireError):
                raise error from None
        return connection.receive(method, into)


def _slices(body: Sequence[Buffer]) -> Iterator[memoryview]:
    for buffer in body:
        view = memoryview(buffer).cast("B")
        for start in range(0, len(view), _SEND_SIZE):
            yield view[start : start + _SEND_SIZE]


def authorities(environ: Mapping[str, str], names: Sequence[str]) -> Optional[str]:
    """The file of certificate authorities that the environment names, None for the system's.

    Args:
        environ: Where to look.
        names: For these variables, the first one first.

    Raises:
        StoreConfigurationError: There is no such file.
    """
    for name in names:
        bundle = environ.get(name)
        if bundle and not os.path.isfile(bundle):
            raise StoreConfigurationError(
                f"{name} names {bundle}, which is not there",
                "It must name a file of PEM certificates; unset it to trust the system's authorities.",
            )
        if bundle:
            return bundle
    return None
