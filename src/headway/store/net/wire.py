"""One connection that speaks HTTP/1.1: no more of it than object stores and metadata services need.

The standard library's client brings the parser of e-mail headers along, and with it two thirds of what
a pod spends before its step begins. RFC 9112 is what this follows; what is not in it is refused.
"""

import socket
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Union,
)

from headway.errors import StoreConfigurationError

if TYPE_CHECKING:
    from ssl import SSLContext

#: Bytes of an answer's headers; who sends more is no object store.
_MOST_HEADERS = 65536
_READ_SIZE = 1 << 16
#: A body that is handed on comes in pieces of at most this size.
_PIECE = 256 << 10
#: A body up to this size goes out with the headers, in one packet where that holds it.
_TOGETHER = 1 << 16


class WireError(Exception):
    """What came over the connection is no HTTP answer, or not all of one."""


class Reply(NamedTuple):
    """An answer.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name; of a header that comes twice the last one.
        body: All of it, empty where it went into the caller's buffer.
        closes: Whether the connection can take no further request.
    """

    status: int
    headers: Dict[str, str]
    body: bytes
    closes: bool


class Sink(Protocol):
    """Takes a body as it comes."""

    def take(self, pieces: Iterator[memoryview]) -> None:
        """Take all of it; each piece is good until the next one is asked for."""
        ...


