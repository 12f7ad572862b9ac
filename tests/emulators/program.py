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
#: Seconds for bringing a program here: a compiler may have much to build.
_BRINGING = 720


class UnavailableError(Exception):
    """The program cannot be had on this machine; why."""


def bring(name: str, command: list[str], **changes: str) -> None:
    """Have a package manager bring a program to this machine: where the check asks for it, not by the way.

    Args:
        name: The program's name.
        command: What brings it.
        changes: Variables of the environment for it.

    Raises:
        UnavailableError: Nobody asked for it (HEADWAY_TEST_FETCH=1), or it cannot be brought.
    """
    if os.environ.get("HEADWAY_TEST_FETCH") != "1":
        raise UnavailableError(f"{name} is not on this machine yet; `python3 dev.py check` brings it")
    try:
        subprocess.run(
            command,
            env={**os.environ, **changes},
            capture_output=True,
            text=True,
            check=True,
            timeout=_BRINGING,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"{command[0]} does not bring {name} within {_BRINGING // 60} minutes"
        ) from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no word why"])[-1]
        raise UnavailableError(f"{command[0]} cannot bring {name} here: {last}") from error


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
