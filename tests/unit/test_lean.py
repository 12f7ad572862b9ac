"""What a pod loads in place of modules of the standard library says the same as they do."""

import hashlib
import hmac
import importlib
import json
import pickle
import signal
import socket
import ssl
from typing import Any

import pytest

from headway.executors.kubernetes.slim import LEAN, compile_slim
from headway.lean import json as lean_json
from headway.lean import pickle as lean_pickle
from headway.lean import signal as lean_signal
from headway.lean import socket as lean_socket
from headway.store.digest import block_digest, content_address, hmac_sha256, sha256, sha256_of

VALUES: list[Any] = [
    None,
    True,
    0,
    -17,
    2.5,
    1e300,
    float("inf"),
    "",
    'a "quoted" line\n\t\\ é 日 \ud800',
    [],
    {},
    [1, [2, (3, "x")], {"y": None}],
    {"name": {"ref": ["sha", 12, "int"]}, "": [False], "2": 2, 3: 4, None: 5, 1.5: 6},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_is_written_and_read_alike(value: Any) -> None:
    for options in ({}, {"separators": (",", ":")}, {"ensure_ascii": False}):
        text = json.dumps(value, **options)
        assert lean_json.dumps(value, **options) == text
        assert lean_json.loads(text) == json.loads(text)
        assert (
            lean_json.loads(f" \n{text}\t".encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
            is not ...
        )
    assert lean_json.loads(json.dumps(value).encode()) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "nothing", '"open', "1 2", "{} {}", '{"a" 1}', "[1", '"\n"']
)
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    for loads in (json.loads, lean_json.loads):
        with pytest.raises(ValueError, match=r".+"):
            loads(text)


def test_what_cannot_be_written_is_a_type_error() -> None:
    for dumps in (json.dumps, lean_json.dumps):
        with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
            dumps({"a": {1}})
        circle: list[Any] = []
        circle.append(circle)
        with pytest.raises(ValueError, match="Circular"):
            dumps(circle)


def test_pickles_are_the_same() -> None:
    buffers: list[Any] = []
    value = {"a": [1, "x"], "b": lean_pickle.PickleBuffer(b"raw")}
    pickled = lean_pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    found = pickle.loads(pickled, buffers=[bytes(buffer) for buffer in buffers])
    assert found == {"a": [1, "x"], "b": b"raw"}
    assert lean_pickle.loads(pickle.dumps(value["a"])) == [1, "x"]


@pytest.mark.parametrize(
    "name", ["collections", "functools", "json", "pickle", "signal", "socket", "threading", "types"]
)
def test_what_is_offered_is_what_the_module_has(name: str) -> None:
    lean, real = importlib.import_module(f"{LEAN}.{name}"), importlib.import_module(name)
    for offered in lean.__all__:
        assert hasattr(real, offered)
        if isinstance(getattr(lean, offered), int):
            assert getattr(lean, offered) == getattr(real, offered)
    assert lean.__all__


def test_a_connection_is_made_to_the_first_address_that_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = lean_socket.create_connection((b"localhost", server.getsockname()[1]), 5.0)
        accepted, _ = server.accept()
        with accepted:
            assert connection.gettimeout() == 5.0
            connection.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
        connection.close()
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        lean_socket.create_connection(("127.0.0.1", port), 5.0)


def test_such_a_connection_goes_on_under_tls() -> None:
    """Up to the greeting: what wraps it takes the bare socket for one of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection: Any = lean_socket.create_connection(("127.0.0.1", server.getsockname()[1]), 5.0)
        context = ssl.create_default_context()
        with context.wrap_socket(
            connection, server_hostname="localhost", do_handshake_on_connect=False
        ) as wrapped:
            accepted, _ = server.accept()
            with accepted:
                wrapped.settimeout(0.0)
                with pytest.raises(ssl.SSLWantReadError):
                    wrapped.do_handshake()
                assert accepted.recv(1) == b"\x16", "the first byte of a handshake"


def test_a_module_is_pointed_to_the_leaner_one_where_that_has_all_it_uses() -> None:
    def imported(source: str) -> set[str]:
        names: dict[str, Any] = {"__name__": "some.module"}
        exec(compile_slim(source.encode(), "some/module.py"), names)
        return {
            getattr(value, "__name__", getattr(value, "__module__", ""))
            for name, value in names.items()
            if not name.startswith("__")
        }

    assert imported("import json\njson.loads('1')") == {"headway.lean.json"}
    assert imported("import json\ntry:\n    json.loads('1')\nexcept json.JSONDecodeError: pass") == {"json"}
    assert imported("import json\nkept = json") == {"json"}
    assert imported("import signal\nsignal.SIGTERM") == {"headway.lean.signal"}
    assert imported("from typing import Any\nimport signal\nsignal.Signals") >= {"signal"}
    assert imported("from pickle import dumps") == {"dumps"}
    assert imported("from pickle import Pickler") == {"Pickler"}


def test_hashes_are_those_of_hashlib() -> None:
    for size in (0, 5, 1 << 20):
        data = bytes(size)
        digest = sha256(size)
        digest.update(data)
        assert digest.hexdigest() == sha256_of(data) == hashlib.sha256(data).hexdigest()
    assert sha256_of(memoryview(b"view")) == hashlib.sha256(b"view").hexdigest()
    for key in (b"", b"key", bytes(range(64)), b"long" * 40):
        assert hmac_sha256(key, b"said") == hmac.digest(key, b"said", "sha256")


def test_an_address_is_made_of_those_of_the_blocks() -> None:
    digests = [block_digest(block, 3) for block in (b"a", b"b", b"c")]
    said = b"headway tree\0" + (8).to_bytes(8, "little")
    said += (9).to_bytes(8, "little") + digests[0] + digests[1] + (0).to_bytes(8, "little")
    found = content_address([9, 0], [digests[:2], []], 8)
    assert found == hashlib.sha256(said).hexdigest()
    assert found not in (
        content_address([0, 9], [[], digests[:2]], 8),
        content_address([9, 0], [digests[:1], digests[1:2]], 8),
        content_address([9, 0], [digests[:2], []], 16),
        content_address([9, 0], [digests[1::-1], []], 8),
    )


def test_large_data_is_hashed_by_openssl() -> None:
    assert type(sha256(8 << 20)) is type(hashlib.sha256())


def test_handlers_of_the_full_module_are_taken() -> None:
    handler = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    assert lean_signal.signal(signal.SIGUSR1, handler) == signal.SIG_IGN, "those of the full module are taken"
