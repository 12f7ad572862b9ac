"""A token of the service account that this machine or pod runs as: Compute Engine, and GKE's workload identity."""

import time
from typing import Callable, Mapping

from headway.store.addresses import quote
from headway.store.gs.grants import SCOPE, read_grant
from headway.store.gs.tokens import Token
from headway.store.net.chain import NoAnswerError
from headway.store.net.connections import ConnectionFailed, Connections
from headway.store.net.endpoints import parse_endpoint
from headway.store.net.retries import RetryPolicy

#: By its address: elsewhere than at Google nobody knows the name, and to learn that can take long.
_SERVER = "169.254.169.254"

_FLAVOR = "metadata-flavor"

#: On a new node of GKE the server may refuse connections, or be out of breath, for some seconds.
_POLICY = RetryPolicy(tries=8, seconds=8.0, first_contact=8.0)


def metadata_token(
    environ: Mapping[str, str],
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> Token:
    """Ask the metadata server.

    Args:
        environ: May name another server (GCE_METADATA_HOST).
        clock: Seconds since the epoch.
        sleep: Waits so many seconds.

    Raises:
        NoAnswerError: There is no such server, or no service account.
        StoreConfigurationError: It refuses.
    """
    server = parse_endpoint(f"http://{environ.get('GCE_METADATA_HOST') or _SERVER}")
    connections = Connections(server, environ, connect_timeout=1.0, read_timeout=5.0, proxies=False)
    target = f"/computeMetadata/v1/instance/service-accounts/default/token?scopes={quote(SCOPE)}"
    started, tries = time.monotonic(), 0
    try:
        while True:
            tries += 1
            try:
                answer = connections.exchange("GET", target, {_FLAVOR: "Google"})
                if answer.headers.get(_FLAVOR, "").lower() != "google":
                    raise NoAnswerError("what answers there is not Google's")
                if answer.status == 404:
                    raise NoAnswerError("this machine has no service account")
                if answer.status < 500 and answer.status != 429:
                    hint = "Check the service account of the machine, or of the pod (workload identity)."
                    return read_grant(answer, "the metadata server", server.url, clock, hint)
                said = f"status {answer.status}"
            except ConnectionFailed as error:
                # Where there is no such server there is no way to it, or nothing answers in time.
                if not isinstance(error.cause, ConnectionRefusedError):
                    raise NoAnswerError("no answer") from error
                said = "the connection is refused"
            pause = _POLICY.pause(tries, time.monotonic() - started, contact=True)
            if pause is None:
                raise NoAnswerError(f"{said}, {tries} tries")
            sleep(pause)
    finally:
        connections.close()
