"""HTTP over one connection: every way in which a body can come, and answers that are none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from headway.errors import StoreConfigurationError
from headway.store.net.wire import Wire, WireError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: a\r\n\r\n"


@contextmanager
def answered(*pieces: bytes, hang_up: bool = True) -> Iterator[tuple[Wire, Callable[[], bytes]]]:
    """A connection to a server that sends these pieces whatever it is asked, and what it was asked."""
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                for piece in pieces:
                    received.extend(connection.recv(1 << 20))
                    connection.sendall(piece)
                if not hang_up:
                    received.extend(connection.recv(1 << 20))

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire("127.0.0.1", server.getsockname()[1], 5, 5)
        wire.ready()
        try:
            yield wire, lambda: bytes(received)
        finally:
            wire.close()
            thread.join(5)


def ask(wire: Wire, method: str = "GET") -> None:
    wire.send(method, "/x", {"host": "store"})


def test_a_request_is_what_the_protocol_wants() -> None:
    with answered(HEAD + b"hello") as (wire, received):
        wire.send(
            "PUT",
            "/a?b=c",
            {"host": "store", "content-length": "6"},
            [memoryview(b"abc"), memoryview(b"def")],
        )
        reply = wire.receive("PUT")
        assert (reply.status, reply.body, reply.headers["x-one"], reply.closes) == (200, b"hello", "a", False)
    assert received() == b"PUT /a?b=c HTTP/1.1\r\nhost: store\r\ncontent-length: 6\r\n\r\nabcdef"


def test_two_requests_over_one_connection() -> None:
    with answered(HEAD + b"hello", HEAD + b"again") as (wire, _):
        for expected in (b"hello", b"again"):
            ask(wire)
            assert wire.receive("GET").body == expected


@pytest.mark.parametrize(
    ("answer", "body", "closes"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            b"abcde",
            False,
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n",
            b"a",
            False,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", False),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b"", False),
    ],
)
@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_the_ways_in_which_a_body_comes(answer: bytes, body: bytes, closes: bool, torn: bool) -> None:
    pieces = [answer[i : i + 1] for i in range(len(answer))] if torn else [answer]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire("127.0.0.1", server.getsockname()[1], 5, 5)
        ask(wire)
        reply = wire.receive("GET")
        wire.close()
        thread.join(5)
    assert (reply.body, reply.closes) == (body, closes)


def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    with answered(HEAD, HEAD + b"hello") as (wire, _):
        ask(wire, "HEAD")
        assert wire.receive("HEAD").headers["content-length"] == "5"
        ask(wire)
        assert wire.receive("GET").body == b"hello"


def test_a_body_goes_into_the_callers_buffer_if_it_fits_exactly() -> None:
    with answered(HEAD + b"hello") as (wire, _):
        buffer = bytearray(5)
        ask(wire)
        assert wire.receive("GET", memoryview(buffer)).body == b""
        assert buffer == b"hello"
    with answered(HEAD + b"hello") as (wire, _):
        buffer = bytearray(4)
        ask(wire)
        assert wire.receive("GET", memoryview(buffer)).body == b"hello"
        assert buffer == bytes(4)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"", ConnectionResetError, "hung up before it answered"),
        (b"HTTP/1.1 200 OK\r\nConte", ConnectionResetError, "in the middle of its answer's headers"),
        (HEAD + b"he", WireError, "ended after 2 of 5 bytes"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", WireError, "does not speak HTTP: 'SSH-2.0"),
        (b"HTTP/1.1 ok\r\n\r\n", WireError, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", WireError, "length is '-3'"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", WireError, "length b'zz'"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, WireError, "have no end"),
    ],
)
def test_answers_that_are_none(answer: bytes, error: type[Exception], words: str) -> None:
    with answered(answer) as (wire, _):
        ask(wire)
        with pytest.raises(error) as caught:
            wire.receive("GET")
        assert words in str(caught.value)


@pytest.mark.parametrize("value", ["a\r\nx-amz-acl: public", "a\n", "ü"])
def test_no_header_smuggles_another_one(value: str) -> None:
    with answered(HEAD + b"hello") as (wire, received):
        with pytest.raises(StoreConfigurationError, match="header x-token"):
            wire.send("GET", "/", {"x-token": value})
        ask(wire)
        wire.receive("GET")
    assert b"public" not in received()


def test_a_large_body_goes_out_in_its_parts() -> None:
    parts = [memoryview(bytes([number]) * 50_000) for number in range(4)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        received = bytearray()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while not received.endswith(b"\3" * 50_000):
                    received.extend(connection.recv(65536))
                connection.sendall(HEAD + b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire("127.0.0.1", server.getsockname()[1], 5, 5)
        wire.send("PUT", "/", {"content-length": "200000"}, parts)
        assert wire.receive("PUT").status == 200
        wire.close()
        thread.join(5)
    assert received.endswith(b"".join(parts))
