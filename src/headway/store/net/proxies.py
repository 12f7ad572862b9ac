"""Which proxy a server is reached through, by the usual variables."""

from typing import Dict, Mapping, NamedTuple, Optional

from headway.errors import StoreConfigurationError
from headway.store.net.endpoints import Endpoint


class Proxy(NamedTuple):
    """An HTTP proxy: where it is, the headers that it wants, its address as given (with a password)."""

    host: str
    port: int
    headers: Dict[str, str]
    url: str


def proxy_for(server: Endpoint, environ: Mapping[str, str]) -> Optional[Proxy]:
    """The proxy for this server, None where it is reached directly.

    ``HTTPS_PROXY`` and ``HTTP_PROXY`` by the server's scheme, then ``ALL_PROXY``, each in lower case
    first; ``NO_PROXY`` takes host names, domain suffixes, addresses, networks (``10.0.0.0/8``) and ``*``.

    Raises:
        StoreConfigurationError: The variable is not the address of an HTTP proxy.
    """
    names = ("https_proxy", "all_proxy") if server.secure else ("http_proxy", "all_proxy")
    for name in names:
        value = environ.get(name) or environ.get(name.upper())
        if value:
            excluded = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
            return None if _is_excluded(server, excluded) else _parse_proxy(value, name.upper())
    return None


def _parse_proxy(value: str, variable: str) -> Proxy:
    # Where there is a proxy only.
    import base64
    from urllib.parse import unquote, urlsplit

    url = urlsplit(value if "://" in value else f"http://{value}")
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme != "http" or not url.hostname or port == 0:
        raise StoreConfigurationError(
            f"{variable} does not name a proxy that Headway can use",
            "Only HTTP proxies are supported; write it as http://host:port.",
        )
    headers = {}
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(url.hostname, port or 80, headers, url.geturl())


def _is_excluded(server: Endpoint, excluded: str) -> bool:
    return any(_matches(server, entry.strip().lower()) for entry in excluded.split(",") if entry.strip())


def _matches(server: Endpoint, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        import ipaddress  # where a network is left out only

        try:
            return ipaddress.ip_address(server.host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    host, separator, port = entry.rpartition(":")
    if separator and port.isdigit() and (":" not in host or host.endswith("]")):
        return int(port) == server.port and _matches(server, host)
    entry = entry.strip("[]").lstrip("*").lstrip(".")
    return server.host == entry or server.host.endswith(f".{entry}")
