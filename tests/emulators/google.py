"""Google Cloud Storage by fake-gcs-server: built where Go is at hand, which takes minutes once and seconds later."""

import http.client
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.program import UnavailableError, bring, cache, serving

_MODULE = "github.com/fsouza/fake-gcs-server"
_VERSION = "v1.56.1"


def program() -> Path:
    """The server's program.

    Raises:
        UnavailableError: There is no Go on this machine, or it cannot build it.
    """
    kept = cache() / f"fake-gcs-server-{_VERSION}" / "fake-gcs-server"
    if kept.exists():
        return kept
    if shutil.which("go") is None:
        raise UnavailableError("there is no Go on this machine to build fake-gcs-server with")
    # Go puts a program into its place when it is whole, so two who build at once do not meet.
    bring("fake-gcs-server", ["go", "install", f"{_MODULE}@{_VERSION}"], GOBIN=str(kept.parent), GOFLAGS="")
    return kept


@contextmanager
def google_emulator(*buckets: str, host: str = "127.0.0.1") -> Iterator[str]:
    """A running emulator.

    Args:
        buckets: The buckets that it has.
        host: The address of this machine that it listens on.

    Yields:
        Its address, as STORAGE_EMULATOR_HOST has it.

    Raises:
        UnavailableError: It cannot be had on this machine.
    """
    found = str(program())

    def command(port: int) -> list[str]:
        options = ["-scheme", "http", "-backend", "memory", "-data", "", "-log-level", "error"]
        return [found, "-host", host, "-port", str(port), *options]

    with serving(command, host, "/_internal/healthcheck") as port:
        for bucket in buckets:
            _make(bucket, host, port)
        yield f"http://{host}:{port}"


def _make(bucket: str, host: str, port: int) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    body = json.dumps({"name": bucket})
    connection.request("POST", "/storage/v1/b", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.close()
