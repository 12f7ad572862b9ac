"""HTTP servers by their address."""

from typing import NamedTuple

from headway.errors import StoreConfigurationError
from headway.store.addresses import plain_address


class Endpoint(NamedTuple):
    """An HTTP server: where to connect, and the path everything there stands under ("" or "/x")."""

    secure: bool
    host: str
    port: int
    path: str = ""

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"


def parse_endpoint(url: str) -> Endpoint:
    """Read ``http://host:port/path``.

    Raises:
        StoreConfigurationError: It is not an HTTP address.
    """
    plain = plain_address(url)
    if plain is not None and plain.scheme in ("http", "https"):
        host, colon, number = plain.place.partition(":")
        if host and (not colon or (number.isdecimal() and 0 < int(number) < 65536)):
            secure = plain.scheme == "https"
            return Endpoint(
                secure, host.lower(), int(number or (443 if secure else 80)), plain.path.rstrip("/")
            )
    from urllib.parse import urlsplit  # for unusual addresses only, see headway.store.addresses

    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise StoreConfigurationError(
            f"{url!r} is not the address of a server",
            "Write it with its scheme: http://store.example:9000 or https://store.example.com.",
        )
    secure = parts.scheme == "https"
    return Endpoint(secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"))


def is_loopback(address: str) -> bool:
    """Whether an address, with its scheme or without, leads back to the machine that uses it."""
    place = (address.partition("://")[2] or address).partition("/")[0].rpartition("@")[2]
    host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
    host = host.rstrip(".").lower()
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")
