"""Asks a cloud's metadata service whether this machine is about to be taken away. Imported on such machines only."""

import http.client
import json
import os
import time
from typing import Callable, Dict, Optional
from urllib.parse import urlsplit

#: Whose machine it is, as its firmware says.
_VENDOR = "/sys/class/dmi/id/sys_vendor"
_TIMEOUT = 2.0


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
        return _azure
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
    """The second version of the instance metadata service: every question needs a token."""

    def __init__(self) -> None:
        self._token: Optional[str] = None

    def ask(self) -> str:
        """When the machine is to go, "" as long as it stays."""
        said = self.get("/latest/meta-data/spot/instance-action")
        return str(_field(said, "time") or "") if said else ""

    def get(self, path: str) -> Optional[str]:
        """What the service says there, None where it does not answer or says nothing."""
        if self._token is None:
            headers = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
            self._token = _call("http://169.254.169.254", "PUT", "/latest/api/token", headers)
        if self._token is None:
            return None
        return _call("http://169.254.169.254", "GET", path, {"X-aws-ec2-metadata-token": self._token})


def _gcp() -> str:
    headers = {"Metadata-Flavor": "Google"}
    said = _call("http://169.254.169.254", "GET", "/computeMetadata/v1/instance/preempted", headers)
    # The machine goes 30 seconds after this was set.
    in_half_a_minute = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
    return in_half_a_minute if (said or "").strip().upper() == "TRUE" else ""


def _azure() -> str:
    path = "/metadata/scheduledevents?api-version=2020-07-01"
    said = _call("http://169.254.169.254", "GET", path, {"Metadata": "true"})
    events = _field(said, "Events") if said else None
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("EventType") in ("Preempt", "Terminate"):
            return str(event.get("NotBefore") or "now")
    return ""


def _call(base: str, method: str, path: str, headers: Dict[str, str]) -> Optional[str]:
    """The answer's text, None where there is none (as where no notice was given)."""
    host = urlsplit(os.environ.get("HEADWAY_SPOT_METADATA_URL") or base).netloc
    connection = http.client.HTTPConnection(host, timeout=_TIMEOUT)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        text = answer.read(65536).decode("utf-8", "replace")
        return text if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
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
