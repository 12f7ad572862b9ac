"""A server that is a program of somebody else's: kept on this machine, started on a free port, stopped again."""

import http.client
import os
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds until a server answers, on a busy machine.
_PATIENCE = 60.0
_TRIES = 3


class UnavailableError(Exception):
    """The program cannot be had on this machine; why."""


def cache() -> Path:
    """Where programs are kept that one run of the tests brought here, for the next ones."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headway-tests"


@contextmanager
def serving(
    command: Callable[[int], list[str]],
    host: str,
    path: str,
    status: int = 200,
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """A running server.

    Args:
        command: How it is started, given its port.
        host: The address of this machine that it listens on.
        path: What it answers once it is ready.
        status: And with what.
        tls: Whom to trust, where it is reached by https.

    Yields:
        Its port.

    Raises:
        AssertionError: It does not come up; with what it said.
    """
    for left in reversed(range(_TRIES)):
        port = _free_port(host)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command(port), stdout=said, stderr=subprocess.STDOUT)
            try:
                # Another process may have taken the port meanwhile: then it ends, and another one is tried.
                if _is_ready(process, _reached(host, port, tls), path, status):
                    yield port
                    return
            finally:
                process.terminate()
                process.wait()
            said.seek(0)
            assert left, said.read().decode(errors="replace")


def _free_port(host: str) -> int:
    with socket.socket() as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


def _reached(host: str, port: int, tls: ssl.SSLContext | None) -> Callable[[], http.client.HTTPConnection]:
    if tls is None:
        return lambda: http.client.HTTPConnection(host, port, timeout=5)
    return lambda: http.client.HTTPSConnection(host, port, timeout=5, context=tls)


def _is_ready(
    process: subprocess.Popen[bytes],
    reach: Callable[[], http.client.HTTPConnection],
    path: str,
    status: int,
) -> bool:
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        connection = reach()
        try:
            connection.request("GET", path)
            if connection.getresponse().status == status:
                return True
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    return False
