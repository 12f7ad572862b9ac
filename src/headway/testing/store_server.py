"""What the small servers on loopback have in common that tests of stores talk to: they fail when told to.

All is in memory, and nothing about them is fast.
"""

import socket
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, TypeVar

#: When everything was written.
WRITTEN = "Thu, 01 Jan 2026 00:00:00 GMT"


class Reply(NamedTuple):
    """An answer of the server."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class Fault(NamedTuple):
    """What goes wrong with one request.

    Attributes:
        reply: Sent instead of the answer; None hangs up.
        carried_out: Whether the request has its effect all the same.
        method: Only a request with this method, "" for any.
        asked: Only a request whose target holds this text.
        after: Only after so many requests that fit.
    """

    reply: Reply | None = None
    carried_out: bool = False
    method: str = ""
    asked: str = ""
    after: int = 0


class Seen(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 64  # clients in tests come all at once

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up, or did not like our certificate, is no news."""


_S = TypeVar("_S", bound="StoreServer")


class StoreServer(ABC):
    """A running server; a context manager that stops it.

    Args:
        tls: The server's certificate, to be reached by https.
        host: The address of this machine that it listens on.

    Attributes:
        seen: Every request so far.
        clients: The ports of all connections so far.
        refuse_early: Deny every request before its body is read, and hang up.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._host = host
        self.seen: list[Seen] = []
        self.clients: set[int] = set()
        self.refuse_early = False
        self.lock = Lock()
        self._faults: deque[Fault] = deque()
        self._sockets: set[socket.socket] = set()
        self._server = _Server((host, 0), self._handler())
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self._host}:{self.port}"

    def fail(self, *faults: Fault) -> None:
        """Let later requests fail, each fault once, in this order among those that fit a request."""
        self._faults.extend(faults)

    def hang_up(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        for connection in list(self._sockets):
            connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop, and wait for every thread."""
        self._server.shutdown()
        for connection in list(self._sockets):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def __enter__(self: "_S") -> "_S":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, seen: Seen) -> Reply | None:
        """The reply to a request, None to hang up."""
        self.seen.append(seen)
        fault = self._due(seen)
        if fault is not None and not fault.carried_out:
            return fault.reply
        reply = self.served(seen)
        return fault.reply if fault is not None else reply

    def _due(self, seen: Seen) -> Fault | None:
        """The fault that this request meets, taken out of the list."""
        with self.lock:
            for index, fault in enumerate(self._faults):
                if fault.method in ("", seen.method) and fault.asked in seen.target:
                    if fault.after:
                        self._faults[index] = fault._replace(after=fault.after - 1)
                        return None
                    del self._faults[index]
                    return fault
        return None

    @abstractmethod
    def served(self, seen: Seen) -> Reply:
        """The reply to a request that nothing goes wrong with."""

    @abstractmethod
    def denied(self) -> Reply:
        """The reply to a request that is refused before its body is read."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                outer._sockets.add(self.connection)
                outer.clients.add(self.client_address[1])

            def finish(self) -> None:
                outer._sockets.discard(self.connection)
                super().finish()

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:  # the client hung up
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
                pass

            def _serve(self) -> None:
                if outer.refuse_early:
                    self._send(outer.denied())
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = outer.answer(Seen(self.command, self.path, headers, body))
                if reply is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                promised = reply.headers.get("Content-Length", str(len(reply.body)))
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", promised)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)
                    self.close_connection = self.close_connection or int(promised) > len(reply.body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815  (the base class's names)

        return Handler
