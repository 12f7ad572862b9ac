"""Asks a cloud's metadata service whether this machine is about to be taken away. Imported on such machines only."""

import http.client
import json
import os
import time
from typing import Callable, Dict, Optional, Tuple
from urllib.parse import urlsplit

#: Whose machine it is, as its firmware says.
_VENDOR = "/sys/class/dmi/id/sys_vendor"
_TIMEOUT = 2.0

#: Where each of the three clouds answers.
_SERVICE = "http://169.254.169.254"
_AZURE_HEADERS = {"Metadata": "true"}


def watcher(vendor: Optional[str] = None) -> Optional[Callable[[], str]]:
    """What tells when this machine is to go, "" as long as it stays; None where it is no machine of a known cloud.

    HEADWAY_SPOT_WATCH turns it off (``never``), or names the cloud (``aws``, ``gcp``, ``azure``) where the
    firmware does not. HEADWAY_SPOT_METADATA_URL is another service of the same kind, for tests.

    Args:
        vendor: What the firmware says; read from it by default.
    """
    chosen = os.environ.get("HEADWAY_SPOT_WATCH", "auto").lower()
    if chosen == "never":
        return None
    said = (vendor if vendor is not None else _firmware()).lower()
    if chosen == "aws" or (chosen == "auto" and "amazon" in said):
        return Aws().ask
    if chosen == "gcp" or (chosen == "auto" and "google" in said):
        return _gcp
    if chosen == "azure" or (chosen == "auto" and "microsoft" in said):
        return Azure().ask
    return None


def seconds_until(when: str) -> float:
    """How long the machine stays, as its cloud said it; 0 where that was no time, or is past."""
    from calendar import timegm  # neither is loaded but on a machine that goes

    for form in ("%Y-%m-%dT%H:%M:%SZ", "%a, %d %b %Y %H:%M:%S GMT"):
        try:
            return max(0.0, timegm(time.strptime(when, form)) - time.time())
        except ValueError:
            continue
    return 0.0


class Aws:
    """The second version of the instance metadata service: every question needs a token, which ends after hours."""

    def __init__(self) -> None:
        self._token: Optional[str] = None

    def ask(self) -> str:
        """When the machine is to go, "" as long as it stays."""
        said = self.get("/latest/meta-data/spot/instance-action")
        return str(_field(said, "time") or "") if said else ""

    def get(self, path: str) -> Optional[str]:
        """What the service says there, None where it does not answer or says nothing."""
        status, said = self._ask_with_token(path)
        if status == 401:
            # Its time is over, and a pod may live for days: without another one no notice would ever be seen.
            self._token = None
            status, said = self._ask_with_token(path)
        return said if status == 200 else None

    def _ask_with_token(self, path: str) -> Tuple[int, str]:
        if self._token is None:
            headers = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
            self._token = _call("PUT", "/latest/api/token", headers)
        if self._token is None:
            return 0, ""
        return _answer("GET", path, {"X-aws-ec2-metadata-token": self._token})


class Azure:
    """Scheduled events, which every machine of a scale set is told of all the others'."""

    def __init__(self) -> None:
        self._name = ""

    def ask(self) -> str:
        """When this very machine is to go, "" as long as it stays."""
        said = _call("GET", "/metadata/scheduledevents?api-version=2020-07-01", _AZURE_HEADERS)
        events = _field(said, "Events") if said else None
        for event in events if isinstance(events, list) else ():
            takes = isinstance(event, dict) and event.get("EventType") in ("Preempt", "Terminate")
            if takes and self._is_among(event.get("Resources")):
                return str(event.get("NotBefore") or "now")
        return ""

    def _is_among(self, machines: object) -> bool:
        """Whether an event is about this machine; not while nothing says what that is called."""
        if not self._name:
            # It never changes.
            said = _call(
                "GET", "/metadata/instance/compute/name?api-version=2021-02-01&format=text", _AZURE_HEADERS
            )
            self._name = (said or "").strip().lower()
        names = machines if isinstance(machines, list) else []
        return bool(self._name) and self._name in [str(name).strip().lower() for name in names]


def _gcp() -> str:
    said = _call("GET", "/computeMetadata/v1/instance/preempted", {"Metadata-Flavor": "Google"})
    # The machine goes 30 seconds after this was set.
    in_half_a_minute = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
    return in_half_a_minute if (said or "").strip().upper() == "TRUE" else ""


def _call(method: str, path: str, headers: Dict[str, str]) -> Optional[str]:
    """The answer's text, None where there is none (as where no notice was given)."""
    status, text = _answer(method, path, headers)
    return text if status == 200 else None


def _answer(method: str, path: str, headers: Dict[str, str]) -> Tuple[int, str]:
    """(status, text); the status is 0 where nobody answers."""
    host = urlsplit(os.environ.get("HEADWAY_SPOT_METADATA_URL") or _SERVICE).netloc
    connection = http.client.HTTPConnection(host, timeout=_TIMEOUT)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(65536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _field(text: str, name: str) -> object:
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said.get(name) if isinstance(said, dict) else None


def _firmware() -> str:
    try:
        with open(_VENDOR, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
