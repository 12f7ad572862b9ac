"""What asking any service for credentials has in common."""

import time
from typing import Mapping, Optional

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.net.answers import Answer
from headway.store.net.connections import ConnectionFailed, Connections
from headway.store.net.retries import RetryPolicy

_POLICY = RetryPolicy(tries=4, seconds=20.0)


def ask(
    connections: Connections,
    method: str,
    target: str,
    headers: Mapping[str, str],
    who: str,
    body: bytes = b"",
) -> Answer:
    """One request, tried again a few times while the service is out of breath.

    Raises:
        StoreUnavailableError: It stays so; ``who`` names it in the message.
    """
    started, tries = time.monotonic(), 0
    try:
        while True:
            tries += 1
            said, cause = "", None
            try:
                answer = connections.exchange(method, target, headers, [body] if body else [])
                if answer.status < 500 and answer.status != 429:
                    return answer
                said = f"status {answer.status}"
            except ConnectionFailed as error:
                said, cause = str(error), error
            pause = _POLICY.pause(tries, time.monotonic() - started, contact=False)
            if pause is None:
                raise StoreUnavailableError(f"no credentials from {who}: {said} ({tries} tries)") from cause
            time.sleep(pause)
    finally:
        connections.close()


def read_token(file: str, variable: str) -> str:
    """The token in a file; the variable that names the file is for errors."""
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read().strip()
    except OSError as error:
        raise StoreConfigurationError(
            f"{variable} names {file}, which cannot be read: {error.strerror}",
            "Check that the pod's service account token is mounted.",
        ) from error


def epoch(text: str) -> Optional[float]:
    """Seconds since the epoch of ``2026-01-02T03:04:05Z``, None where there is no such time."""
    import calendar  # for credentials that end only; it brings locale along

    try:
        fields = [int(part) for part in text[:19].replace("T", "-").replace(":", "-").split("-")]
        return float(calendar.timegm((*fields, 0, 0, 0) if len(fields) == 6 else ()))
    except ValueError:
        return None