class Wire:
    """A connection to one server, for one request at a time.

    Args:
        host: Where to connect: name or address.
        port: The port there.
        connect_timeout: Seconds for a connection, TLS included.
        read_timeout: Seconds in which at least something must go through.

    Raises:
        OSError: There is no connection, or it is lost.
        WireError: The other side does not speak HTTP.
    """

    def __init__(self, host: str, port: int, connect_timeout: float, read_timeout: float) -> None:
        # As bytes: for text Python loads the codec of international names first.
        name: Any = host.encode() if host.isascii() else host
        self._socket = socket.create_connection((name, port), connect_timeout)
        # A request waits for its answer: nothing is gained by waiting to fill a packet.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read_timeout = read_timeout
        self._buffer = bytearray()

    def tunnel(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        """Ask the proxy at the other end to connect to a server, and go on with that one.

        Raises:
            OSError: It does not.
        """
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.send("CONNECT", authority, {"host": authority, **headers})
        head = self._head()
        if head.status != 200:
            raise OSError(f"the proxy answers {head.status} when asked for {authority}")

    def secure(self, context: "SSLContext", host: str) -> None:
        """Go on under TLS."""
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def ready(self) -> None:
        """The connection is made: from now on the other time limit counts."""
        self._socket.settimeout(self._read_timeout)

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: Iterable[memoryview] = ()
    ) -> None:
        """Send a request.

        Args:
            method: The HTTP method.
            target: Encoded path and query, or what a proxy wants in their place.
            headers: All headers.
            body: Its parts, sent one after the other.

        Raises:
            StoreConfigurationError: A header holds what no header may.
        """
        lines = [f"{method} {target} HTTP/1.1"]
        for name, value in headers.items():
            if "\n" in value or "\r" in value or not value.isascii():
                raise StoreConfigurationError(
                    f"the header {name} of a request would hold a line break or a character beyond ASCII",
                    "Look for one in the credentials, the region and the endpoint.",
                )
            lines.append(f"{name}: {value}")
        waiting = bytearray("\r\n".join([*lines, "\r\n"]).encode("ascii"))
        for part in body:
            if len(waiting) + len(part) <= _TOGETHER:
                waiting += part
                continue
            if waiting:
                self._socket.sendall(waiting)
                waiting = bytearray()
            self._socket.sendall(part)
        if waiting:
            self._socket.sendall(waiting)

    def receive(self, method: str, into: Union[memoryview, Sink, None] = None) -> Reply:
        """Read the answer to a request.

        Args:
            method: The request's method: whether there is a body depends on it.
            into: Where the body of a successful answer goes: a sink, or a view if it has exactly this length.
        """
        head = self._head()
        while head.status < 200:  # "go on", or a hint
            head = self._head()
        status, headers, _, closes = head
        if method == "HEAD" or status in (204, 304):
            return head
        size = _length(headers)
        good = status in (200, 206)
        closes = closes or (size is None and not _is_chunked(headers))
        if good and isinstance(into, memoryview) and size == len(into):
            self._fill(into)
            return head
        if good and into is not None and not isinstance(into, memoryview):
            into.take(self._pieces(headers, size))
            return head._replace(closes=closes)
        if size is None:
            return Reply(status, headers, b"".join(map(bytes, self._pieces(headers, size))), closes)
        body = bytearray(size)
        self._fill(memoryview(body))
        return Reply(status, headers, bytes(body), closes)

    def close(self) -> None:
        self._socket.close()

    def _head(self) -> Reply:
        end = self._buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(self._buffer) > _MOST_HEADERS:
                raise WireError("the headers of the answer have no end")
            searched = max(0, len(self._buffer) - 3)
            self._more("before it answered" if not self._buffer else "in the middle of its answer's headers")
            end = self._buffer.find(b"\r\n\r\n", searched)
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise WireError(f"what answers there does not speak HTTP: {first[:60]!r}")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        says = headers.get("connection", "").lower()
        closes = "close" in says or (version == "HTTP/1.0" and "keep-alive" not in says)
        return Reply(int(rest[:3]), headers, b"", closes)

    def _more(self, when: str) -> None:
        data = self._socket.recv(_READ_SIZE)
        if not data:
            raise ConnectionResetError(f"the server hung up {when}")
        self._buffer += data

    def _fill(self, view: memoryview) -> None:
        """Exactly as many bytes as the view has."""
        filled = min(len(self._buffer), len(view))
        view[:filled] = self._buffer[:filled]
        del self._buffer[:filled]
        while filled < len(view):
            count = self._socket.recv_into(view[filled:])
            if not count:
                raise WireError(f"the answer ended after {filled} of {len(view)} bytes")
            filled += count

    def _pieces(self, headers: Mapping[str, str], size: Optional[int]) -> Iterator[memoryview]:
        """The body, however it comes."""
        if _is_chunked(headers):
            return self._chunks()
        return self._rest() if size is None else self._sized(size)

    def _sized(self, size: int) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(size, _PIECE)))
        left = size
        while left:
            piece = buffer[: min(left, len(buffer))]
            self._fill(piece)
            yield piece
            left -= len(piece)

    def _rest(self) -> Iterator[memoryview]:
        """Until the server hangs up."""
        data = bytes(self._buffer)
        self._buffer.clear()
        while data or (data := self._socket.recv(_READ_SIZE)):
            yield memoryview(data)
            data = b""

    def _chunks(self) -> Iterator[memoryview]:
        while True:
            size = self._line().partition(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                raise WireError(f"a part of the answer has the length {bytes(size[:40])!r}") from None
            if length <= 0:
                break
            yield from self._sized(length)
            self._line()
        while self._line():
            continue  # trailers say nothing that is asked for here

    def _line(self) -> bytes:
        end = self._buffer.find(b"\r\n")
        while end < 0:
            if len(self._buffer) > _MOST_HEADERS:
                raise WireError("a line of the answer has no end")
            self._more("in the middle of its answer")
            end = self._buffer.find(b"\r\n")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line


def _is_chunked(headers: Mapping[str, str]) -> bool:
    return "chunked" in headers.get("transfer-encoding", "").lower()


def _length(headers: Mapping[str, str]) -> Optional[int]:
    """The body's length, None where the answer does not say it."""
    text = headers.get("content-length")
    if text is None or _is_chunked(headers):
        return None
    if not text.isdecimal():
        raise WireError(f"the answer's length is {text[:40]!r}")
    return int(text)
