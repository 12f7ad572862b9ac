"""Where a bucket of Google Cloud Storage is reached: at Google, at another address of it, or at an emulator."""

from typing import Mapping, NamedTuple, Optional

from headway.store.net.connections import TRUST
from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.net.faults import Place

#: Another address of Google's own service, as private networks have one. The first one set counts.
ENDPOINT_VARIABLES = ("HEADWAY_GS_ENDPOINT_URL", "METAFLOW_GS_ENDPOINT_URL")
#: The server of an emulator, as for Google's own clients; there are no credentials for it.
EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"

_GOOGLE = Endpoint(True, "storage.googleapis.com", 443)


class GoogleAddress(NamedTuple):
    """Where a bucket is.

    Attributes:
        bucket: Its name.
        endpoint: The server's address, None for Google's own.
        emulated: Whether it is an emulator, which wants no credentials.
    """

    bucket: str
    endpoint: Optional[str] = None
    emulated: bool = False

    @property
    def server(self) -> Endpoint:
        """The server to connect to."""
        return parse_endpoint(self.endpoint) if self.endpoint else _GOOGLE

    @property
    def place(self) -> Place:
        """What errors call the bucket."""
        name = f"bucket {self.bucket!r}"
        where = f"{name} at {self.endpoint or 'Google Cloud Storage'}"
        variable = EMULATOR_VARIABLE if self.emulated else ENDPOINT_VARIABLES[0]
        return Place(name, where, self.server, f"the endpoint ({variable})", TRUST[0])


def address_from_environment(bucket: str, environ: Mapping[str, str]) -> GoogleAddress:
    """The bucket's address; an emulator's may stand without its scheme, as ``localhost:4443``."""
    endpoint = next(filter(None, (_address(environ, name) for name in ENDPOINT_VARIABLES)), "")
    if endpoint:
        return GoogleAddress(bucket, endpoint)
    emulator = _address(environ, EMULATOR_VARIABLE)
    if emulator and "://" not in emulator:
        emulator = f"http://{emulator}"
    return GoogleAddress(bucket, emulator or None, bool(emulator))


def _address(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or "").strip().rstrip("/")
